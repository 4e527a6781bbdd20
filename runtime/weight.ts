/** What an entry takes in memory, by estimate. */
import type { Keeper } from "./copy.ts";
import type { Site } from "./entry.ts";
import type { Key } from "./key.ts";

/** Beside its key and its value: measured, see scripts/bench/runtime. */
const ENTRY_BYTES = 250;

export function weigh(site: Site, key: Key, value: unknown, keeper: Keeper | undefined): number {
  return ENTRY_BYTES + bytesOf(key) + (keeper?.bytes ?? (site.kind === "data" ? bytesOf(value) : 0));
}

function bytesOf(value: unknown): number {
  return typeof value === "string" ? 2 * value.length : typeof value === "bigint" ? 16 : 8;
}
