/**
 * Several stores as one: asked in their order, written to all of them, cleared in all of them. What a lower one has is
 * written to those above it on the way. Each stands behind a guard of its own (guard.ts), so that one that is slow or dead
 * is a miss of that tier alone.
 *
 * One of them may be shared with other processes and tell what these change (`can.watch`); the others can't know. They
 * serve what that one vouches for: what this process has read from it or written to it, until it tells of a change. A tier
 * with a bound of its own (`ttl`) serves anything for so long. And nothing is written back to the shared one: what others
 * have cleared there would be there again.
 */
import { wall } from "../config.ts";
import { fault } from "../events.ts";
import { quietTimer } from "../platform.ts";
import { isThenable } from "../thenable.ts";
import { checkEntry } from "./bytes.ts";
import { Damage } from "./codec.ts";
import { mayConcern, placeOf } from "./missed.ts";
import { Forged } from "./seal.ts";
import type { About, Changed, EntryName, LeaseCause, Leased, Store, Which } from "./store.ts";
import { Vouches } from "./vouch.ts";

export interface Tier {
  /** Guarded: it throws nothing but Damage, and gives true for what it has certainly written. */
  readonly store: Store;
  /** Most ms that an entry stays in it. */
  readonly ttl?: number | undefined;
}

/** A read under way: what it brings may have been removed or replaced meanwhile. */
interface Search {
  readonly name: EntryName;
  readonly changed: Changed | undefined;
  /** By this process: nothing is to come of it. */
  isOutdated: boolean;
  /** By another: the shared store knows, and what it gives is right; what others give may not be. */
  isChanged: boolean;
}

type Bytes = Uint8Array | undefined;

/** Computed without asking anyone, since the store that grants leases is away. It is not told of the result. */
const UNASKED = "";

export function tiered(tiers: readonly Tier[]): Store {
  return new Tiers(tiers).asStore();
}

class Tiers {
  private readonly tiers: readonly Tier[];
  /** The one that is shared. */
  private readonly watched: Store | undefined;
  private readonly leased: Tier | undefined;
  private readonly searches = new Set<Search>();
  private readonly vouches = new Vouches((name) => this.changed(name));

  constructor(tiers: readonly Tier[]) {
    this.tiers = tiers;
    this.watched = tiers.find(({ store }) => store.can.watch)?.store;
    this.leased = tiers.find(({ store }) => store.can.lease);
  }

  asStore(): Store {
    const stores = this.tiers.map(({ store }) => store);
    const all = (has: (can: Store["can"]) => boolean) => stores.every(({ can }) => has(can));
    const { watched } = this;
    const leased = this.leased?.store;
    return {
      name: stores.map(({ name }) => name).join(", "),
      can: {
        sync: all(({ sync }) => sync),
        ttl: all(({ ttl }) => ttl),
        tags: all(({ tags }) => tags),
        lease: leased !== undefined,
        watch: watched !== undefined,
      },
      ...(watched?.staleness === undefined ? {} : { staleness: watched.staleness }),
      ...(leased?.patience === undefined ? {} : { patience: leased.patience }),
      get: (name, changed) => this.search(name, changed, (search) => this.look(search, 0, this.tiers.length)),
      set: (name, pieces, about, changed) => this.set(name, pieces, about, changed),
      ...(leased === undefined ? {} : { lease: this.lease.bind(this), release: this.release.bind(this) }),
      remove: (which) => this.remove(which),
      flush: () => done(stores.map((store) => store.flush())),
      close: () => done(stores.map((store) => store.close())),
    };
  }

  private search<T>(name: EntryName, changed: Changed | undefined, act: (search: Search) => T | Promise<T>) {
    const search: Search = { name, changed, isOutdated: false, isChanged: false };
    const end = () => this.searches.delete(search);
    this.searches.add(search);
    let found: T | Promise<T>;
    try {
      found = act(search);
    } catch (error) {
      end();
      throw error;
    }
    if (isThenable(found)) return (found as Promise<T>).finally(end);
    end();
    return found;
  }

  /** Asks the tiers from `from` up to `to`. */
  private look(search: Search, from: number, to: number): Bytes | Promise<Bytes> {
    for (let at = from; at < to; at++) {
      const tier = this.tiers[at] as Tier;
      if (!this.mayServe(tier, search.name)) continue;
      const take = this.taker(search, at);
      let given: ReturnType<Store["get"]>;
      try {
        given = tier.store.get(search.name, take.changed);
      } catch (error) {
        this.spare(error, tier.store, search.name);
        continue;
      }
      if (isThenable(given)) {
        return Promise.resolve(given).then(
          (bytes) => take.accept(bytes) ?? this.look(search, at + 1, to),
          (error) => {
            this.spare(error, tier.store, search.name);
            return this.look(search, at + 1, to);
          },
        );
      }
      const accepted = take.accept(given as Bytes);
      if (accepted !== undefined) return accepted;
    }
    return undefined;
  }

