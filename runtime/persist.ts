/**
 * Between the entries in memory and a store: what outlives the process. Memory always comes first. Whatever is wrong with
 * a store or with what it gives is a miss and a `fault`, never an exception and never a wrong value.
 */
import { backingFor, everyStore, flushBacking, hiddenTags, isSealed } from "./backing.ts";
import { now, wall } from "./config.ts";
import { adopt, type Keeper, keep } from "./copy.ts";
import { Entry, type Shelf, type Site } from "./entry.ts";
import { asyncStore } from "./errors.ts";
import { fault } from "./events.ts";
import { type Key, keyText } from "./key.ts";
import { Grant, limit, unlimit, Watch } from "./lease.ts";
import { drop, put } from "./lifetime.ts";
import { isKnown } from "./replay.ts";
import { shared } from "./shared.ts";
import { type Found, readEntry, readEntryFrom, writeEntry } from "./stores/bytes.ts";
import { Damage, Unstorable } from "./stores/codec.ts";
import { NoAnswer } from "./stores/guard.ts";
import { placeOf } from "./stores/missed.ts";
import { Forged } from "./stores/seal.ts";
import type { Changed, EntryName, Source, Store, Which } from "./stores/store.ts";
import { isThenable } from "./thenable.ts";
import { weigh } from "./weight.ts";

const state = shared("persist", () => ({
  /** Entries that are being asked for, of stores that don't answer at once. */
  asked: new Map<string, Promise<Entry | Grant | undefined>>(),
  /** Counts removals: what was read before one is not kept after it. */
  removals: 0,
  told: new Set<string>(),
}));

/**
 * What the store has for a key, put back into memory for the time that it has left.
 *
 * @returns the entry; nothing if there is none to be served; a promise of it from a store that is not synchronous
 * @throws KeptError `async-store` if the function can't wait for its store
 */
export function restore(shelf: Shelf, key: Key): Entry | undefined | Promise<Entry | undefined> {
  const store = storeOf(shelf.site);
  if (store === undefined) return undefined;
  const name = nameOf(shelf.site, key);
  if (!store.can.sync)
    return ask("look", shelf.site, name, store, (isReplaced) => look(store, shelf, key, name, isReplaced));
  try {
    const found = store.read === undefined ? (store.get(name) as Uint8Array | undefined) : store.read(name);
    if (found === undefined) return undefined;
    if (found instanceof Uint8Array) return revive(shelf, key, name, found);
    return reviveFrom(found, shelf, key, name);
  } catch (error) {
    spare(error, store, shelf.site, name);
    return undefined;
  }
}

/** What a store gave, or didn't, is a miss. Damage would be met again and again, so it goes. */
function spare(error: unknown, store: Store, site: Site, { site: id, key }: EntryName): void {
  if (!(error instanceof Damage)) {
    failed(error, site);
    return;
  }
  fault(error instanceof Forged ? "entry-forged" : "entry-damaged", error, id);
  attempt(site, () => store.remove({ site: id, key }));
}

/**
 * What {@link restore} gives, or else the right to compute it, where several processes share the store: then this one may
 * have waited for another.
 */
export function claim(shelf: Shelf, key: Key): Entry | Grant | undefined | Promise<Entry | Grant | undefined> {
  const { site } = shelf;
  if (!isLeased(site)) return restore(shelf, key);
  const store = storeOf(site) as Store;
  const name = nameOf(site, key);
  return ask("lease", site, name, store, (isReplaced) => lease(store, shelf, key, name, isReplaced));
}

/** True if a run has to ask first, because another process may be computing the same. */
export function isLeased(site: Site): boolean {
  return site.persisted && backingFor(site.spec.async === true).store?.can.lease === true;
}

/** The right to compute what there is already. @returns `busy` if another process does it; nothing if nobody can say */
export async function claimAnew(
  { site }: Shelf,
  key: Key,
  cause: "behind" | "refresh",
): Promise<Grant | "busy" | undefined> {
  try {
    const store = storeOf(site) as Store;
    const name = nameOf(site, key);
    const leased = await store.lease?.(name, cause);
    return leased?.token === undefined ? "busy" : new Grant(store, name, leased.token);
  } catch (error) {
    failed(error, site);
    return undefined;
  }
}

/** One question for all who ask at the same time. */
function ask<T extends Entry | Grant | undefined>(
  how: "look" | "lease",
  site: Site,
  name: EntryName,
  store: Store,
  question: (isReplaced: () => boolean) => Promise<T>,
): Promise<T> {
  const place = how + placeOf(name);
  const open = state.asked.get(place) as Promise<T> | undefined;
  if (open !== undefined) return open;
  let answer: Promise<T> | undefined;
  answer = (async () => {
    try {
      return await question(() => state.asked.get(place) !== answer);
    } catch (error) {
      spare(error, store, site, name);
      return undefined as T;
    } finally {
      if (state.asked.get(place) === answer) state.asked.delete(place);
    }
  })();
  state.asked.set(place, answer);
  return answer;
}

