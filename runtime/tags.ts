/** Tags: entries that are to go together, named in the options or found out during the run. */
import type { Entry } from "./entry.ts";
import { currentRun, takeOver, tracker } from "./run.ts";
import { shared } from "./shared.ts";

const tagged = shared("tags", () => ({
  entries: new Map<string, Set<Entry>>(),
  /** When a tag was last cleared (in ticks), as long as a run goes on that began before. In order of that. */
  cleared: new Map<string, number>(),
}));

/**
 * Gives the result that is being computed these tags, besides those of its options: `clearTag` will drop it. A cached
 * function that uses the result gets the tags, too, for what it keeps is made of it. Outside of a cached function it does
 * nothing.
 */
export function cacheTag(...tags: readonly string[]): void {
  takeOver(currentRun(), Number.POSITIVE_INFINITY, tags);
}

export function tagEntry(entry: Entry, tags: Iterable<string>): void {
  for (const tag of tags) {
    const entries = tagged.entries.get(tag);
    if (entries === undefined) tagged.entries.set(tag, new Set([entry]));
    else entries.add(entry);
  }
}

export function untagEntry(entry: Entry, tags: Iterable<string>): void {
  for (const tag of tags) {
    const entries = tagged.entries.get(tag);
    entries?.delete(entry);
    if (entries?.size === 0) tagged.entries.delete(tag);
  }
}

/** @returns the entries to be dropped. Runs that began before and will have the tag are not going to be kept. */
export function beginClearing(tag: string): readonly Entry[] {
  tracker.ticks++;
  const oldest = tracker.first;
  for (const [old, at] of tagged.cleared) {
    if (oldest !== undefined && at > oldest.tick) break;
    tagged.cleared.delete(old);
  }
  tagged.cleared.delete(tag);
  if (oldest !== undefined) tagged.cleared.set(tag, tracker.ticks);
  return [...(tagged.entries.get(tag) ?? [])];
}

/** True if one of the tags was cleared since. */
export function wasCleared(tags: Iterable<string>, since: number): boolean {
  if (tagged.cleared.size === 0) return false;
  for (const tag of tags) if ((tagged.cleared.get(tag) ?? Number.NEGATIVE_INFINITY) > since) return true;
  return false;
}