  /** What is given to a tier, and what is made of its answer. */
  private taker(search: Search, at: number) {
    const { name, changed } = search;
    const { store } = this.tiers[at] as Tier;
    const vouch = store === this.watched ? this.vouches.expect(name, changed) : undefined;
    const accept = (bytes: Bytes): Bytes => {
      const isOwn = store !== this.watched;
      if (bytes === undefined || search.isOutdated || (isOwn && search.isChanged)) return undefined;
      try {
        const about = checkEntry(bytes);
        if (about.until <= wall()) return undefined;
        for (const tier of this.tiers.slice(0, at)) {
          if (tier.store !== this.watched && !vouch?.isOver)
            this.write(tier, name, [bytes], { ...about, maxEntries: undefined });
        }
      } catch (error) {
        this.spare(error, store, name);
        return undefined;
      }
      if (vouch !== undefined) this.vouches.keep(vouch);
      else this.watchBy(name, changed);
      return bytes;
    };
    return { changed: vouch?.changed, accept };
  }

  /** It is not from the shared store: whoever serves it hears of changes as far as that store is heard of. */
  private watchBy(name: EntryName, changed: Changed | undefined): void {
    if (this.watched === undefined || changed === undefined) return;
    if (!this.vouches.join(name, changed)) quietTimer(changed, this.watched.staleness ?? 0);
  }

  /** Damage would be met again and again, so it goes; but only from the store that has it. */
  private spare(error: unknown, store: Store, name: EntryName): void {
    const damage = error instanceof Forged ? "entry-forged" : "entry-damaged";
    fault(error instanceof Damage ? damage : "store-failed", error, name.site);
    if (error instanceof Damage) quietly(store.remove({ site: name.site, key: name.key }));
  }

  private set(name: EntryName, pieces: readonly Uint8Array[], about: About, changed?: Changed) {
    const place = placeOf(name);
    for (const search of this.searches) if (placeOf(search.name) === place) search.isOutdated = true;
    const unasked = about.token === UNASKED;
    const vouch = this.watched === undefined ? undefined : this.vouches.expect(name, changed);
    const answers = this.tiers.map((tier) => {
      if (tier.store !== this.watched) return this.write(tier, name, pieces, about);
      if (unasked) return undefined;
      const answer = this.write(tier, name, pieces, about, vouch?.changed);
      const keep = (kept: boolean | void) => {
        if (kept === true && vouch !== undefined) this.vouches.keep(vouch);
        return kept;
      };
      return isThenable(answer) ? answer.then(keep) : keep(answer as boolean | void);
    });
    if (unasked) this.watchBy(name, changed);
    const end = (all: readonly unknown[]) => {
      if (all.includes(false)) return this.refuse(name);
      return all.every((kept) => kept === true) ? true : undefined;
    };
    return answers.some(isThenable) ? Promise.all(answers).then(end) : end(answers);
  }

  /** One knows better: it was cleared or computed anew by another process. So nobody is to have it. */
  private refuse({ site, key }: EntryName): false {
    for (const { store } of this.tiers) if (store !== this.watched) quietly(store.remove({ site, key }));
    return false;
  }

  private write({ store, ttl }: Tier, name: EntryName, pieces: readonly Uint8Array[], about: About, changed?: Changed) {
    const until = ttl === undefined ? about.until : Math.min(about.until, wall() + ttl);
    return store.set(name, pieces, { ...about, until }, changed);
  }

  private async lease(name: EntryName, cause: LeaseCause, changed?: Changed): Promise<Leased> {
    const { tiers } = this;
    const at = tiers.indexOf(this.leased as Tier);
    const { store } = tiers[at] as Tier;
    return this.search(name, changed, async (search) => {
      const above = cause === "miss" ? await this.look(search, 0, at) : undefined;
      if (above !== undefined) return { bytes: above };
      const leased = await this.leaseOf(store, search, cause, at);
      const granted = leased?.token !== undefined;
      if (cause !== "miss" || !granted) return leased;
      const below = await this.look(search, at + 1, tiers.length);
      if (below === undefined) return leased;
      this.release(name, leased.token);
      return { bytes: below };
    });
  }

  private async leaseOf(store: Store, search: Search, cause: LeaseCause, at: number): Promise<Leased> {
    const take = this.taker(search, at);
    try {
      const leased = await store.lease?.(search.name, cause, take.changed ?? search.changed);
      if (leased?.bytes !== undefined) take.accept(leased.bytes);
      return leased;
    } catch (error) {
      // Those that serve without being vouched for are to have it all the same.
      if (!this.tiers.some((tier) => tier.ttl !== undefined && tier.store !== this.watched)) throw error;
      return { token: UNASKED };
    }
  }

  private release(name: EntryName, token: string): void {
    if (token !== UNASKED) quietly(this.leased?.store.release?.(name, token));
  }

  private remove(which: Which): void | Promise<void> {
    for (const search of this.searches) if (mayConcern(which, search.name)) search.isOutdated = true;
    return done(this.tiers.map(({ store }) => store.remove(which)));
  }

  private mayServe({ store, ttl }: Tier, name: EntryName): boolean {
    return this.watched === undefined || store === this.watched || ttl !== undefined || this.vouches.has(name);
  }

  /** In the shared store. */
  private changed(name: EntryName): void {
    const place = placeOf(name);
    for (const search of this.searches) if (placeOf(search.name) === place) search.isChanged = true;
    for (const { store, ttl } of this.tiers) {
      if (store !== this.watched && ttl !== undefined) quietly(store.remove({ site: name.site, key: name.key }));
    }
  }
}

function done(answers: readonly (void | Promise<void>)[]): void | Promise<void> {
  return answers.some(isThenable) ? Promise.all(answers).then(() => {}) : undefined;
}

/** A guard has told of it already. */
function quietly(answer: unknown): void {
  if (isThenable(answer)) answer.then(undefined, () => {});
}