async function look(
  store: Store,
  shelf: Shelf,
  key: Key,
  name: EntryName,
  isReplaced: () => boolean,
): Promise<Entry | undefined> {
  const { removals } = state;
  const watch = store.can.watch ? new Watch(shelf, key) : undefined;
  const bytes = await store.get(name, watch?.changed);
  if (bytes === undefined || removals !== state.removals || watch?.over || isReplaced()) return undefined;
  return watched(revive(shelf, key, name, bytes), watch);
}

function watched(entry: Entry | undefined, watch: Watch | undefined): Entry | undefined {
  if (entry?.live) watch?.bind(entry);
  return entry;
}

/** Where what was found is not to be served, it is asked for again. */
const MOST_TRIES = 3;

async function lease(
  store: Store,
  shelf: Shelf,
  key: Key,
  name: EntryName,
  isReplaced: () => boolean,
): Promise<Entry | Grant | undefined> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const { removals } = state;
    const watch = store.can.watch ? new Watch(shelf, key) : undefined;
    const leased = await store.lease?.(name, "miss", watch?.changed);
    if (leased === undefined) return undefined;
    const isOutdated = removals !== state.removals || isReplaced();
    if (leased.token !== undefined) {
      const grant = new Grant(store, name, leased.token);
      if (!isOutdated || tries === MOST_TRIES) return grant;
      grant.release();
    } else if (!isOutdated && !watch?.over) {
      try {
        const entry = watched(revive(shelf, key, name, leased.bytes), watch);
        if (entry !== undefined) return entry;
      } catch (error) {
        spare(error, store, shelf.site, name);
        if (error instanceof Damage) continue;
      }
      // It is there, and of no use here.
      const anew = await claimAnew(shelf, key, "behind");
      return anew === "busy" ? undefined : anew;
    }
  }
  return undefined;
}

/** @throws Damage */
function revive(shelf: Shelf, key: Key, name: EntryName, bytes: Uint8Array): Entry | undefined {
  const within = inside(name);
  const stored = readEntry(bytes, within);
  const { site } = shelf;
  const keeper = site.spec.copy === "freeze" ? undefined : new Read(stored, within, bytes, site);
  const entry = entryOf(shelf, key, stored, keeper ?? keep(stored.value, "freeze", site).keeper);
  if (entry !== undefined) put(entry);
  return entry;
}

/**
 * The same for what is large. The first caller gets the very value that was read, and memory keeps nothing: most programs
 * ask once, and would otherwise hold it twice. When it is asked for again it is read again, and kept.
 *
 * @throws Damage
 */
function reviveFrom(source: Source, shelf: Shelf, key: Key, name: EntryName): Entry | undefined {
  let stored: Found;
  try {
    stored = readEntryFrom(source, inside(name));
  } finally {
    source.close();
  }
  const { site } = shelf;
  const { value, isTree } = stored;
  if (site.spec.copy !== "freeze" && isAskedFirst(shelf, key)) {
    const entry = entryOf(shelf, key, stored, { value, bytes: source.length, give: () => value });
    // One that is stale is to be replaced: so it has to be there.
    if (entry === undefined || entry.expires > now()) return entry;
  }
  const keeper =
    site.spec.copy === "freeze" ? keep(value, "freeze", site).keeper : adopt(value, site, source.length, isTree);
  const entry = entryOf(shelf, key, stored, keeper);
  if (entry !== undefined) put(entry);
  return entry;
}

/** Which large ones were read once, since memory was last empty. */
let asked = new WeakMap<Shelf, Set<Key>>();
const MOST_ASKED = 10_000;

function isAskedFirst(shelf: Shelf, key: Key): boolean {
  const keys = asked.get(shelf) ?? new Set();
  if (keys.has(key)) return false;
  if (keys.size >= MOST_ASKED) keys.clear();
  asked.set(shelf, keys.add(key));
  return true;
}

/** The entry for the time that it has left; nothing if that is over, or if this program can't serve it. */
function entryOf(shelf: Shelf, key: Key, stored: Found, keeper: Keeper): Entry | undefined {
  const { site } = shelf;
  const { replay, tags, value } = stored;
  // An effect that nobody here can cause again: as if there were no entry.
  if (replay?.some(({ element }) => !isKnown(element))) return undefined;
  const { spec } = site;
  const written = stored.began + stored.cost;
  // The function may have a shorter `ttl` by now. And no clock that was set back makes anything live longer.
  const end = Math.min(stored.expires, written + (spec.ttl ?? Number.POSITIVE_INFINITY));
  const left = end === Number.POSITIVE_INFINITY ? end : Math.min(end - wall(), end - written);
  const stale = spec.staleFor ?? 0;
  if (left + stale <= 0) return undefined;
  const expires = now() + left;
  return new Entry({
    shelf,
    key,
    leaf: undefined,
    value: undefined,
    keeper,
    bytes: weigh(site, key, value, keeper),
    expires,
    until: expires + stale,
    cost: stored.cost,
    tags: tags.length === 0 ? undefined : tags,
    replay: replay?.map(({ element, args }) => ({ element, args: keep(args, "copy", site).keeper })),
  });
}

/**
 * What was read from a store. The caller for whom it was read gets that very value; most entries of a short program are
 * never asked for again, and so cost no copy. For a second caller it is read from the bytes once more.
 */
