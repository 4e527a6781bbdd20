/** One call of a cached function, as the cache sees it. */
import type { Shelf, Site } from "./entry.ts";
import { encodeKey, type Key } from "./key.ts";
import { environment } from "./platform.ts";

export interface Call {
  readonly shelf: Shelf;
  readonly key: Key;
  /** The key of the arguments alone, where inputs have a part in {@link key}. */
  readonly base: Key;
  readonly slots: readonly unknown[];
  /** The body. */
  readonly run: () => unknown;
  /** All bound parameters, where `validate` wants them. */
  readonly args: (() => unknown[]) | undefined;
  /** The captures as they are now, where they may change while the body runs. */
  readonly captures?: (() => unknown[]) | undefined;
  /** How many runs it has joined whose callers gave up. */
  readonly gaveUp?: number;
}

/**
 * The key of a call's arguments, with the environment variables that the site asks for.
 *
 * @throws UnhashableArgumentError
 */
export function keyOf(site: Site, slots: readonly unknown[]): Key {
  const { spec } = site;
  if (spec.env === undefined) return encodeKey(slots, spec);
  const hashed = [...spec.hashed, ...spec.env.map((name) => `process.env.${name}`)];
  const captured = (spec.captured ?? 0) + spec.env.length;
  return encodeKey([...slots, ...spec.env.map(environment)], { ...spec, hashed, captured });
}
