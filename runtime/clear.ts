/** What a program does to entries by hand: clear, refresh, look. A call's entry is named by the function and arguments. */
import { formsOf } from "./backing.ts";
import type { Call } from "./call.ts";
import { now } from "./config.ts";
import type { SiteKind } from "./contract.ts";
import type { Entry, Shelf, Site } from "./entry.ts";
import { notCached } from "./errors.ts";
import { type ClearEvent, hears, publish } from "./events.ts";
import { launch, orphans } from "./flight.ts";
import { entriesUnder, pathOf } from "./inputs.ts";
import { type Key, keyText } from "./key.ts";
import { drop, empty, lifeOf, usedShelves } from "./lifetime.ts";
import { forget, restore } from "./persist.ts";
import { divert, type Found, probe } from "./probe.ts";
import { selfOf, siteOf, sites, wasTaken } from "./registry.ts";
import { release } from "./resource.ts";
import { closeSession, sessionShelf, shelfOf } from "./session.ts";
import { beginClearing } from "./tags.ts";
import { isThenable } from "./thenable.ts";

type Callable = (...args: any[]) => unknown;

/**
 * A cached function; a method with the object it is called on (`[rides, rides.load]` or `[rides, "load"]`), where its key
 * depends on `this`; or a site id (`"src/rides.ts#loadRides"`).
 */
export type Target<F extends Callable = Callable> = F | readonly [self: unknown, method: F | PropertyKey] | string;

/** The parameters of the target, all of them optional: defaults are filled in as in a call. */
export type ArgumentsOf<T> = T extends Callable
  ? Partial<Parameters<T>>
  : T extends readonly [unknown, infer F extends Callable]
    ? Partial<Parameters<F>>
    : T extends readonly [infer O, infer K extends PropertyKey]
      ? K extends keyof O
        ? O[K] extends Callable
          ? Partial<Parameters<O[K]>>
          : never
        : never
      : unknown[];

/** The return type of the target. */
export type ResultOf<T> = T extends Callable
  ? ReturnType<T>
  : T extends readonly [unknown, infer F extends Callable]
    ? ReturnType<F>
    : T extends readonly [infer O, infer K extends keyof any]
      ? K extends keyof O
        ? O[K] extends Callable
          ? ReturnType<O[K]>
          : unknown
        : unknown
      : unknown;

interface Aim {
  readonly site: Site;
  readonly fn: Callable | undefined;
  readonly self: unknown;
}

/**
 * Drops what is kept. `clear(load)` drops all entries of the function, `clear(load, 7, "x")` that of one call: arguments are
 * keyed as the call keys them, defaults filled in. Resources are released. A run that began before is handed to the caller
 * that started it, and not kept; others who wait for it get what is computed after the clear.
 *
 * A function with `scope: "session"` is cleared for the session around the call; outside of one, for all.
 *
 * @throws KeptError `not-cached` if the target is no cached function; UnhashableArgumentError as the call would
 */
export function clear<const T extends Target>(target: T, ...args: ArgumentsOf<T>): void;
export function clear(target: Target, ...args: unknown[]): void {
  const aim = find("clear", target);
  if (aim === undefined) {
    // Its module may not have been loaded yet: a store has results of it all the same.
    if (typeof target === "string" && args.length === 0) forget({ site: target });
    return;
  }
  const { site } = aim;
  if (args.length === 0) {
    let entries = 0;
    for (const shelf of shelvesOf(site)) entries += empty(shelf);
    releaseOrphans((orphan) => orphan.site.id === site.id);
    if (site.persisted) forget({ site: site.id });
    tell("site", site.id, entries);
    return;
  }
  const { key } = keyOfCall("clear", aim, args);
  let entries = 0;
  for (const shelf of shelvesOf(site)) {
    for (const flight of shelf.runs()) if (Object.is(flight.base, key)) flight.clear();
    for (const entry of entriesFor(shelf, key)) {
      drop(entry, "clear");
      entries++;
    }
  }
  releaseOrphans((orphan) => orphan.site.id === site.id && Object.is(orphan.base, key));
  if (site.persisted) forget({ site: site.id, key: keyText(key) });
  tell("entry", site.id, entries);
}

/** Drops all entries that have one of the tags, given in their options or by `cacheTag`; also those made from such. */
export function clearTag(...tags: readonly string[]): void {
  for (const tag of tags) {
    // What came from a store may have it under another name.
    const entries = new Set(formsOf(tag).flatMap(beginClearing));
    for (const entry of entries) drop(entry, "clear");
    forget({ tag });
    tell("tag", tag, entries.size);
  }
}

/** Drops everything, or everything of a kind. */
export function clearAll(kind?: SiteKind): void {
  if (kind !== "resource") forget({});
  clearMemory(kind);
}

/** What {@link clearAll} does, but for what is kept in stores. */
export function clearMemory(kind?: SiteKind): void {
  let entries = 0;
  for (const shelf of usedShelves()) if (kind === undefined || shelf.site.kind === kind) entries += empty(shelf);
  releaseOrphans((orphan) => kind === undefined || orphan.site.kind === kind);
  tell("all", undefined, entries);
}

/** Drops what was kept for a session ({@link withSession}) and releases its resources. */
export function endSession(id: string): void {
  let entries = 0;
  const shelves = closeSession(id);
  for (const shelf of shelves) entries += empty(shelf);
  releaseOrphans((orphan) => orphan.session === id);
  tell("session", id, entries);
}

