/** What holds for all functions of the process: bounds, the clock, the refreshes behind. */
import { type Duration, parseDuration } from "./contract.ts";
import { invalidOption, unknownOption } from "./errors.ts";
import { shared } from "./shared.ts";
import type { GuardSettings } from "./stores/guard.ts";
import { Seal } from "./stores/seal.ts";
import type { Store } from "./stores/store.ts";

export interface Configuration {
  /** Most bytes that all `data` entries in memory take together, by estimate. Default: no bound. */
  readonly maxBytes?: number | undefined;
  /** Most refreshes (`staleFor`) at a time; those above are skipped, not queued. 0 switches them off. Default 16. */
  readonly maxRefreshes?: number | undefined;
  /** After a failed refresh, how long until the next try for that key. Default `"60s"`. */
  readonly refreshCooldown?: Duration | undefined;
  /**
   * Where `persist: "disk"` keeps results; each app has a folder of its own in it. Default: `node_modules/.cache/kept` of
   * the package around the working directory, else the user's cache folder. `KEPT_DIR` in the environment says it, too.
   */
  readonly dir?: string | undefined;
  /** Most bytes on disk; the results used least recently go first. Default 2 GiB. */
  readonly maxDiskBytes?: number | undefined;
  /** Where functions with `persist` keep their results instead. Default: the disk. The same as `stores` with this one. */
  readonly store?: Store | undefined;
  /**
   * Where functions with `persist` keep their results, in the order in which they are asked: `["disk", redisStore()]`.
   * Results are written to all, what a lower one has goes up on the way, and what is cleared is cleared in all. Functions
   * that are not `async` use those that need not be waited for. `"disk"` is the one that is there by default.
   */
  readonly stores?: readonly (Store | "disk" | StoreOptions)[] | undefined;
  /**
   * At least 16 characters or bytes, or several of them: the first seals what is stored, all are accepted, so that it can
   * be changed. What others have written, changed or moved in a store is a miss, and a `fault` (`entry-forged`). Names of
   * functions, keys and tags are not told to the store. Values are not encrypted.
   */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** `false`: no spinner for any function. Default `true` (which still needs an interactive terminal). */
  readonly spinner?: boolean | undefined;
  /** The clock, in ms; must never go back. For tests. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/** One of several stores, and how patient one is with it. Durations as everywhere: a number is seconds. */
export interface StoreOptions {
  readonly store: Store | "disk";
  /** Most time that a call waits for its answer; it goes on without it then. Default `"1s"`. Not for stores that are `sync`. */
  readonly timeout?: Duration | undefined;
  /**
   * After so many failures {@link within} some time, if they are not the smaller part of the answers, it is not asked for
   * a while; also when it has been silent for one whole `timeout`. Default 5.
   */
  readonly failures?: number | undefined;
  /** Default `"10s"`. */
  readonly within?: Duration | undefined;
  /** How long it is not asked, at first: doubled with each try that fails, and 25 % more or less. Default `"1s"`. */
  readonly pause?: Duration | undefined;
  /** Default `"60s"`. */
  readonly maxPause?: Duration | undefined;
  /**
   * Results stay in it at most so long; only for a store with `can.ttl`. Beside a store that is shared with other machines:
   * so long it may serve what another machine has cleared. Without it, it serves only what the shared one vouches for.
   */
  readonly ttl?: Duration | undefined;
}

/** The same, in ms. */
export interface StoreSettings {
  readonly store: Store | "disk";
  readonly guard: GuardSettings;
  readonly ttl?: number | undefined;
}

interface Settings {
  maxBytes: number;
  maxRefreshes: number;
  refreshCooldown: number;
  dir: string | undefined;
  maxDiskBytes: number | undefined;
  stores: readonly StoreSettings[];
  seal: Seal | undefined;
  spinner: boolean;
  now: () => number;
}

const monotonic = (): number => performance.now();

const GUARD: GuardSettings = { timeout: 1000, failures: 5, within: 10_000, pause: 1000, maxPause: 60_000 };

const DEFAULTS: Readonly<Settings> = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxRefreshes: 16,
  refreshCooldown: 60_000,
  dir: undefined,
  maxDiskBytes: undefined,
  stores: [{ store: "disk", guard: GUARD }],
  seal: undefined,
  spinner: true,
  now: monotonic,
};

export const settings: Settings = shared("settings", () => ({ ...DEFAULTS }));
const watchers = shared("settings.watchers", () => new Set<() => void>());

/** ms on a clock that never goes back. All lifetimes are counted on it. */
export function now(): number {
  return settings.now();
}

/** ms since 1970, in fractions: other processes read it. It goes on as evenly as the clock of the lifetimes. */
export function wall(): number {
  return performance.timeOrigin + performance.now();
}

/** Calls `watcher` after every change of a setting. */
export function onConfigure(watcher: () => void): void {
  watchers.add(watcher);
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY) && value >= 0;

const isStore = (value: any): value is Store =>
  typeof value?.can === "object" &&
  ["get", "set", "remove", "flush", "close"].every((method) => typeof value[method] === "function");

interface Wrong {
  readonly expected: string;
}
/** What is right, what is said otherwise, and how it is taken. `where` is for what is wrong further inside. */
type Rule<T> = (value: any, where: string) => T | Wrong;

const A_DURATION = 'seconds, or a string with a unit such as "60s"';
const A_STORE = "a store; kept/stores/conformance says what one does";

