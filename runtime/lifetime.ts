/** How long an entry stays: `ttl`, `staleFor`, `maxEntries`, `maxBytes`. The one way in, and the one way out. */
import { now, onConfigure, settings } from "./config.ts";
import type { Entry, Shelf } from "./entry.ts";
import { type DropReason, type EvictEvent, fault, hears, publish } from "./events.ts";
import { reap, reapAll, reschedule, scheduleEnd, unscheduleEnd } from "./expiry.ts";
import { keyText } from "./key.ts";
import { release, retain } from "./resource.ts";
import { runs } from "./run.ts";
import { shared } from "./shared.ts";
import { tagEntry, untagEntry } from "./tags.ts";

/** All shelves with entries, and what the `data` among them takes. */
const memory = shared("memory", () => ({ shelves: new Set<Shelf>(), bytes: 0, uses: 0, births: 0 }));

export type Life = "fresh" | "stale" | "over";

/** `ttl` counts from the write; over at `at >= write + ttl`. */
export function lifeOf(entry: Entry, at: number): Life {
  if (at < entry.expires) return "fresh";
  return at < entry.until ? "stale" : "over";
}

/**
 * Puts an entry on its shelf, in place of an earlier one of its key, and makes the room that it needs: what is over goes
 * before what is live, and the least recently used of that first.
 *
 * @returns false if the entry alone is larger than all of memory may be
 */
export function put(entry: Entry): boolean {
  const { shelf } = entry;
  const counted = shelf.site.kind === "data";
  const earlier = shelf.entries.get(entry.key);
  if (counted && entry.bytes > settings.maxBytes) {
    fault("too-large", undefined, shelf.site.id);
    if (earlier !== undefined) drop(earlier, "replace");
    return false;
  }
  if (!counted) retain(shelf.site, entry.value);
  if (earlier !== undefined) remove(earlier, "replace");
  entry.live = true;
  entry.born = ++memory.births;
  bind(shelf);
  shelf.entries.set(entry.key, entry);
  entry.trail?.leaf?.attach();
  if (shelf.bounded) append(entry);
  if (entry.until !== Number.POSITIVE_INFINITY) scheduleEnd(entry, expire);
  if (entry.tags !== undefined) tagEntry(entry, entry.tags);
  shelf.bytes += entry.bytes;
  if (counted) memory.bytes += entry.bytes;
  memory.shelves.add(shelf);
  if (earlier !== undefined) part(earlier, "replace");
  makeRoom(shelf);
  return true;
}

/** Takes an entry off its shelf, and releases it if it is a resource. */
export function drop(entry: Entry, reason: DropReason, bound?: EvictEvent["reason"]): void {
  if (!entry.live) return;
  remove(entry, reason);
  part(entry, reason, bound);
}

function remove(entry: Entry, reason: DropReason): void {
  const { shelf, key } = entry;
  const { counts, kind } = shelf.site;
  entry.live = false;
  shelf.entries.delete(key);
  if (shelf.bounded) unlink(entry);
  if (entry.place !== -1) unscheduleEnd(entry);
  if (entry.tags !== undefined) untagEntry(entry, entry.tags);
  entry.trail?.leaf?.prune();
  shelf.bytes -= entry.bytes;
  if (kind === "data") memory.bytes -= entry.bytes;
  if (shelf.entries.size === 0) memory.shelves.delete(shelf);
  counts.hits += entry.hits;
  counts.saved += entry.hits * entry.cost;
  if (reason === "evict") counts.evictions++;
  if (reason === "expire") counts.expirations++;
  // What a refresh brings is not to bring back what had to go.
  if (reason === "evict" && entry.refreshing) shelf.flightOf(key)?.clear();
}

/** Code of the user may run here (listeners, `onRelease`), so the shelf is in order before. */
function part(entry: Entry, reason: DropReason, bound: EvictEvent["reason"] = "maxEntries"): void {
  const { site } = entry.shelf;
  if (reason === "evict" && hears("evict")) publish({ type: "evict", ...entryNames(entry), reason: bound });
  if (reason === "expire" && hears("expire")) publish({ type: "expire", ...entryNames(entry) });
  if (site.kind === "resource") release(site, entry.value, reason, entry);
}

/** What names an entry in an event. */
export function entryNames(entry: { readonly shelf: Shelf; readonly key: Entry["key"] }) {
  const { site, session } = entry.shelf;
  const names = { site: site.id, kind: site.kind, key: keyText(entry.key) };
  return session === undefined ? names : { ...names, session };
}

/** Makes an entry the most recently used one. Only where a bound makes that matter. */
export function touch(entry: Entry): void {
  if (entry.shelf.newest === entry) {
    entry.used = ++memory.uses;
    return;
  }
  unlink(entry);
  append(entry);
}

/** Clears a shelf: its entries go, and what its runs will bring is not kept. @returns how many entries there were */
export function empty(shelf: Shelf): number {
  for (const flight of shelf.runs()) flight.clear();
  const entries = [...shelf.entries.values()];
  for (const entry of entries) drop(entry, "clear");
  return entries.length;
}

/** Every shelf on which there is an entry or for which a body runs. */
export function usedShelves(): ReadonlySet<Shelf> {
  return new Set([...memory.shelves, ...[...runs()].map((run) => run.shelf)]);
}

const expire = (entry: Entry): void => drop(entry, "expire");

function makeRoom(shelf: Shelf): void {
  const most = shelf.site.spec.maxEntries;
  if (most !== undefined && shelf.entries.size > most) {
    reap(shelf, now(), expire);
    while (shelf.entries.size > most) drop(shelf.oldest as Entry, "evict", "maxEntries");
  }
  if (memory.bytes > settings.maxBytes) makeRoomInMemory();
}

function makeRoomInMemory(): void {
  reapAll(now(), expire);
  while (memory.bytes > settings.maxBytes) {
    let least: Entry | undefined;
    for (const { site, oldest } of memory.shelves) {
      if (site.kind === "data" && oldest !== undefined && !(least !== undefined && least.used <= oldest.used)) {
        least = oldest;
      }
    }
    if (least === undefined) return;
    drop(least, "evict", "maxBytes");
  }
}

onConfigure(() => {
  reschedule(expire);
  for (const shelf of memory.shelves) bind(shelf);
  if (memory.bytes > settings.maxBytes) makeRoomInMemory();
});

/**
 * The order of use is kept only where a bound makes it matter: a million entries in one chain are a million steps for the
 * collector, one after another. Once there is a bound, the order of writes is where it begins.
 */
function bind(shelf: Shelf): void {
  if (shelf.bounded || settings.maxBytes === Number.POSITIVE_INFINITY) return;
  shelf.bounded = true;
  for (const entry of shelf.entries.values()) append(entry);
}

function append(entry: Entry): void {
  const { shelf } = entry;
  entry.used = ++memory.uses;
  entry.older = shelf.newest;
  if (shelf.newest === undefined) shelf.oldest = entry;
  else shelf.newest.newer = entry;
  shelf.newest = entry;
}

function unlink(entry: Entry): void {
  const { shelf, older, newer } = entry;
  if (older === undefined) shelf.oldest = newer;
  else older.newer = newer;
  if (newer === undefined) shelf.newest = older;
  else newer.older = older;
  entry.older = undefined;
  entry.newer = undefined;
}
