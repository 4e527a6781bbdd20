/** What holds for all functions of the process: bounds, the clock, the refreshes behind. */
import { type Duration, parseDuration } from "./contract.ts";
import { invalidOption, unknownOption } from "./errors.ts";
import { shared } from "./shared.ts";
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
  /** Where functions with `persist` keep their results instead. Default: the disk. */
  readonly store?: Store | undefined;
  /** `false`: no spinner for any function. Default `true` (which still needs an interactive terminal). */
  readonly spinner?: boolean | undefined;
  /** The clock, in ms; must never go back. For tests. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

interface Settings {
  maxBytes: number;
  maxRefreshes: number;
  refreshCooldown: number;
  dir: string | undefined;
  maxDiskBytes: number | undefined;
  store: Store | undefined;
  spinner: boolean;
  now: () => number;
}

const monotonic = (): number => performance.now();

const DEFAULTS: Readonly<Settings> = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxRefreshes: 16,
  refreshCooldown: 60_000,
  dir: undefined,
  maxDiskBytes: undefined,
  store: undefined,
  spinner: true,
  now: monotonic,
};

export const settings: Settings = shared("settings", () => ({ ...DEFAULTS }));
const watchers = shared("settings.watchers", () => new Set<() => void>());

/** ms on a clock that never goes back. All lifetimes are counted on it. */
export function now(): number {
  return settings.now();
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

/** One row a setting: what is right, what is said otherwise, and how it is taken. */
const RULES: { readonly [K in keyof Settings]: (value: any) => Settings[K] | { readonly expected: string } } = {
  maxBytes: (value) => (isCount(value) && value > 0 ? value : { expected: "a number of bytes from 1" }),
  maxRefreshes: (value) => (isCount(value) ? value : { expected: "a whole number from 0" }),
  refreshCooldown: (value) => {
    const ms = typeof value === "number" || typeof value === "string" ? parseDuration(value) : undefined;
    return ms !== undefined && ms >= 0 ? ms : { expected: 'seconds, or a string with a unit such as "60s"' };
  },
  dir: (value) => (typeof value === "string" && value !== "" ? value : { expected: "a path" }),
  maxDiskBytes: (value) => (isCount(value) && value > 0 ? value : { expected: "a number of bytes from 1" }),
  store: (value) => (isStore(value) ? value : { expected: "a store; kept/stores/conformance says what one does" }),
  spinner: (value) => (typeof value === "boolean" ? value : { expected: "true or false" }),
  now: (value) => (typeof value === "function" ? value : { expected: "a function that gives milliseconds" }),
};

/**
 * Changes settings of the whole process; what is left out stays as it is, and `undefined` brings the default back.
 *
 * @throws KeptError `unknown-option`, `invalid-option`; nothing is changed then
 */
export function configure(configuration: Configuration): void {
  const changes: Partial<Record<keyof Settings, unknown>> = {};
  for (const [name, value] of Object.entries(configuration)) {
    if (!Object.hasOwn(RULES, name)) throw unknownOption("configure", name, Object.keys(RULES), nearest(name));
    const option = name as keyof Settings;
    const taken = value === undefined ? DEFAULTS[option] : RULES[option](value);
    if (typeof taken === "object" && "expected" in taken) throw invalidOption("configure", name, value, taken.expected);
    changes[option] = taken;
  }
  Object.assign(settings, changes);
  for (const watcher of watchers) watcher();
}

/** The setting that was probably meant: same letters but for case, or one that begins alike. */
function nearest(name: string): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_]/g, "");
  const wanted = plain(name);
  return Object.keys(RULES).find((known) => {
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
