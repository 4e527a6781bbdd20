/**
 * The one place where compiler and runtime meet: what generated code may call, what it hands over, and the
 * version of both. The compiler takes this file and nothing else from `runtime/`.
 */

/**
 * Raised whenever generated code and the runtime could misunderstand each other. Emitted into every site and
 * checked when the site is made, so that a build by one version and a runtime of another is one clear error.
 */
export const CONTRACT_VERSION = 1;

/** `data` hands every caller its own copy; `resource` hands every caller the same object. */
export type SiteKind = "data" | "resource";

/** How a `data` site shares what it keeps: a private copy for each caller, or one deep-frozen value. */
export type CopyMode = "copy" | "freeze";

/** Whose entries these are: everyone's, or one session's (`withSession`). */
export type Scope = "global" | "session";

/** What the compiler emits for one annotated function, as the runtime receives it. Times are milliseconds. */
export interface SiteSpec {
  /** {@link CONTRACT_VERSION} of the compiler that wrote this. */
  readonly v: number;
  /** `src/rides.ts#loadRides`: path from the root and qualified name. */
  readonly id: string;
  /** `h1:` + 128 bits in hexadecimal: the function and everything that its code reaches. */
  readonly code: string;
  /** Names of the keyed slots, in the order of the first argument of a {@link CachedCall}; captures come last. */
  readonly hashed: readonly string[];
  /** Parameters (and captures) left out of the key: `_` names and those in `ignore`. */
  readonly excluded: readonly string[];
  /** How many of the last names in {@link hashed} are captures. Default 0. */
  readonly captured?: number;
  /**
   * Index in {@link hashed} of a rest parameter: it is the one name for zero or more keyed values, spread into the key.
   * The slots after it (captures) keep their number, so nothing is ambiguous.
   */
  readonly rest?: number;
  /** True for an `async` function: the call gives a promise, and waiters share one run. */
  readonly async?: boolean;
  /** Lifetime from the write, in ms. Absent: no end. 0 or less: always a miss. */
  readonly ttl?: number;
  /** After `ttl`, serve stale for this long (ms) while one refresh runs. */
  readonly staleFor?: number;
  /** Most entries kept for this function (per session where scoped); least recently used goes first. */
  readonly maxEntries?: number;
  readonly persist?: "disk";
  readonly scope?: Scope;
  readonly copy?: CopyMode;
  readonly tags?: readonly string[];
  /** `false`: never shown; a string: the text shown; absent or `true`: the default text. */
  readonly spinner?: boolean | string;
  readonly showTime?: boolean;
  readonly allowInputs?: boolean;
  /** Names of environment variables whose values are part of the key. */
  readonly env?: readonly string[];
  /** The function as its module knows it now (`() => loadRides`), for `clear(fn)`. May throw (not yet defined). */
  readonly self?: () => unknown;
  /** What {@link self} gives may be another function: `load = wrap(load)`. As an argument it is keyed only if marked. */
  readonly replaceable?: boolean;
  /**
   * Options that are code come as thunks, so that they may refer to bindings declared further down.
   * `validate(value, ...args)` and `onRelease(value)`, sync or async; resource only.
   */
  readonly validate?: () => (value: any, ...args: any[]) => unknown;
  readonly onRelease?: () => (value: any) => unknown;
}

/**
 * What a site calls instead of its body.
 *
 * @param key the keyed values: bound parameters after defaults, then captures, read at call time
 * @param run the body, where it stands: an arrow (async if the function is), so `this` and friends are lexical
 * @param args all bound parameter values, excluded ones too; emitted only where `validate` wants them
 * @param captures the captures anew, as they are when it is called; emitted for `async` functions that capture a
 *   variable which is assigned somewhere: a run in which it changed has seen two values, and is not kept
 */
export type CachedCall = (
  key: unknown[],
  run: () => unknown,
  args?: (() => unknown[]) | undefined,
  captures?: () => unknown[],
) => unknown;

/** Exported by `kept/runtime` under the names `cacheData` and `cacheResource`. */
export type MakeSite = (spec: SiteSpec) => CachedCall;

/**
 * Exported by `kept/runtime` as `mark`: tells the runtime that this very function object is that site, so that
 * `clear(fn)` finds functions that no module-level expression names (closures, local classes). Gives `fn` back.
 *
 * @param captures what its results depend on besides its code and its arguments: the keyed variables around it, and of an
 *   arrow the `this` around it. Two functions of one site are two keys if these differ. `null`: that can't be told, so the
 *   function is no part of a key.
 */
export type Mark = <F>(fn: F, site: CachedCall, captures?: (() => unknown[]) | null) => F;

export { type Duration, parseDuration } from "./duration.ts";
