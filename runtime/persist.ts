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
import { type Found, readEntry, writeEntry } from "./stores/bytes.ts";
import { Damage, Unstorable } from "./stores/codec.ts";
import type { EntryName, Store, Which } from "./stores/store.ts";
import { isThenable } from "./thenable.ts";
import { weigh } from "./weight.ts";

/** Makes the store that a host has without further ado. Set by stores/embedded.ts, which only Node's entries import. */
export type Embedded = (options: {
  readonly dir: string | undefined;
  readonly maxBytes: number | undefined;
  readonly onFault: (error: unknown) => void;
}) => Store;

const state = shared("persist", () => ({
  embedded: undefined as Embedded | undefined,
  /** Opened when it is first needed; closed when it is configured otherwise. */
  opened: undefined as { readonly store: Store; readonly for: string } | undefined,
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
    const bytes = store.get(name) as Uint8Array | undefined;
    return bytes === undefined ? undefined : revive(shelf, key, name, bytes);
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
  const { site } = shelf;
  const stored = readEntry(bytes, name);
  // An effect that nobody here can cause again: as if there were no entry.
  if (stored.replay?.some(({ element }) => !isKnown(element))) return undefined;
  const { spec } = site;
  const at = wall();
  const written = stored.began + stored.cost;
  // The function may have a shorter `ttl` by now. And no clock that was set back makes anything live longer.
  const end = Math.min(stored.expires, written + (spec.ttl ?? Number.POSITIVE_INFINITY));
  const left = Math.min(end - at, end - written);
  const stale = spec.staleFor ?? 0;
  if (left + stale <= 0) return undefined;
  const { value } = stored;
  const keeper = spec.copy === "freeze" ? keep(value, "freeze", site).keeper : new Read(stored, name, bytes, site);
  const expires = now() + left;
  const entry = new Entry({
    shelf,
    key,
    leaf: undefined,
    value: undefined,
    keeper,
    bytes: weigh(site, key, value, keeper),
    expires,
    until: expires + stale,
    cost: stored.cost,
    tags: stored.tags.length === 0 ? undefined : stored.tags,
    replay: stored.replay?.map(({ element, args }) => ({ element, args: keep(args, "copy", site).keeper })),
  });
  put(entry);
  return entry;
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
  const wanted = `${settings.dir} ${settings.maxDiskBytes}`;
  if (state.opened?.for === wanted) return state.opened.store;
  close();
  if (state.embedded === undefined) return undefined;
  try {
    const { dir, maxDiskBytes: maxBytes } = settings;
    const store = state.embedded({ dir, maxBytes, onFault: (error) => failed(error, undefined) });
    state.opened = { store, for: wanted };
    return store;
  } catch (error) {
    failed(error, undefined);
    return undefined;
  }
}

function close(): void {
  const { opened } = state;
  state.opened = undefined;
  if (opened !== undefined) attempt(undefined, () => opened.store.close());
}

onConfigure(() => {
  const { opened } = state;
  if (opened !== undefined && opened.for !== `${settings.dir} ${settings.maxDiskBytes}`) close();
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
