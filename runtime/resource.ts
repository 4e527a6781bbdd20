/**
 * Resources: checked on every hit, released on every path that drops them, and never under a caller that still waits for
 * them.
 */
import type { Entry, Site } from "./entry.ts";
import { asyncValidate } from "./errors.ts";
import { type DropReason, fault, hears, publish } from "./events.ts";
import { nextTurn } from "./platform.ts";
import { outsideRuns } from "./run.ts";
import { shared } from "./shared.ts";
import { isThenable } from "./thenable.ts";

/**
 * Which sites' entries hold an object, a site once for each entry: it is released with the last of them. One holder, the
 * rule, stands for itself. (A WeakMap of a million objects keeps the collector busy: 6.3 s to fill where this takes 0.9 s.)
 */
const holders = shared("resources.holders", () => new Map<object, Site | Site[]>());
/** Releases that have begun, or will in the next turn. */
const releasing = shared("resources.releasing", () => new Set<Promise<void>>());

const DISPOSE = Symbol.dispose ?? Symbol.for("Symbol.dispose");
const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

/** An entry begins to hold `value`. */
export function retain(site: Site, value: unknown): void {
  if (!isObject(value)) return;
  const held = holders.get(value);
  if (held === undefined) holders.set(value, site);
  else if (Array.isArray(held)) held.push(site);
  else holders.set(value, [held, site]);
}

function letGo(site: Site, value: unknown): void {
  const held = isObject(value) ? holders.get(value) : undefined;
  if (!Array.isArray(held)) {
    if (held === site) holders.delete(value as object);
    return;
  }
  const at = held.indexOf(site);
  if (at !== -1) held.splice(at, 1);
  if (held.length === 0) holders.delete(value as object);
}

function isHeld(value: object, by?: Site): boolean {
  const held = holders.get(value);
  return by === undefined ? held !== undefined : Array.isArray(held) ? held.includes(by) : held === by;
}

/**
 * Nobody gets `value` any more: calls `onRelease`, or else the value's own dispose method. Another entry that holds the
 * same object keeps it alive. A hook that fails is a `fault`.
 *
 * @param entry the entry that held it; absent if none did
 */
export function release(site: Site, value: unknown, reason: DropReason, entry?: Entry): void {
  if (entry !== undefined) letGo(site, value);
  const end = hookOf(site, value);
  if (end === undefined) return;
  const act = (): void | Promise<void> => {
    const failed = (error: unknown) => fault("release-failed", error, site.id);
    const ended = () => {
      if (hears("release")) publish({ type: "release", site: site.id, kind: site.kind, reason });
    };
    try {
      const result = outsideRuns(end);
      if (!isThenable(result)) return ended();
      return Promise.resolve(result).then(ended, failed);
    } catch (error) {
      return failed(error);
    }
  };
  if (site.spec.async) {
    // Callers of an `async` function get what they wait for before the next turn of the event loop.
    follow(new Promise((done) => nextTurn(() => whenFree(entry, () => done(act())))));
  } else {
    const ended = act();
    if (ended !== undefined) follow(ended);
  }
}

/** Waits until all releases that have begun are over. */
export async function released(): Promise<void> {
  while (releasing.size > 0) await Promise.all(releasing);
}

/**
 * Asks `validate` whether the value may be served. What throws is a "no", and a `fault`.
 *
 * @throws KeptError `async-validate` if the site is not `async` and `validate` is
 */
export function isValid(entry: Entry, args: readonly unknown[]): boolean | Promise<boolean> {
  const { site } = entry.shelf;
  const no = (error: unknown): false => {
    fault("validate-failed", error, site.id);
    return false;
  };
  let verdict: unknown;
  try {
    const validate = site.spec.validate?.();
    verdict = outsideRuns(() => validate?.(entry.value, ...args));
  } catch (error) {
    return no(error);
  }
  if (!isThenable(verdict)) return Boolean(verdict);
  if (!site.spec.async) {
    Promise.resolve(verdict).catch(() => {});
    throw asyncValidate(site.id);
  }
  return Promise.resolve(verdict).then(Boolean, no);
}

/** The value will not be released before {@link unhold}. */
export function hold(entry: Entry): void {
  if (entry.lease === undefined) entry.lease = { holders: 1, whenFree: undefined };
  else entry.lease.holders++;
}

export function unhold(entry: Entry): void {
  const { lease } = entry;
  if (lease === undefined || --lease.holders > 0) return;
  entry.lease = undefined;
  if (lease.whenFree !== undefined) nextTurn(lease.whenFree);
}

function whenFree(entry: Entry | undefined, act: () => void): void {
  if (entry?.lease === undefined) act();
  else entry.lease.whenFree = act;
}

/** What ends the value; nothing if it has no end, or is still in use. */
function hookOf(site: Site, value: unknown): (() => unknown) | undefined {
  const { onRelease } = site.spec;
  if (onRelease !== undefined) return isObject(value) && isHeld(value, site) ? undefined : () => onRelease()(value);
  if (!isObject(value) || isHeld(value)) return undefined;
  const dispose = methodOf(value, ASYNC_DISPOSE) ?? methodOf(value, DISPOSE);
  return dispose === undefined ? undefined : () => dispose.call(value);
}

function methodOf(value: object, name: symbol): ((this: object) => unknown) | undefined {
  const method: unknown = (value as Record<symbol, unknown>)[name];
  return typeof method === "function" ? (method as (this: object) => unknown) : undefined;
}

function follow(release: Promise<void>): void {
  releasing.add(release);
  void release.then(() => releasing.delete(release));
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