/**
 * Computes the call anew and keeps that. Others get the old entry meanwhile; if the run fails it stays. Every refresh runs
 * the body: one that has begun before may have read what has changed since.
 *
 * @returns what the call returns
 * @throws what the body throws; KeptError `not-cached`
 */
export function refresh<const T extends Target>(target: T, ...args: ArgumentsOf<T>): ResultOf<T>;
export function refresh(target: Target, ...args: unknown[]): unknown {
  const aim = find("refresh", target);
  if (aim === undefined || aim.fn === undefined) return callPlain("refresh", target, args);
  return divert(aim.site, aim.fn, aim.self, args, (found) => {
    const shelf = shelfOf(aim.site);
    const start = (key: Key) => launch({ ...found, shelf, base: found.key, key } satisfies Call, "refresh");
    const path = aim.site.spec.allowInputs ? pathOf(shelf, found.key) : found.key;
    return isThenable(path) ? path.then(start) : start(path);
  });
}

/** True if the call would be served fresh without running. Counts as no use. */
export function has<const T extends Target>(target: T, ...args: ArgumentsOf<T>): boolean;
export function has(target: Target, ...args: unknown[]): boolean {
  return look("has", target, args) !== undefined;
}

/**
 * What the call would be served, fresh, without running: a private copy of `data`, the object itself of a `resource`, and
 * `undefined` if there is nothing. Counts as no use, checks nothing and plays nothing: for tests and tools.
 */
export function peek<const T extends Target>(target: T, ...args: ArgumentsOf<T>): Awaited<ResultOf<T>> | undefined;
export function peek(target: Target, ...args: unknown[]): unknown {
  const entry = look("peek", target, args);
  return entry?.keeper === undefined ? entry?.value : entry.keeper.give();
}

function look(api: string, target: Target, args: readonly unknown[]): Entry | undefined {
  const aim = find(api, target);
  if (aim === undefined) return undefined;
  const { key } = keyOfCall(api, aim, args);
  const shelf = shelfOf(aim.site);
  const path = aim.site.spec.allowInputs ? pathOf(shelf, key) : key;
  // Inputs that must be waited for: whatever they give, there is an entry or there is none.
  const entry = isThenable(path) ? entriesUnder(shelf, key)[0] : (shelf.entries.get(path) ?? stored(shelf, path));
  return entry !== undefined && lifeOf(entry, now()) === "fresh" ? entry : undefined;
}

/** What a store has of it, where one need not wait for that. */
function stored(shelf: Shelf, key: Key): Entry | undefined {
  const found = shelf.site.persisted ? restore(shelf, key) : undefined;
  return isThenable(found) ? undefined : found;
}

/** @returns nothing if no code here was compiled, so that a program without the plugin goes on as it would without us */
function find(api: string, target: Target): Aim | undefined {
  if (typeof target === "string") {
    const site = sites.get(target);
    return site === undefined ? undefined : { site, fn: selfOf(site) as Callable | undefined, self: undefined };
  }
  const [self, method] = Array.isArray(target) ? target : [undefined, target];
  const fn = typeof method === "function" ? method : (self as Record<PropertyKey, unknown>)?.[method];
  const site = siteOf(fn);
  if (site !== undefined) return { site, fn: fn as Callable, self };
  if (sites.size === 0 && typeof fn === "function") return undefined;
  throw notCached(api, fn ?? target);
}

function keyOfCall(api: string, { site, fn, self }: Aim, args: readonly unknown[]): Found {
  if (fn === undefined) throw notCached(api, site.id);
  return probe(api, site, fn, self, args);
}

function callPlain(api: string, target: Target, args: readonly unknown[]): unknown {
  const [self, method] = Array.isArray(target) ? target : [undefined, target];
  const fn = typeof method === "function" ? method : (self as Record<PropertyKey, unknown>)?.[method];
  if (typeof fn !== "function") throw notCached(api, target);
  return Reflect.apply(fn, self, args);
}

function shelvesOf(site: Site): readonly Shelf[] {
  const own = site.spec.scope === "session" ? sessionShelf(site) : site.shelf;
  const others = own === undefined || wasTaken(site.id);
  const found = others ? [...usedShelves()].filter((shelf) => shelf !== own && isOf(shelf, site, own)) : [];
  return own === undefined ? found : [own, ...found];
}

/** True for each session's shelf of a site, and for those of the code that had its id before. */
function isOf(shelf: Shelf, site: Site, own: Shelf | undefined): boolean {
  return shelf.site === site ? own === undefined : shelf.site.id === site.id && site === sites.get(site.id);
}

function entriesFor(shelf: Shelf, base: Key): readonly Entry[] {
  if (shelf.site.spec.allowInputs) return entriesUnder(shelf, base);
  const entry = shelf.entries.get(base);
  return entry === undefined ? [] : [entry];
}

function releaseOrphans(which: (orphan: typeof orphans extends Set<infer O> ? O : never) => boolean): void {
  for (const orphan of orphans) {
    if (!which(orphan)) continue;
    orphans.delete(orphan);
    release(orphan.site, orphan.value, "unkept");
  }
}

function tell(scope: ClearEvent["scope"], of: string | undefined, entries: number): void {
  if (hears("clear")) publish({ type: "clear", scope, entries, ...(of === undefined ? {} : { of }) });
}
