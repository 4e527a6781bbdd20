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
}

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
  /** It can let one of several processes compute. */
  readonly lease: boolean;
  /** It tells when another process has changed an entry. */
  readonly watch: boolean;
}

type Later<T> = T | Promise<T>;

/**
 * What every store does. Failures may be thrown, or rejected: the core makes a miss and a `fault` event of them.
 * `kept/stores/conformance` has a suite that says whether a store does it right.
 */
export interface Store {
  /** For messages: `disk`. */
  readonly name: string;
  readonly can: Capabilities;
  /** @returns the bytes as they were set, the caller's own; nothing if there are none, or they are past their `until` */
  get(name: EntryName): Later<Uint8Array | undefined>;
  /** Keeps the pieces, one after the other, as one. They don't change before {@link flush} is done. */
  set(name: EntryName, pieces: readonly Uint8Array[], about: About): Later<void>;
  /** What was set before is gone when it is done; also what has not been flushed yet. */
  remove(which: Which): Later<void>;
  /** Done when all that was set would survive the end of the process. */
  flush(): Later<void>;
  close(): Later<void>;
}
