/**
 * A run in progress, and who waits for it. Callers of one key share one run and one failure. A run that began before a
 * clear is handed to the caller that started it, and not kept; those who joined it get what is computed after the clear.
 */
import type { Call } from "./call.ts";
import { now } from "./config.ts";
import { type Keeper, keep } from "./copy.ts";
import { Entry, type Shelf, type Site } from "./entry.ts";
import { CacheCycleError, functionName, generatorResult, promiseFromSync } from "./errors.ts";
import { fault, hears, publish } from "./events.ts";
import { plant } from "./inputs.ts";
import type { Key } from "./key.ts";
import type { Grant } from "./lease.ts";
import { entryNames, put } from "./lifetime.ts";
import { claimAnew, isLeased, save } from "./persist.ts";
import { release } from "./resource.ts";
import { currentRun, endRun, Run, stopWaiting, takeOver, waitFor, waiting, within, withinAsync } from "./run.ts";
import { shared } from "./shared.ts";
import { wasCleared } from "./tags.ts";
import { isThenable } from "./thenable.ts";
import { weigh } from "./weight.ts";

/** Why a body runs: nobody has the result; the program wants it anew; a stale one was served. */
export type Cause = "miss" | "refresh" | "behind";

/** A run, as those see it who wait for its result. */
export class Flight extends Run {
  readonly base: Key;
  readonly cause: Cause;
  /** ms on our clock. */
  readonly since: number;
  captures: Call["captures"];
  /** True if its result must not be kept. */
  cleared = false;
  /** `async` sites: settles as the run does. */
  promise: Promise<unknown> | undefined = undefined;
  /** Sites that are not `async`: the run of the same site around it. */
  below: Flight | undefined = undefined;
  /** The right to compute, where processes share the store. */
  grant: Grant | undefined = undefined;
  /** For those who have joined. */
  landing: Landing | undefined = undefined;
  /** False if its shelf was closed when it began: then nobody but its caller will ever know of the result. */
  readonly shelved: boolean;

  constructor(call: Call, parent: Run | undefined, cause: Cause) {
    super(call.shelf, call.key, call.slots, parent, cause === "behind");
    this.base = call.base;
    this.cause = cause;
    this.captures = call.captures;
    this.shelved = !call.shelf.closed;
    this.since = now();
  }

  /** What it brings will be handed to its caller, and not kept. */
  clear(): void {
    this.cleared = true;
    if (this.shelf.flights.get(this.key) === this) this.shelf.flights.delete(this.key);
  }
}

/** What became of a run. Apart from the run, which may be held for long by what its body has left behind. */
interface Landing {
  /** What was made of the result; absent if it was cleared or has failed. */
  entry: Entry | undefined;
  cleared: boolean;
}

/** A resource of a cleared run. Its caller uses it, so it is released with the next clear, and not with the one before. */
export interface Orphan {
  readonly site: Site;
  readonly base: Key;
  readonly session: string | undefined;
  readonly value: unknown;
}
export const orphans: Set<Orphan> = shared("orphans", () => new Set());

/**
 * Runs the body and keeps what it gives.
 *
 * @returns what the caller gets; for an `async` site, a promise of it
 */
export function launch(call: Call, cause: Cause, grant?: Grant): unknown {
  const { shelf, key } = call;
  const { counts, spec } = shelf.site;
  const parent = cause === "behind" ? undefined : currentRun();
  if (cause === "refresh") {
    assertNotWithin(parent, call);
    shelf.flightOf(key)?.clear();
  }
  const flight = new Flight(call, parent, cause);
  if (cause === "miss") counts.misses++;
  if (!spec.async) return fly(flight, call.run);
  shelf.flights.set(key, flight);
  const tellEnd = cause === "miss" && hears("miss") ? tellMiss(flight) : undefined;
  flight.grant = grant?.take();
  flight.promise =
    cause === "refresh" && isLeased(shelf.site) ? flyGranted(flight, call.run) : flyAsync(flight, call.run);
  if (tellEnd !== undefined) flight.promise.then(tellEnd, tellEnd);
  return flight.promise;
}

function fly(flight: Flight, body: () => unknown): unknown {
  const { shelf, cause } = flight;
  flight.below = shelf.stack;
  shelf.stack = flight;
  let value: unknown;
  try {
    if (cause === "miss" && hears("miss")) tellMiss(flight);
    value = within(flight, body);
    if (isThenable(value)) throw promiseFromSync(shelf.site.id);
  } catch (error) {
    crash(flight);
    throw error;
  } finally {
    shelf.stack = flight.below;
  }
  return land(flight, value);
}

/** A run that is wanted anew does not wait for others, but they must know of it. */
async function flyGranted(flight: Flight, body: () => unknown): Promise<unknown> {
  const grant = await claimAnew(flight.shelf, flight.key, "refresh");
  if (grant !== "busy") flight.grant = grant?.take();
  return flyAsync(flight, body);
}