function duration(least: number): Rule<number> {
  return (value) => {
    const ms = typeof value === "number" || typeof value === "string" ? parseDuration(value) : undefined;
    return ms !== undefined && ms >= least ? ms : { expected: A_DURATION };
  };
}

/** One row an option of `configure`: the setting that it makes. */
const RULES: { readonly [K in keyof Configuration]-?: readonly [keyof Settings, Rule<unknown>] } = {
  maxBytes: ["maxBytes", (value) => (isCount(value) && value > 0 ? value : { expected: "a number of bytes from 1" })],
  maxRefreshes: ["maxRefreshes", (value) => (isCount(value) ? value : { expected: "a whole number from 0" })],
  refreshCooldown: ["refreshCooldown", duration(0)],
  dir: ["dir", (value) => (typeof value === "string" && value !== "" ? value : { expected: "a path" })],
  maxDiskBytes: [
    "maxDiskBytes",
    (value) => (isCount(value) && value > 0 ? value : { expected: "a number of bytes from 1" }),
  ],
  store: ["stores", (value) => (isStore(value) ? [{ store: value, guard: GUARD }] : { expected: A_STORE })],
  stores: ["stores", takeStores],
  secret: ["seal", takeSecret],
  spinner: ["spinner", (value) => (typeof value === "boolean" ? value : { expected: "true or false" })],
  now: ["now", (value) => (typeof value === "function" ? value : { expected: "a function that gives milliseconds" })],
};

const STORE_RULES: { readonly [K in keyof Omit<StoreOptions, "store">]-?: Rule<number> } = {
  timeout: duration(1),
  failures: (value) => (isCount(value) && value > 0 ? value : { expected: "a whole number from 1" }),
  within: duration(1),
  pause: duration(1),
  maxPause: duration(1),
  ttl: duration(1),
};

function takeStores(value: unknown, where: string): readonly StoreSettings[] | Wrong {
  if (!Array.isArray(value) || value.length === 0) return { expected: "a list of stores" };
  const taken = value.map((each, at) => takeStore(each, `${where}: stores[${at}]`));
  const stores = taken.map(({ store }) => store);
  return new Set(stores).size === stores.length ? taken : { expected: "a list of stores, each of them once" };
}

function takeStore(value: any, where: string): StoreSettings {
  if (isStore(value) || value === "disk") return { store: value, guard: GUARD };
  const { store, ...options } = Object(value) as StoreOptions;
  if (store !== "disk" && !isStore(store)) throw invalidOption(where, "store", store, `"disk" or ${A_STORE}`);
  const taken = take(STORE_RULES, options, where) as Partial<GuardSettings & { ttl: number }>;
  const { ttl, ...guard } = taken;
  if (ttl !== undefined && store !== "disk" && !store.can.ttl)
    throw invalidOption(where, "ttl", options.ttl, `left out: the store \`${store.name}\` can't forget by itself`);
  return { store, guard: { ...GUARD, ...guard }, ttl };
}

const LEAST_SECRET = 16;

function takeSecret(value: unknown): Seal | Wrong {
  const secrets = Array.isArray(value) ? value : [value];
  const isLong = (secret: unknown) =>
    (typeof secret === "string" || secret instanceof Uint8Array) && secret.length >= LEAST_SECRET;
  if (secrets.length > 0 && secrets.every(isLong)) return new Seal(secrets);
  return { expected: `${LEAST_SECRET} or more characters or bytes that nobody can guess, or a list of such` };
}

/** @returns what was given, as it is kept; nothing for what is to be the default */
function take(rules: Readonly<Record<string, Rule<unknown>>>, options: object, where: string): Record<string, unknown> {
  const taken: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name)) throw unknownOption(where, name, Object.keys(rules), nearest(name, rules));
    if (value === undefined) continue;
    const found = (rules[name] as Rule<unknown>)(value, where);
    if (typeof found === "object" && found !== null && "expected" in found) {
      // What was meant as a secret is not to be read in a log.
      throw invalidOption(where, name, name === "secret" ? undefined : value, (found as Wrong).expected);
    }
    taken[name] = found;
  }
  return taken;
}

/**
 * Changes settings of the whole process; what is left out stays as it is, and `undefined` brings the default back.
 *
 * @throws KeptError `unknown-option`, `invalid-option`; nothing is changed then
 */
export function configure(configuration: Configuration): void {
  const rules = Object.fromEntries(Object.entries(RULES).map(([name, [, rule]]) => [name, rule]));
  const taken = take(rules, configuration, "configure");
  if (taken.store !== undefined && taken.stores !== undefined)
    throw invalidOption("configure", "store", configuration.store, "left out where `stores` is given");
  const changes: Partial<Record<keyof Settings, unknown>> = {};
  for (const name of Object.keys(configuration) as (keyof Configuration)[]) {
    const [setting] = RULES[name];
    changes[setting] = taken[name] ?? changes[setting] ?? DEFAULTS[setting];
  }
  Object.assign(settings, changes);
  for (const watcher of watchers) watcher();
}

/** The setting that was probably meant: same letters but for case, or one that begins alike. */
function nearest(name: string, rules: object): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_]/g, "");
  const wanted = plain(name);
  return Object.keys(rules).find((known) => {
    const have = plain(known);
    return have === wanted || have.startsWith(wanted) || wanted.startsWith(have) || distance(have, wanted) <= 2;
  });
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((next[j - 1] as number) + 1, (row[j] as number) + 1, swap);
    }
    row = next;
  }
  return row[b.length] as number;
}
