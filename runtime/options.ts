/** `cacheOptions({ … })`, as the user types it. The compiler reads it and takes it away; see plugin/core/options.ts. */
import type { CopyMode, Duration, Scope } from "./contract.ts";

/** What a cached function is told. All of it is read when the program is built, so it must be literal. */
export interface CacheOptions<Value = any> {
  /**
   * How long a result is fresh, from when it was written. A number is seconds; a string needs a unit: `"500ms"`, `"90s"`,
   * `"5m"`, `"1h30m"`, `"1d"`, `"P1DT2H"`. 0 or less: every call is a miss. Default: no end, but that of the cached results
   * that it was made of.
   */
  readonly ttl?: Duration | null | undefined;
  /** After `ttl`, for how long the old result is still served while a new one is computed behind. Default: not at all. */
  readonly staleFor?: Duration | null | undefined;
  /** Most results kept for this function (for each session, with `scope: "session"`); the least recently used goes first. */
  readonly maxEntries?: number | null | undefined;
  /** Parameters (and captured variables) that are no part of the key, besides those whose name begins with `_`. */
  readonly ignore?: readonly string[];
  /** `"disk"`: results outlive the process. Data only. */
  readonly persist?: "disk" | boolean | null | undefined;
  /** Whose results these are: everyone's (default), or those of the session around the call ({@link withSession}). */
  readonly scope?: Scope;
  /** `"copy"` (default): every caller gets its own. `"freeze"`: all share one deep-frozen value. Data only. */
  readonly copy?: CopyMode;
  /** Tags of every result, for {@link clearTag}; {@link cacheTag} adds more during the run. */
  readonly tags?: readonly string[];
  /** Shown on a terminal while an `async` body runs: `false`: never; a text: that text. Default `true`. */
  readonly spinner?: boolean | string;
  /** Shows with the spinner how long it has taken so far. Default `false`. */
  readonly showTime?: boolean;
  /** The body may read {@link input}s; what they give is part of the key. Default `false`. */
  readonly allowInputs?: boolean;
  /** Change it to begin with no results: part of the code hash. */
  readonly version?: string | number;
  /** Environment variables whose values are part of the key. */
  readonly env?: readonly string[];
  /** What identifies a call, instead of its parameters. Called with the function's `this`. */
  readonly key?: () => readonly unknown[];
  /**
   * Called with the value (and the call's arguments) on every hit; unless it gives something truthy the resource is released
   * and made anew. A check that throws counts as a no. May be `async` if the function is. Resource only.
   */
  readonly validate?: (value: Value, ...args: any[]) => unknown;
  /**
   * Called once with every resource that is no longer kept, whatever the reason. May be `async`. Default: the value's own
   * `Symbol.asyncDispose` or `Symbol.dispose`. Resource only.
   */
  readonly onRelease?: (value: Value) => unknown;
}

/**
 * Options of the cached function at whose top it stands, after the directive. The compiler reads them and removes the call;
 * without the compiler it does nothing.
 *
 * ```ts
 * async function load(id: number) {
 *   "use cache data";
 *   cacheOptions({ ttl: "1h", maxEntries: 1000 });
 * ```
 */
export function cacheOptions<Value = any>(_options: CacheOptions<Value>): void {}