function flyAsync(flight: Flight, body: () => unknown): Promise<unknown> {
  let promise: unknown;
  try {
    promise = withinAsync(flight, body);
  } catch (error) {
    promise = Promise.reject(error);
  }
  return Promise.resolve(promise).then(
    (value) => land(flight, value),
    (error) => {
      crash(flight);
      throw error;
    },
  );
}

/** Waits for a run that someone else has started. `again` makes the call anew where its result is not for us. */
export function join(
  flight: Flight,
  call: Call,
  again: (call: Call) => unknown,
  hand: (entry: Entry) => unknown,
): unknown {
  const run = currentRun();
  assertNoCycle(flight, run);
  const { counts, kind, spec } = flight.shelf.site;
  counts.joins++;
  if (run !== undefined) waitFor(run, flight);
  const landing = (flight.landing ??= { entry: undefined, cleared: false });
  return (flight.promise as Promise<unknown>).then(
    () => {
      if (run !== undefined) stopWaiting(run, flight);
      const { entry } = landing;
      const gone = entry === undefined || (kind === "resource" && !entry.live && entry.born !== 0);
      return gone || spec.allowInputs ? again(call) : hand(entry);
    },
    (error: unknown) => {
      if (run !== undefined) stopWaiting(run, flight);
      if (landing.cleared) return again(call);
      // The caller that started the run gave it up: that is nothing to those who only joined. (Unless it goes on and on.)
      const { gaveUp = 0 } = call;
      if (isAbort(error) && gaveUp < MOST_ABORTS) return again({ ...call, gaveUp: gaveUp + 1 });
      throw error;
    },
  );
}

/** True if a tag was cleared that the result will have: later callers must not wait for it. */
export function isOutdated({ shelf, tags, tick }: Flight): boolean {
  const { spec } = shelf.site;
  return (spec.tags !== undefined && wasCleared(spec.tags, tick)) || (tags !== undefined && wasCleared(tags, tick));
}

/** Was a captured variable assigned during the run? Then the key tells of one value, and the body may have read another. */
function sawTwoValues({ captures, slots, shelf }: Flight): boolean {
  if (captures === undefined) return false;
  const then = slots.slice(-(shelf.site.spec.captured ?? 0));
  return captures().some((value, index) => !Object.is(value, then[index]));
}

/** The run has given `value`: make an entry of it, keep it, and hand the caller its own. */
function land(flight: Flight, value: unknown): unknown {
  try {
    return keepResult(flight, value);
  } finally {
    finish(flight);
  }
}

function keepResult(flight: Flight, value: unknown): unknown {
  const { shelf, parent } = flight;
  const { spec, kind } = shelf.site;
  const at = now();
  end(flight, at);
  if (isOutdated(flight) || shelf.closed || sawTwoValues(flight)) flight.cleared = true;
  if (spec.tags !== undefined) takeOver(flight, Number.POSITIVE_INFINITY, spec.tags);
  if (flight.cleared) {
    takeOver(parent, flight.expires, flight.tags);
    if (kind === "resource") orphan(flight, value);
    return value;
  }
  const { keeper, first } = keepValue(shelf.site, value);
  const expires = endOf(flight, at);
  if (parent !== undefined) takeOver(parent, expires, flight.tags);
  const leaf = spec.allowInputs ? plant(shelf, flight.base, flight.inputs ?? []) : undefined;
  const key = leaf === undefined ? flight.key : leaf.path;
  const entry = new Entry({
    shelf,
    key,
    value: keeper === undefined ? value : undefined,
    keeper,
    bytes: weigh(shelf.site, key, value, keeper),
    expires,
    cost: at - flight.since,
    until: expires + (spec.staleFor ?? 0),
    tags: flight.tags === undefined ? undefined : [...flight.tags],
    replay: flight.effects,
    leaf,
  });
  if (flight.landing !== undefined) flight.landing.entry = entry;
  // Over before it began: with a `ttl` of 0 every call is a miss. (And a call whose inputs are not known can't be found.)
  if (expires > at && (!spec.allowInputs || leaf !== undefined)) store(entry, at, flight.grant);
  return first;
}

/** @returns what gives each caller its own, if one object for all won't do */
function keepValue(site: Site, value: unknown): { readonly keeper?: Keeper; readonly first: unknown } {
  try {
    if (site.kind === "data")
      return isPrimitive(value) ? { first: value } : keep(value, site.spec.copy ?? "copy", site);
    if (isGenerator(value)) throw generatorResult(site.id);
    return { first: value };
  } catch (error) {
    site.counts.failures++;
    throw error;
  }
}

function store(entry: Entry, at: number, grant: Grant | undefined): void {
  const { shelf, key, expires, cost: took, bytes } = entry;
  const replaced = shelf.entries.has(key);
  const kept = put(entry);
  if (shelf.site.spec.persist !== undefined) save(entry, grant);
  if (shelf.site.spec.allowInputs) countVariants(shelf);
  if (!kept || !hears("store")) return;
  const freshFor = expires === Number.POSITIVE_INFINITY ? {} : { freshFor: expires - at };
  publish({ type: "store", ...entryNames(entry), took, bytes, replaced, ...freshFor });
}

const MANY_VARIANTS = 1000;

