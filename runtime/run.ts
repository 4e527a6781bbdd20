/**
 * Which cached function is running: what nested calls, tags, effects and inputs belong to. One mechanism for all of them.
 *
 * A body that is not `async` runs under a variable; an `async` one under an AsyncLocalStorage, which is entered on a miss
 * only and asked only while some body runs. Where the host has none, an `async` body is followed up to its first
 * `await`: nested calls made later are ordinary calls, and recursion on one key past an `await` hangs as it would by hand.
 */
import type { Shelf } from "./entry.ts";
import type { InputRead } from "./inputs.ts";
import type { Key } from "./key.ts";
import { type AsyncLocalStorage, asyncContext, contextsAreDear } from "./platform.ts";
import { unprobed } from "./probe.ts";
import type { Recorded } from "./replay.ts";
import { shared } from "./shared.ts";

/** A body that is running. What its parts contribute to the entry is gathered here. */
export class Run {
  readonly shelf: Shelf;
  readonly key: Key;
  /** What the key is made of, for messages. */
  slots: readonly unknown[];
  readonly parent: Run | undefined;
  /** True if nobody waits for it: a refresh behind a stale hit. */
  readonly behind: boolean;
  /** When it began, in {@link tracker}'s ticks. */
  readonly tick: number;
  done = false;
  /** When the first of the entries ends that it was made of. */
  expires = Number.POSITIVE_INFINITY;
  /** The least that `cacheTtl` said, in ms. */
  ttl = Number.POSITIVE_INFINITY;
  tags: Set<string> | undefined = undefined;
  effects: Recorded[] | undefined = undefined;
  inputs: InputRead[] | undefined = undefined;
  /** `async` runs that must end before it can: those it has started, and those it has joined. Of `async` runs only. */
  waitsFor: Set<Run> | undefined = undefined;
  /** Neighbours among all that run, in the order in which they began. */
  before: Run | undefined;
  after: Run | undefined = undefined;

  constructor(shelf: Shelf, key: Key, slots: readonly unknown[], parent: Run | undefined, behind: boolean) {
    this.shelf = shelf;
    this.key = key;
    this.slots = slots;
    this.parent = parent;
    this.behind = behind;
    this.tick = tracker.ticks;
    this.before = tracker.last;
    if (tracker.last === undefined) tracker.first = this;
    else tracker.last.after = this;
    tracker.last = this;
    tracker.running++;
    if (parent !== undefined && shelf.site.spec.async) waitFor(parent, this);
  }
}

export const tracker = shared("runs", () => ({
  running: 0,
  /** The ends of the list of all that run. */
  first: undefined as Run | undefined,
  last: undefined as Run | undefined,
  /** The innermost body that is not `async` and is on the stack. */
  sync: undefined as Run | undefined,
  context: asyncContext<Run | undefined>() as AsyncLocalStorage<Run | undefined> | undefined,
  /** Counts what a run may not outlive, such as a cleared tag. */
  ticks: 0,
}));

/** All bodies that are running, the first to have begun first. */
export function* runs(): Iterable<Run> {
  for (let run = tracker.first; run !== undefined; run = run.after) yield run;
}

/** What is not `async` waits for nobody: it stands for the `async` body that has called it. */
export function waiting(run: Run | undefined): Run | undefined {
  let each = run;
  while (each !== undefined && !each.shelf.site.spec.async) each = each.parent;
  return each;
}

/** `run` can't end before `other` has. */
export function waitFor(run: Run | undefined, other: Run): void {
  const waiter = waiting(run);
  if (waiter !== undefined) (waiter.waitsFor ??= new Set()).add(other);
}

export function stopWaiting(run: Run | undefined, other: Run): void {
  waiting(run)?.waitsFor?.delete(other);
}

/** The innermost cached function that is running around this call. */
export function currentRun(): Run | undefined {
  if (tracker.running === 0) return undefined;
  let run = tracker.sync ?? tracker.context?.getStore();
  // What a body has left behind goes on after it, and belongs to the function around it.
  while (run?.done) run = run.parent;
  return run;
}

/** Runs a body that is not `async`. */
export function within<R>(run: Run, body: () => R): R {
  const outer = tracker.sync;
  tracker.sync = run;
  try {
    return unprobed(body);
  } finally {
    tracker.sync = outer;
  }
}

/** Starts an `async` body. */
export function withinAsync<R>(run: Run, body: () => R): R {
  const { context, sync } = tracker;
  tracker.sync = context === undefined ? run : undefined;
  try {
    return unprobed(() => (context === undefined ? body() : context.run(run, body)));
  } finally {
    tracker.sync = sync;
  }
}

/** Runs code of the user that is not part of any cached function's result. */
export function outsideRuns<R>(body: () => R): R {
  if (tracker.running === 0) return unprobed(body);
  const { context, sync } = tracker;
  tracker.sync = undefined;
  try {
    return unprobed(() => (context === undefined ? body() : context.run(undefined, body)));
  } finally {
    tracker.sync = sync;
  }
}

export function endRun(run: Run): void {
  const { before, after } = run;
  run.done = true;
  if (before === undefined) tracker.first = after;
  else before.after = after;
  if (after === undefined) tracker.last = before;
  else after.before = before;
  run.before = undefined;
  run.after = undefined;
  if (run.parent !== undefined && run.shelf.site.spec.async) stopWaiting(run.parent, run);
  if (--tracker.running === 0 && contextsAreDear) tracker.context?.disable?.();
}

/** What a run was made of ends at `expires` and has these tags; so does the run's own result. */
export function takeOver(run: Run | undefined, expires: number, tags: Iterable<string> | undefined): void {
  if (run === undefined) return;
  if (expires < run.expires) run.expires = expires;
  if (tags !== undefined) for (const tag of tags) (run.tags ??= new Set()).add(tag);
}
