/** What a store was not told while it was out of reach: removals that it must still be told of, and writes that it lacks. */
import type { EntryName, Which } from "./store.ts";

/** Beyond so many, what is owed is told in fewer and larger removals. */
const MOST = 1000;

/** Removals that a store has not confirmed. Until it has, nothing of it may be served. */
export class OwedRemovals {
  private owed = new Map<string, Which>();

  get size(): number {
    return this.owed.size;
  }

  add(which: Which): void {
    // A new one also where it is owed already: that one may be under way, and come too early.
    const all = this.widest(which);
    const id = idOf(all);
    this.owed.delete(id);
    this.owed.set(id, { ...all });
    if (this.owed.size > MOST) this.condense();
  }

  /** In the order in which they came. */
  all(): readonly Which[] {
    return [...this.owed.values()];
  }

  /** Not if it came once more meanwhile: nobody knows which of the two was told. */
  paid(which: Which): void {
    const id = idOf(which);
    if (this.owed.get(id) === which) this.owed.delete(id);
  }

  private widest(which: Which): Which {
    if (this.owed.has(idOf({}))) return {};
    if ("tag" in which || which.site === undefined) return which;
    const { site } = which;
    return this.owed.has(idOf({ site })) ? { site } : which;
  }

  /** Whole functions instead of single calls; if that is not enough, everything. */
  private condense(): void {
    const all = this.all().map((which) => (which.site === undefined ? which : { site: which.site }));
    this.owed = new Map(all.map((which) => [idOf(which), which]));
    if (this.owed.size > MOST / 2) this.owed = new Map([[idOf({}), {}]]);
  }
}

function idOf(which: Which): string {
  if ("tag" in which) return JSON.stringify(["tag", which.tag]);
  if (which.site === undefined) return "[]";
  return JSON.stringify(which.key === undefined ? [which.site] : [which.site, which.key]);
}

const MOST_PLACES = 10_000;

/** How old an entry may be: there are younger ones that the store has not got, or an unanswered write may yet land. */
export class Floors {
  private readonly places = new Map<string, number>();
  private everywhere = Number.NEGATIVE_INFINITY;

  /** @param began what is older is outdated; ms since 1970 */
  raise(name: EntryName, began: number): void {
    const place = placeOf(name);
    this.places.set(place, Math.max(began, this.places.get(place) ?? began));
    if (this.places.size <= MOST_PLACES) return;
    this.everywhere = Math.max(this.everywhere, ...this.places.values());
    this.places.clear();
  }

  get isEmpty(): boolean {
    return this.places.size === 0 && this.everywhere === Number.NEGATIVE_INFINITY;
  }

  /** The store has the latest. */
  forget(name: EntryName): void {
    if (this.places.size > 0) this.places.delete(placeOf(name));
  }

  isOutdated(name: EntryName, began: number): boolean {
    if (began < this.everywhere) return true;
    return this.places.size > 0 && began < (this.places.get(placeOf(name)) ?? began);
  }
}

export function placeOf({ site, code, key }: EntryName): string {
  return JSON.stringify([site, code, key]);
}

/** May an entry of this name be among them? Of a tag one can't know by the name. */
export function mayConcern(which: Which, { site, key }: EntryName): boolean {
  if ("tag" in which || which.site === undefined) return true;
  return which.site === site && (which.key === undefined || which.key === key);
}