/** Says once that inputs make more and more entries of a function, which one would want to bound. */
function countVariants(shelf: Shelf): void {
  if (shelf.entries.size <= MANY_VARIANTS || shelf.hasManyVariants) return;
  shelf.hasManyVariants = true;
  fault("input-variants", undefined, shelf.site.id);
}

/** When the result will be no longer fresh: `ttl` and `cacheTtl`; where `ttl` is not set, also what it was made of. */
function endOf({ shelf, ttl, expires }: Flight, at: number): number {
  const own = shelf.site.spec.ttl;
  return own === undefined ? Math.min(at + ttl, expires) : at + Math.min(own, ttl);
}

function crash(flight: Flight): void {
  end(flight, now());
  flight.shelf.site.counts.failures++;
  // What it has used it has used, also where the caller catches the error.
  takeOver(flight.parent, flight.expires, flight.tags);
  finish(flight);
}

/**
 * Lets go of all that the run had. What its body has left behind (the sockets of a client, a timer) may hold the run for as
 * long as the process lives, since it was made in its context.
 */
function finish(flight: Flight): void {
  if (flight.landing !== undefined) flight.landing.cleared = flight.cleared;
  flight.grant?.release();
  flight.grant = undefined;
  flight.landing = undefined;
  flight.promise = undefined;
  flight.captures = undefined;
  flight.slots = NOTHING;
  flight.tags = undefined;
  flight.effects = undefined;
  flight.inputs = undefined;
  flight.waitsFor = undefined;
}
const NOTHING: readonly unknown[] = [];

function end(flight: Flight, at: number): void {
  const { shelf, key } = flight;
  endRun(flight);
  if (shelf.flights.get(key) === flight) shelf.flights.delete(key);
  shelf.site.counts.spent += at - flight.since;
}

function orphan(flight: Flight, value: unknown): void {
  const { site } = flight.shelf;
  if (flight.cause === "behind") release(site, value, "unkept");
  else if (flight.shelved) orphans.add({ site, base: flight.base, session: flight.shelf.session, value });
}

/** @returns for `async` sites, what is to be called when the run has ended */
function tellMiss(flight: Flight): (() => void) | undefined {
  const about = { type: "miss", ...entryNames(flight), outermost: flight.parent === undefined } as const;
  if (!flight.shelf.site.spec.async) {
    publish(about);
    return undefined;
  }
  let tell: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => (tell = resolve));
  publish({ ...about, ended });
  return tell;
}

/** A refresh inside of its own run would refresh without end. */
function assertNotWithin(inner: Run | undefined, { shelf, key }: Call): void {
  for (let run = inner; run !== undefined; run = run.parent) {
    if (run.shelf === shelf && Object.is(run.key, key)) throw cycle([...pathDown(inner as Run, run), run]);
  }
}

/** @throws CacheCycleError if the flight can't land before `run` does */
function assertNoCycle(flight: Flight, run: Run | undefined): void {
  for (let each = run; each !== undefined; each = each.parent) {
    if (each === flight) throw cycle([...pathDown(run as Run, each), flight]);
  }
  // It is on the stack, so the call comes from inside of it, by a way that we have not seen.
  if (flight.promise === undefined) throw cycle([flight, flight]);
  const waiter = waiting(run);
  const path = waiter === undefined ? undefined : pathTo(waiter, flight, new Set());
  if (path !== undefined) throw cycle([...path, ...pathDown(run as Run, waiter as Run).slice(1), flight]);
}

/** From `from` to `target`, along what each waits for. */
function pathTo(target: Run, from: Run, seen: Set<Run>): readonly Run[] | undefined {
  if (from === target) return [from];
  seen.add(from);
  for (const next of from.waitsFor ?? []) {
    const path = seen.has(next) ? undefined : pathTo(target, next, seen);
    if (path !== undefined) return [from, ...path];
  }
  return undefined;
}

/** From `top` down to `bottom`, along who has called whom. */
function pathDown(bottom: Run, top: Run): readonly Run[] {
  const path = [bottom];
  for (let run = bottom; run !== top && run.parent !== undefined; run = run.parent) path.unshift(run.parent);
  return path;
}

function cycle(runs: readonly Run[]): CacheCycleError {
  const say = ({ shelf, slots }: Run) => `${functionName(shelf.site.id)}(${slots.map(brief).join(", ")})`;
  return new CacheCycleError((runs[0] as Run).shelf.site.id, runs.map(say));
}

function brief(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 20 ? `${value.slice(0, 20)}…` : value);
  if (typeof value === "function") return value.name || "function";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "[…]" : "{…}";
}

/** How often a call begins anew because the caller that it had joined gave up. */
const MOST_ABORTS = 3;

function isAbort(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { name, code } = error as { name?: unknown; code?: unknown };
  return name === "AbortError" || code === "ABORT_ERR";
}

/** A symbol is none here: two callers would share its identity, and no store could keep it. */
function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

function isGenerator(value: unknown): boolean {
  const tag = typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : "";
  return tag === "[object Generator]" || tag === "[object AsyncGenerator]";
}
