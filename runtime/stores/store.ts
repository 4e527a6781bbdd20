/**
 * A store: somewhere outside of the program's memory where entries outlive it. It keeps bytes and understands none of
 * them; what is fresh, damaged or wrong is decided by the core. A store says what it can do, and the core does the rest.
 */

/** What an entry is found by. */
export interface EntryName {
  /** `src/rides.ts#loadRides`. */
  readonly site: string;
  /** The code hash: other code finds nothing of this. */
  readonly code: string;
  /** Canonical text of the key, or its digest where that is long. */
  readonly key: string;
}

/** What a store may do with the bytes besides keeping them. Times are ms since 1970; `Infinity` without an end. */
export interface About {
  readonly began: number;
  /** Nothing is lost if it is gone from then on. */
  readonly until: number;
  readonly tags: readonly string[];
  /** Most entries that are wanted of this function. */
  readonly maxEntries: number | undefined;
  /** Of which run it is, if there was a {@link Store.lease} of it. It ends the lease. */
  readonly token?: string | undefined;
}

/**
 * Called when what was read or written may be no longer what the store has: another process has changed or cleared it,
 * it is over, or the store has not been heard of for longer than {@link Store.staleness}. At most once for each `get`,
 * `set` or `lease` that it was given to, at any time, also before that one is done. It doesn't throw.
 */
export type Changed = () => void;

/**
 * What a lease is for.
 *
 * - `miss`: nobody here has the entry. Given are the bytes, if there are any by now; else the right to compute them, at
 *   once, or when the process that has it dies, fails or is too slow. If that one succeeds, what it has brought.
 * - `behind`: the entry is stale and is being served. The right to replace it, or nothing if another process does.
 * - `refresh`: the entry is wanted anew. Always granted at once; what runs that began before will bring is refused.
 */
export type LeaseCause = "miss" | "behind" | "refresh";

/** The bytes; or the right to compute them; or neither, for `behind` only. */
export type Leased =
  | { readonly bytes: Uint8Array; readonly token?: undefined }
  | { readonly token: string; readonly bytes?: undefined }
  | undefined;

/** Which entries: all of them, a function's, one call's (of all versions of the code), or all that have a tag. */
export type Which =
  | { readonly site?: never }
  | { readonly site: string; readonly key?: string }
  | { readonly tag: string; readonly site?: never };

/** What a store can do by itself. */
export interface Capabilities {
  /** Every method is done when it returns, and none gives a promise: functions that are not `async` can use it. */
  readonly sync: boolean;
  /** It drops what is over by itself. */
  readonly ttl: boolean;
  /** `remove({ tag })` removes. */
  readonly tags: boolean;
  /** It lets one of several processes compute: it has {@link Store.lease} and {@link Store.release}. */
  readonly lease: boolean;
  /** It tells when another process has changed an entry: it calls {@link Changed}. */
  readonly watch: boolean;
}

type Later<T> = T | Promise<T>;

/** Bytes that are given one after the other, into memory that is there already. */
export interface Source {
  /** How many there are in all. */
  readonly length: number;
  /** Fills `into` with those that come next. Throws if there are fewer. */
  read(into: Uint8Array): void;
  close(): void;
}

/**
 * What every store does. Failures may be thrown, or rejected: the core makes a miss and a `fault` event of them.
 * `kept/stores/conformance` has a suite that says whether a store does it right.
 */
export interface Store {
  /** For messages: `disk`. */
  readonly name: string;
  readonly can: Capabilities;
  /** With `can.watch`: most ms that an entry is served from memory while nothing is heard of the store. */
  readonly staleness?: number;
  /** With `can.lease`: most ms that `lease` waits for another process. A timeout around it has to be longer. */
  readonly patience?: number;
  /**
   * @param changed with `can.watch`; ignored by others
   * @returns the bytes as they were set, the caller's own; nothing if there are none, or they are past their `until`
   */
  get(name: EntryName, changed?: Changed): Later<Uint8Array | undefined>;
  /**
   * What {@link get} gives, or, where that is much, a source of it: large arrays are then read where they stay. With
   * `can.sync` only; without it, `get` is asked. Whoever gets a source closes it, and asks for nothing else before.
   */
  read?(name: EntryName, changed?: Changed): Uint8Array | Source | undefined;
  /**
   * Keeps the pieces, one after the other, as one. They don't change before {@link flush} is done.
   *
   * @param changed with `can.watch`; ignored by others
   * @returns false if they were refused: they were cleared, or computed anew, after the run had begun that gave them.
   * Nobody is to be served them any more. Anything else: kept, as far as is known; with `can.watch` only true says that
   * `changed` will be called, and memory serves what it does not say so of for {@link staleness} at most.
   */
  set(name: EntryName, pieces: readonly Uint8Array[], about: About, changed?: Changed): Later<boolean | void>;
  /**
   * With `can.lease`: lets one of several processes compute. Who gets a token has to end the lease: by `set` with the
   * token, or by `release`. Meanwhile the store keeps it up; if the process dies, another one gets it.
   */
  lease?(name: EntryName, cause: LeaseCause, changed?: Changed): Promise<Leased>;
  /** Ends a lease without a result: the body has failed, or there is nothing to keep. Who waits for it goes on. */
  release?(name: EntryName, token: string): Later<void>;
  /** What was set before is gone when it is done; also what has not been flushed yet. */
  remove(which: Which): Later<void>;
  /** Done when all that was set would survive the end of the process. */
  flush(): Later<void>;
  close(): Later<void>;
}
