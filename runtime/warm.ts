/** Calls that are made before anyone waits for them: at build, so that a deploy starts warm, or at start-up. */
import { type HitEvent, type MissEvent, on, type StaleEvent } from "./events.ts";
import { flushed } from "./persist.ts";
import { asyncContext, quietTimer, stopTimer } from "./platform.ts";
import { sites } from "./registry.ts";

export interface WarmOptions {
  /** Most calls at a time. Default 4; 1 where the host can't tell which call an event belongs to. */
  readonly concurrency?: number;
  /** Told of each call when it is done. */
  readonly onDone?: (warmed: Warmed) => void;
}

/** What became of one call. */
export interface Warmed {
  /** Of the call, as it was given. */
  readonly name: string;
  /** The first cached function that it called; nothing if it called none. */
  readonly site: string | undefined;
  /** `hit`: it was there; `miss`: its body ran; `stale`: it was there, and has been computed anew; `none`: nothing is cached. */
  readonly outcome: "hit" | "miss" | "stale" | "none" | "failed";
  /** Whether the result outlives the process. */
  readonly persisted: boolean;
  /** ms. */
  readonly took: number;
  /** What the call threw. */
  readonly error?: unknown;
}

/** ms that is waited for what is computed anew behind a stale result. */
const PATIENCE = 30_000;

interface Seen {
  event: HitEvent | MissEvent | StaleEvent | undefined;
}

/**
 * Makes the calls, and waits until what they bring is written down. A call that fails is told of and stops no other.
 *
 * ```ts
 * await warm({ rides: () => loadRides(url), countries: () => loadCountries() });
 * ```
 *
 * A call that calls no cached function is made twice, if others were made at the same time.
 *
 * @param calls by name, or a list: then a name is that of the function, or its place
 */
export async function warm(
  calls: Readonly<Record<string, () => unknown>> | Iterable<() => unknown>,
  options: WarmOptions = {},
): Promise<Warmed[]> {
  const named: [string, () => unknown][] =
    Symbol.iterator in calls
      ? [...(calls as Iterable<() => unknown>)].map((call, at) => [call.name || `${at + 1}`, call])
      : Object.entries(calls);
  const context = asyncContext<Seen>();
  let alone: Seen | undefined;
  const note = (event: HitEvent | MissEvent | StaleEvent) => {
    const seen = context?.getStore() ?? alone;
    if (seen === undefined) return;
    seen.event ??= event;
    if (event.type === "stale") owed.add(`${event.site} ${event.key}`);
  };
  /** Refreshes that are due, and what is done when none is left. */
  const owed = new Set<string>();
  let paid = () => {};
  const pay = (isPaid: (place: string) => boolean) => {
    for (const place of owed) if (isPaid(place)) owed.delete(place);
    if (owed.size === 0) paid();
  };
  const deaf = [
    on("hit", note),
    on("miss", note),
    on("stale", note),
    on("store", ({ site, key }) => pay((place) => place === `${site} ${key}`)),
    on("fault", ({ code, site }) => code === "refresh-failed" && pay((place) => place.startsWith(`${site} `))),
  ];
  const done: Warmed[] = [];

  const many = context === undefined ? 1 : Math.max(1, options.concurrency ?? 4);
  let isCrowded = many > 1 && named.length > 1;
  const joined: [number, string, () => unknown][] = [];

  async function one(name: string, call: () => unknown, at: number): Promise<void> {
    const seen: Seen = { event: undefined };
    const began = performance.now();
    let failure: { error: unknown } | undefined;
    try {
      if (context === undefined) alone = seen;
      await (context === undefined ? call() : context.run(seen, call));
    } catch (error) {
      failure = { error };
    }
    const { site, type } = seen.event ?? {};
    const warmed: Warmed = {
      name,
      site,
      outcome: failure ? "failed" : (type ?? "none"),
      persisted: site !== undefined && sites.get(site)?.persisted === true,
      took: performance.now() - began,
      ...failure,
    };
    done[at] = warmed;
    // It may have joined another's run, which nobody tells of: it is asked again when that is over.
    if (warmed.outcome === "none" && isCrowded) joined.push([at, name, call]);
    else options.onDone?.(warmed);
  }

  const waiting = named.entries();
  const worker = async () => {
    for (const [at, [name, call]] of waiting) await one(name, call, at);
  };
  try {
    await Promise.all(Array.from({ length: many }, worker));
    isCrowded = false;
    for (const [at, name, call] of joined) await one(name, call, at);
    if (owed.size > 0) {
      await new Promise<void>((done) => {
        const timer = quietTimer(done, PATIENCE);
        paid = () => {
          stopTimer(timer);
          done();
        };
      });
    }
  } finally {
    for (const stop of deaf) stop();
    // One that is used makes every promise of the process dearer, in some versions of Node.
    context?.disable?.();
    await flushed();
  }
  return done;
}