class Read implements Keeper {
  readonly bytes: number;
  private readonly site: Site;
  /** The entry as it was stored; kept as long as it may be read again. */
  private stored: Uint8Array | undefined;
  private readonly name: EntryName;
  private first: Found | undefined;
  private kept: Keeper | undefined = undefined;

  constructor(found: Found, name: EntryName, bytes: Uint8Array, site: Site) {
    this.bytes = bytes.length;
    this.site = site;
    this.first = found;
    this.name = name;
    // A registered type may be gone when it is read again.
    this.stored = found.isPlain ? bytes : undefined;
  }

  give(): unknown {
    const { first } = this;
    if (first !== undefined && this.stored !== undefined) {
      this.first = undefined;
      return first.value;
    }
    return this.keeper().give();
  }

  get value(): unknown {
    return this.keeper().value;
  }

  private keeper(): Keeper {
    if (this.kept === undefined) {
      const { value, isTree } = this.first ?? readEntry(this.stored as Uint8Array, this.name);
      this.kept = adopt(value, this.site, this.bytes, isTree);
      this.stored = undefined;
      this.first = undefined;
    }
    return this.kept;
  }
}

/** Writes down an entry that was made just now; where processes share the store, as the result of a run that was granted. */
export function save(entry: Entry, grant?: Grant): void {
  const { shelf, cost, tags, replay, keeper } = entry;
  const { site } = shelf;
  const store = storeOf(site);
  if (store === undefined) return;
  const name = nameOf(site, entry.key);
  // What is being read is older.
  for (const how of ["look", "lease"]) state.asked.delete(how + placeOf(name));
  // Nobody can say whether it was cleared elsewhere while it was made.
  if (store.can.lease && grant === undefined) {
    limit(entry, store);
    return;
  }
  const at = wall();
  const left = entry.expires - now();
  const began = at - cost;
  const until = at + left + (site.spec.staleFor ?? 0);
  try {
    const value = keeper === undefined ? entry.value : keeper.value;
    const effects = replay?.map(({ element, args }) => ({ element, args: args.value }));
    const written = hiddenTags(tags ?? []);
    const pieces = writeEntry({
      ...inside(name),
      began,
      cost,
      expires: at + left,
      until,
      tags: written,
      value,
      replay: effects,
    });
    const { maxEntries } = site.spec;
    const about = { began, until, tags: written, maxEntries };
    if (!store.can.lease && !store.can.watch) attempt(site, () => store.set(name, pieces, about));
    else void share(entry, store, (changed) => store.set(name, pieces, { ...about, token: grant?.spend() }, changed));
  } catch (error) {
    // A user's `encode` may throw; what it leaves unwritten stays in memory.
    fault(error instanceof Unstorable ? "unstorable" : "store-failed", error, site.id);
    attempt(site, () => store.remove({ site: name.site, key: name.key }));
  }
}

/** Gives an entry to a store that others write to. If it is refused, or nobody knows, memory lets go of it, too. */
async function share(entry: Entry, store: Store, set: (changed: Changed) => unknown): Promise<void> {
  const watch = new Watch(entry.shelf, entry.key);
  if (entry.live) watch.bind(entry);
  limit(entry, store);
  try {
    const kept = await set(watch.changed);
    if (kept === false) drop(entry, "invalid");
    if (kept === true) unlimit(entry);
  } catch (error) {
    failed(error, entry.shelf.site);
  }
}

/** Removes from the store what was cleared. */
export function forget(which: Which): void {
  state.removals++;
  const store = everyStore();
  if (store !== undefined) attempt(undefined, () => store.remove(which));
}

/** Done when everything that was kept would survive the end of the process. */
export async function flushed(): Promise<void> {
  asked = new WeakMap();
  try {
    await flushBacking();
  } catch (error) {
    failed(error, undefined);
  }
}

function storeOf(site: Site): Store | undefined {
  if (!site.persisted) {
    tellOnce("unpersisted", site);
    return undefined;
  }
  const { store, waits } = backingFor(site.spec.async === true);
  if (waits !== undefined) throw asyncStore(site.id, waits);
  if (store === undefined) tellOnce("no-store", site);
  return store;
}

function tellOnce(code: "unpersisted" | "no-store", { id }: Site): void {
  if (state.told.has(`${code} ${id}`)) return;
  state.told.add(`${code} ${id}`);
  fault(code, undefined, id);
}

function nameOf(site: Site, key: Key): EntryName {
  return { site: site.id, code: site.spec.code, key: keyText(key) };
}

const NAMELESS: EntryName = { site: "", code: "", key: "" };

/** The name that stands in an entry's bytes. */
function inside(name: EntryName): EntryName {
  return isSealed() ? NAMELESS : name;
}

function attempt(site: Site | undefined, act: () => unknown): void {
  try {
    const done = act();
    if (isThenable(done)) Promise.resolve(done).catch((error) => failed(error, site));
  } catch (error) {
    failed(error, site);
  }
}

function failed(error: unknown, site: Site | undefined): void {
  if (!(error instanceof NoAnswer)) fault("store-failed", error, site?.id);
}
