/**
 * Ends of lifetimes: a heap for each shelf, and one quiet timer for all. What has ended frees its memory without waiting
 * for a call, and resources are released then.
 */
import { now } from "./config.ts";
import type { Entry, Shelf } from "./entry.ts";
import { outsideContexts, quietTimer, stopTimer, type Timer } from "./platform.ts";
import { shared } from "./shared.ts";

/** A timer is not set for less, so that entries which end one after another are dropped together. */
const SHORTEST_WAIT = 20;
/** Node's timers overflow above 2^31 - 1 ms (24.8 days), and then fire at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

const sweep = shared("expiry", () => ({
  /** Shelves that hold something that ends. */
  shelves: new Set<Shelf>(),
  timer: undefined as Timer | undefined,
  /** When the timer is due, on our clock. */
  at: Number.POSITIVE_INFINITY,
}));

/** From now on, `entry` will be given to `drop` when its time is over. */
export function scheduleEnd(entry: Entry, drop: (entry: Entry) => void): void {
  const { due } = entry.shelf;
  rise(due, entry, due.length);
  sweep.shelves.add(entry.shelf);
  if (entry.until < sweep.at) wake(entry.until, drop);
}

export function unscheduleEnd(entry: Entry): void {
  const { due } = entry.shelf;
  const { place } = entry;
  const last = due.pop() as Entry;
  entry.place = -1;
  if (last !== entry) {
    rise(due, last, place);
    sink(due, last, last.place);
  }
  if (due.length === 0) sweep.shelves.delete(entry.shelf);
}

/** Drops what is over on one shelf, the first to end first. */
export function reap(shelf: Shelf, at: number, drop: (entry: Entry) => void): void {
  for (let first = shelf.due[0]; first !== undefined && at >= first.until; first = shelf.due[0]) drop(first);
}

/** Drops what is over on all shelves. */
export function reapAll(at: number, drop: (entry: Entry) => void): void {
  for (const shelf of [...sweep.shelves]) reap(shelf, at, drop);
}

/** After a change of the clock: what was to come then comes at another time. */
export function reschedule(drop: (entry: Entry) => void): void {
  if (sweep.timer !== undefined) stopTimer(sweep.timer);
  sweep.timer = undefined;
  sweep.at = Number.POSITIVE_INFINITY;
  wakeForNext(drop);
}

function wakeForNext(drop: (entry: Entry) => void): void {
  let next = Number.POSITIVE_INFINITY;
  for (const { due } of sweep.shelves) next = Math.min(next, (due[0] as Entry).until);
  if (next < sweep.at) wake(next, drop);
}

function wake(at: number, drop: (entry: Entry) => void): void {
  if (sweep.timer !== undefined) stopTimer(sweep.timer);
  sweep.at = at;
  const wait = Math.min(Math.max(Math.ceil(at - now()), SHORTEST_WAIT), LONGEST_WAIT);
  sweep.timer = outsideContexts(() =>
    quietTimer(() => {
      sweep.timer = undefined;
      sweep.at = Number.POSITIVE_INFINITY;
      reapAll(now(), drop);
      wakeForNext(drop);
    }, wait),
  );
}

/** Sooner to end comes first; of two that end together, the one that was written first. */
function isBefore(a: Entry, b: Entry): boolean {
  return a.until < b.until || (a.until === b.until && a.born < b.born);
}

function rise(due: Entry[], entry: Entry, from: number): void {
  let place = from;
  while (place > 0) {
    const above = (place - 1) >> 1;
    const parent = due[above] as Entry;
    if (!isBefore(entry, parent)) break;
    due[place] = parent;
    parent.place = place;
    place = above;
  }
  due[place] = entry;
  entry.place = place;
}

function sink(due: Entry[], entry: Entry, from: number): void {
  let place = from;
  for (;;) {
    let below = 2 * place + 1;
    if (below >= due.length) break;
    if (below + 1 < due.length && isBefore(due[below + 1] as Entry, due[below] as Entry)) below++;
    const child = due[below] as Entry;
    if (!isBefore(child, entry)) break;
    due[place] = child;
    child.place = place;
    place = below;
  }
  due[place] = entry;
  entry.place = place;
}
