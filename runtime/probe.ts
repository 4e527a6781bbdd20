/**
 * Finding the key of a call without making it. `clear(load, 7)` calls `load(7)` while its site is probed: defaults and
 * patterns are evaluated as always, the site notes the key it would have looked up, and the body does not run.
 *
 * Of several calls of the probed site the last one counts: what a default parameter calls comes before the call itself.
 * (In a function that is not `async` the first one unwinds, so a function that calls *itself in its own default
 * parameter* is found by that inner call's key. It is the one shape that can't be told apart.)
 */

import { attention } from "./attention.ts";
import type { CachedCall } from "./contract.ts";
import type { Site } from "./entry.ts";
import { argumentsUnbound } from "./errors.ts";
import type { Key } from "./key.ts";
import { shared } from "./shared.ts";

/** What a probed site has noted. */
export interface Found {
  readonly key: Key;
  readonly slots: readonly unknown[];
  readonly run: () => unknown;
  readonly args: (() => unknown[]) | undefined;
}
interface Probe {
  readonly site: Site;
  /** What becomes of the noted call; absent: it is unwound. */
  readonly instead: ((found: Found) => unknown) | undefined;
  found: Found | undefined;
  error: { readonly thrown: unknown } | undefined;
}

const probing = shared("probe", () => ({ current: undefined as Probe | undefined }));

/** Unwinds a probed function that is not `async`. One object for all copies of the package. */
const STOP: object = shared("probe.stop", () => ({ kept: "probe" }));

/**
 * Calls `fn` with its site probed.
 *
 * @returns the noted call, unwound
 * @throws what evaluating the parameters throws, and what can't be keyed
 */
export function probe(api: string, site: Site, fn: Callable, self: unknown, args: readonly unknown[]): Found {
  const current: Probe = { site, instead: undefined, found: undefined, error: undefined };
  try {
    hush(callProbed(current, fn, self, args));
  } catch (thrown) {
    if (thrown !== STOP) throw thrown;
  }
  if (current.error !== undefined) throw current.error.thrown;
  if (current.found === undefined) throw argumentsUnbound(api, site.id);
  return current.found;
}

/** Calls `fn`; where it would look up its key, `instead` takes over and gives the result. */
export function divert(
  site: Site,
  fn: Callable,
  self: unknown,
  args: readonly unknown[],
  instead: (found: Found) => unknown,
): unknown {
  return callProbed({ site, instead, found: undefined, error: undefined }, fn, self, args);
}

type Callable = (...args: any[]) => unknown;

function callProbed(current: Probe, fn: Callable, self: unknown, args: readonly unknown[]): unknown {
  const outer = probing.current;
  probing.current = current;
  attention.count++;
  try {
    return Reflect.apply(fn, self, args);
  } finally {
    attention.count--;
    probing.current = outer;
  }
}

/** True if this very call is the one that is probed. */
export function isProbed(site: Site): boolean {
  return probing.current?.site === site;
}

/** Notes the call (see {@link isProbed}) and gets out of it. */
export function note(key: () => Key, slots: unknown[], run: () => unknown, args: Parameters<CachedCall>[2]): unknown {
  const current = probing.current as Probe;
  try {
    current.found = { key: unprobed(key), slots, run, args };
  } catch (thrown) {
    current.error = { thrown };
  }
  if (current.instead !== undefined && current.error === undefined) {
    const { instead, found } = current;
    return unprobed(() => instead(found as Found));
  }
  // A promise that never settles ends an `async` function where it stands; a rejection would be reported as unhandled.
  if (current.site.spec.async) return new Promise(() => {});
  throw current.error === undefined ? STOP : current.error.thrown;
}

/** Code that is not part of the probed call itself: bodies, replayed effects, keys of the user's own types. */
export function unprobed<R>(body: () => R): R {
  const outer = probing.current;
  if (outer === undefined) return body();
  probing.current = undefined;
  try {
    return body();
  } finally {
    probing.current = outer;
  }
}

function hush(result: unknown): void {
  if (result instanceof Promise) result.catch(() => {});
}
