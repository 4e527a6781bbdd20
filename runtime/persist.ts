/**
 * Between the entries in memory and a store: what outlives the process. Memory always comes first. Whatever is wrong with
 * a store or with what it gives is a miss and a `fault`, never an exception and never a wrong value.
 */
import { now, onConfigure, settings } from "./config.ts";
import { adopt, type Keeper, keep } from "./copy.ts";
import { Entry, type Shelf, type Site } from "./entry.ts";
import { asyncStore } from "./errors.ts";
import { fault } from "./events.ts";
import { type Key, keyText } from "./key.ts";
import { put } from "./lifetime.ts";
import { isKnown } from "./replay.ts";
import { shared } from "./shared.ts";
import { type Found, readEntry, readEntryFrom, writeEntry } from "./stores/bytes.ts";
import { Damage, Unstorable } from "./stores/codec.ts";
import type { EntryName, Source, Store, Which } from "./stores/store.ts";
import { isThenable } from "./thenable.ts";
import { weigh } from "./weight.ts";

/** Makes the store that a host has without further ado. Set by stores/embedded.ts, which only Node's entries import. */
export type Embedded = (options: {
  readonly dir: string | undefined;
  readonly maxBytes: number | undefined;
  readonly onFault: (error: unknown) => void;
}) => Store;

interface Folder {
  readonly dir: string | undefined;
  readonly maxDiskBytes: number | undefined;
}

const state = shared("persist", () => ({
  embedded: undefined as Embedded | undefined,
  /** Opened when it is first needed; closed when it is configured otherwise. */
  opened: undefined as (Folder & { readonly store: Store }) | undefined,
  /** Entries that are being asked for, of stores that don't answer at once. */
  asked: new Map<string, Promise<Entry | undefined>>(),
  /** Counts removals: what was read before one is not kept after it. */
  removals: 0,
  told: new Set<string>(),
}));

export function embed(open: Embedded): void {
  state.embedded = open;
}

/** ms since 1970, in fractions: other processes read it. It goes on as evenly as the clock of the lifetimes. */
const wall = (): number => performance.timeOrigin + performance.now();

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
  if (!store.can.sync) return ask(store, shelf, key, name);
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
  fault(error instanceof Damage ? "entry-damaged" : "store-failed", error, id);
  if (error instanceof Damage) attempt(site, () => store.remove({ site: id, key }));
}

/** One question for all who ask at the same time. */
function ask(store: Store, shelf: Shelf, key: Key, name: EntryName): Promise<Entry | undefined> {
  const place = JSON.stringify(Object.values(name));
  const open = state.asked.get(place);
  if (open !== undefined) return open;
  const { removals } = state;
  const answer = (async () => {
    try {
      const bytes = await store.get(name);
      if (bytes === undefined || removals !== state.removals) return undefined;
      return revive(shelf, key, name, bytes);
    } catch (error) {
      spare(error, store, shelf.site, name);
      return undefined;
    } finally {
      state.asked.delete(place);
    }
  })();
  state.asked.set(place, answer);
  return answer;
}

/** @throws Damage */
function revive(shelf: Shelf, key: Key, name: EntryName, bytes: Uint8Array): Entry | undefined {
  const stored = readEntry(bytes, name);
  const { site } = shelf;
  const keeper = site.spec.copy === "freeze" ? undefined : new Read(stored, name, bytes, site);
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
    stored = readEntryFrom(source, name);
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

/** Which large ones were read once. */
const asked = new WeakMap<Shelf, Set<Key>>();
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
  const at = wall();
  const written = stored.began + stored.cost;
  // The function may have a shorter `ttl` by now. And no clock that was set back makes anything live longer.
  const end = Math.min(stored.expires, written + (spec.ttl ?? Number.POSITIVE_INFINITY));
  const left = Math.min(end - at, end - written);
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
  private again: (() => Found) | undefined;
  private first: Found | undefined;
  private kept: Keeper | undefined = undefined;

  constructor(found: Found, name: EntryName, bytes: Uint8Array, site: Site) {
    this.bytes = bytes.length;
    this.site = site;
    this.first = found;
    // A registered type may be gone when it is read again.
    this.again = found.isPlain ? () => readEntry(bytes, name) : undefined;
  }

  give(): unknown {
    const { first } = this;
    if (first !== undefined && this.again !== undefined) {
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
      const { value, isTree } = this.first ?? (this.again as () => Found)();
      this.kept = adopt(value, this.site, this.bytes, isTree);
      this.again = undefined;
      this.first = undefined;
    }
    return this.kept;
  }
}

