/** The canonical key of a call. */
import type { SiteSpec } from "./contract.ts";

/**
 * A key of one site's entries: safe in a `Map`, and equal (SameValueZero) exactly where the argument lists are.
 * A lone number, bigint, boolean, null, undefined or short string is its own key; everything else is text that starts
 * with NUL, which no bare string key does.
 */
export type Key = string | number | bigint | boolean | undefined | null;

/** What a site says about the slots of its key. */
export type SiteNames = Pick<SiteSpec, "id" | "hashed" | "captured" | "rest">;

type Callable = (...args: never) => unknown;

export function encodeKey(slots: readonly unknown[], _site: SiteNames): Key {
  return `\0${JSON.stringify(slots)}`;
}

/** Canonical text of a key, the same in every process, well-formed Unicode; long ones are digests. */
export function keyText(key: Key): string {
  return String(key);
}

/** Lets the registry say what identifies a cached function that is passed as an argument (its code hash). */
export function setFunctionKey(ask: (fn: Callable) => string | undefined): void {
  functionKey = ask;
}

let functionKey: (fn: Callable) => string | undefined = () => undefined;

export { functionKey };
