/** What is kept, and where: a site has shelves (one, or one a session), a shelf has entries and flights. */
import type { SiteKind, SiteSpec } from "./contract.ts";
import type { Keeper } from "./copy.ts";
import type { Flight } from "./flight.ts";
import type { InputNode } from "./inputs.ts";
import type { Key } from "./key.ts";
import type { Recorded } from "./replay.ts";

/** What happened to a site's calls so far. Hits of live entries are counted in the entries. */
export class Counts {
  hits = 0;
  misses = 0;
  /** Calls that waited for a run that was already in progress. */
  joins = 0;
  stale = 0;
  evictions = 0;
  expirations = 0;
  failures = 0;
  /** ms of all runs. */
  spent = 0;
  /** ms that served results had taken when they were computed. */
  saved = 0;
}

/** An annotated function. One object as long as its code and its options stay the same. */
export class Site {
  /** The newest one that says the same: thunks of an older evaluation of the module would keep it alive. */
  spec: SiteSpec;
  readonly kind: SiteKind;
  readonly id: string;
  /** Entries of everyone; stays empty where {@link SiteSpec.scope} is `session`. */
  readonly shelf: Shelf;
  readonly counts = new Counts();
  /** True if a call has more to do than to look up a key. */
  readonly careful: boolean;
  /** True if its results go to a store as well. What belongs to a session, or to what inputs gave, stays in memory. */
  readonly persisted: boolean;

  constructor(kind: SiteKind, spec: SiteSpec) {
    this.spec = spec;
    this.kind = kind;
    this.id = spec.id;
    this.careful =
      spec.scope === "session" || spec.allowInputs === true || spec.validate !== undefined || spec.env !== undefined;
    this.persisted = kind === "data" && spec.persist !== undefined && spec.scope !== "session" && !spec.allowInputs;
    this.shelf = new Shelf(this, undefined);
  }
}

/** The entries of a site, of everyone or of one session, in order of use. */
export class Shelf {
  readonly site: Site;
  readonly session: string | undefined;
  readonly entries = new Map<Key, Entry>();
  /** Runs of an `async` site that may be joined. */
  readonly flights = new Map<Key, Flight>();
  /** The innermost run on the stack of a site that is not `async`. */
  stack: Flight | undefined = undefined;
  /** By arguments, which inputs a run has read, and what they gave. */
  inputs: Map<Key, InputNode> | undefined = undefined;
  hasManyVariants = false;
  /** Ends of the order of use. */
  oldest: Entry | undefined = undefined;
  newest: Entry | undefined = undefined;
  /** True if the order of use matters, because there is a bound. */
  bounded: boolean;
  /** Entries that end, as a heap: the first is the first to go. */
  readonly due: Entry[] = [];
  bytes = 0;
  /** True once the session is over: nothing is kept here any more. */
  closed = false;

  constructor(site: Site, session: string | undefined) {
    this.site = site;
    this.session = session;
    this.bounded = site.spec.maxEntries !== undefined;
  }

  /** The run that is going to bring this key's entry. */
  flightOf(key: Key): Flight | undefined {
    for (let flight = this.stack; flight !== undefined; flight = flight.below) {
      if (Object.is(flight.key, key) && !flight.cleared) return flight;
    }
    return this.flights.get(key);
  }

  /** All runs whose result is going to be kept. */
  runs(): readonly Flight[] {
    const all = [...this.flights.values()];
    for (let flight = this.stack; flight !== undefined; flight = flight.below) if (!flight.cleared) all.push(flight);
    return all;
  }
}

/** How much there is to a hit, beyond handing out the value. */
export const PLAIN = 0;
/** It ends, or it has tags: a cached function that is running takes them over. */
export const BOUNDED = 1;
/** It has recorded effects to play. */
export const ELABORATE = 2;

/** What a run has left besides its value. */
export interface Trail {
  readonly tags: readonly string[] | undefined;
  /** Effects, to be played on every hit. */
  readonly replay: readonly Recorded[] | undefined;
  /** Where the inputs are kept that it has read. */
  readonly leaf: InputNode | undefined;
}

/** Callers that hold the value without having got it yet: they wait for `validate`. */
export interface Lease {
  holders: number;
  /** What to do when there are none any more. */
  whenFree: (() => void) | undefined;
}

/** What a new entry is made of. */
export interface EntryParts {
  readonly shelf: Shelf;
  readonly key: Key;
  readonly value: unknown;
  readonly keeper: Keeper | undefined;
  readonly bytes: number;
  readonly expires: number;
  readonly until: number;
  readonly cost: number;
  readonly tags: Trail["tags"];
  readonly replay: Trail["replay"];
  readonly leaf: Trail["leaf"];
}

/** A kept result. There may be millions, so what few have stands apart. */
export class Entry {
  readonly shelf: Shelf;
  readonly key: Key;
  /** What everyone gets, where there is no keeper: a resource, a primitive, a frozen value. */
  readonly value: unknown;
  readonly keeper: Keeper | undefined;
  readonly bytes: number;
  /** Fresh until then (exclusive). */
  readonly expires: number;
  /** Dropped from then on; later than {@link expires} where stale may be served. */
  readonly until: number;
  /** ms that the run took. */
  readonly cost: number;
  readonly trail: Trail | undefined;
  /** {@link PLAIN}, {@link BOUNDED} or {@link ELABORATE}. */
  readonly ease: number;
  /** Rank among all entries ever written, in the process; 0 if it never was on a shelf. */
  born = 0;
  hits = 0;
  /** When it was last used, on a count that all shelves share; only where a bound makes it matter. */
  used = 0;
  live = false;
  older: Entry | undefined = undefined;
  newer: Entry | undefined = undefined;
  /** Its place in the heap of its shelf; -1 if it never ends. */
  place = -1;
  lease: Lease | undefined = undefined;
  /** True from the stale hit that asked for its replacement, until that has landed or failed. */
  refreshing = false;
  /** No refresh before then: the last one failed. */
  retryAt: number | undefined = undefined;

  constructor(parts: EntryParts) {
    const { expires, tags, replay, leaf } = parts;
    this.shelf = parts.shelf;
    this.key = parts.key;
    this.value = parts.value;
    this.keeper = parts.keeper;
    this.bytes = parts.bytes;
    this.expires = expires;
    this.until = parts.until;
    this.cost = parts.cost;
    this.trail = tags === undefined && replay === undefined && leaf === undefined ? undefined : { tags, replay, leaf };
    const bounded = tags !== undefined || expires !== Number.POSITIVE_INFINITY;
    this.ease = replay !== undefined ? ELABORATE : bounded ? BOUNDED : PLAIN;
  }

  get tags(): Trail["tags"] {
    return this.trail?.tags;
  }

  get replay(): Trail["replay"] {
    return this.trail?.replay;
  }
}