/** Writes down an entry that was made just now. */
export function save(entry: Entry): void {
  const { shelf, cost, tags, replay, keeper } = entry;
  const { site } = shelf;
  const store = storeOf(site);
  if (store === undefined) return;
  const at = wall();
  const left = entry.expires - now();
  const name = nameOf(site, entry.key);
  const began = at - cost;
  const until = at + left + (site.spec.staleFor ?? 0);
  try {
    const value = keeper === undefined ? entry.value : keeper.value;
    const effects = replay?.map(({ element, args }) => ({ element, args: args.value }));
    const pieces = writeEntry({
      ...name,
      began,
      cost,
      expires: at + left,
      until,
      tags: tags ?? [],
      value,
      replay: effects,
    });
    const { maxEntries } = site.spec;
    attempt(site, () => store.set(name, pieces, { began, until, tags: tags ?? [], maxEntries }));
  } catch (error) {
    // A user's `encode` may throw; what it leaves unwritten stays in memory.
    fault(error instanceof Unstorable ? "unstorable" : "store-failed", error, site.id);
    attempt(site, () => store.remove({ site: name.site, key: name.key }));
  }
}

/** Removes from the store what was cleared. */
export function forget(which: Which): void {
  state.removals++;
  const store = currentStore();
  if (store !== undefined) attempt(undefined, () => store.remove(which));
}

/** Done when everything that was kept would survive the end of the process. */
export async function flushed(): Promise<void> {
  try {
    await state.opened?.store.flush();
    await settings.store?.flush();
  } catch (error) {
    failed(error, undefined);
  }
}

function storeOf(site: Site): Store | undefined {
  if (!site.persisted) {
    tellOnce("unpersisted", site);
    return undefined;
  }
  const store = currentStore();
  if (store === undefined) tellOnce("no-store", site);
  else if (!store.can.sync && !site.spec.async) throw asyncStore(site.id, store.name);
  return store;
}

function tellOnce(code: "unpersisted" | "no-store", { id }: Site): void {
  if (state.told.has(`${code} ${id}`)) return;
  state.told.add(`${code} ${id}`);
  fault(code, undefined, id);
}

/** What is configured, else what the host has. */
function currentStore(): Store | undefined {
  if (settings.store !== undefined) return settings.store;
  const { opened } = state;
  if (opened !== undefined && isConfigured(opened)) return opened.store;
  close();
  if (state.embedded === undefined) return undefined;
  try {
    const { dir, maxDiskBytes: maxBytes } = settings;
    const store = state.embedded({ dir, maxBytes, onFault: (error) => failed(error, undefined) });
    state.opened = { store, dir, maxDiskBytes: maxBytes };
    return store;
  } catch (error) {
    failed(error, undefined);
    return undefined;
  }
}

function isConfigured({ dir, maxDiskBytes }: Folder): boolean {
  return dir === settings.dir && maxDiskBytes === settings.maxDiskBytes;
}

function close(): void {
  const { opened } = state;
  state.opened = undefined;
  if (opened !== undefined) attempt(undefined, () => opened.store.close());
}

onConfigure(() => {
  const { opened } = state;
  if (opened !== undefined && !isConfigured(opened)) close();
});

function nameOf(site: Site, key: Key): EntryName {
  return { site: site.id, code: site.spec.code, key: keyText(key) };
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
  fault("store-failed", error, site?.id);
}
