/**
 * A thousand calls, clears, refreshes, failures and ends of runs in a random order, against a model that is simple enough
 * to be believed. After each step the two must agree on every promise, every body that was started, and every entry.
 *
 * `SEED=7 ROUNDS=1` repeats one round.
 */
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { asyncData, asyncResource, Clock, data, settle } from "../fixtures/by-hand.ts";
import { caches, clear, configure, has, refresh, stats } from "./index.ts";
import { tracker } from "./run.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 150);
const STEPS = 1000;
const KEYS = 6;
const TTL = 100;
const STALE_FOR = 60;
const MOST = 4;
const COOLDOWN = 50;
const firstSeed = Number(process.env.SEED ?? 1);
const done = { rounds: 0, steps: 0, calls: 0, runs: 0, disagreements: 0 };

afterEach(async () => {
  await caches.close();
  configure({ now: undefined, maxRefreshes: undefined, refreshCooldown: undefined });
});
afterAll(() => {
  process.stdout.write(
    `Fuzz: ${done.rounds} rounds from seed ${firstSeed}, ${done.steps} steps, ${done.calls} calls, ${done.runs} runs, ` +
      `${done.disagreements} disagreements.\n`,
  );
});

/** mulberry32 */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** What a call is to come to: nothing yet, a value, or a failure, both named by the run that brought them. */
type Outcome = `value ${number}` | `error ${number}` | "pending";

interface ModelEntry {
  readonly run: number;
  readonly expires: number;
  readonly until: number;
  retryAt: number;
  refreshing: boolean;
}
interface ModelFlight {
  readonly run: number;
  readonly key: number;
  readonly owner: number | undefined;
  readonly stale: ModelEntry | undefined;
  readonly waiters: number[];
  cleared: boolean;
}

/** What the cache is to do, in the plainest words. Entries are in the order of use. */
class Model {
  readonly entries = new Map<number, ModelEntry>();
  readonly flights = new Map<number, ModelFlight>();
  readonly running = new Map<number, ModelFlight>();
  readonly outcomes: Outcome[] = [];
  runs = 0;
  refreshes = 0;
  at = 0;
  readonly maxRefreshes: number;

  constructor(maxRefreshes: number) {
    this.maxRefreshes = maxRefreshes;
  }

  call(key: number): void {
    this.outcomes.push("pending");
    this.begin(key, this.outcomes.length - 1);
  }

  begin(key: number, caller: number): void {
    const entry = this.entries.get(key);
    if (entry !== undefined && this.at < entry.until) {
      this.entries.delete(key);
      this.entries.set(key, entry);
      this.outcomes[caller] = `value ${entry.run}`;
      const idle = !entry.refreshing && this.at >= entry.retryAt && !this.flights.has(key);
      if (this.at >= entry.expires && idle && this.refreshes < this.maxRefreshes) {
        entry.refreshing = true;
        this.refreshes++;
        this.start(key, undefined, entry);
      }
      return;
    }
    this.entries.delete(key);
    const flight = this.flights.get(key);
    if (flight === undefined) this.start(key, caller, undefined);
    else flight.waiters.push(caller);
  }

  refresh(key: number): void {
    this.outcomes.push("pending");
    const flight = this.flights.get(key);
    if (flight !== undefined) flight.cleared = true;
    this.start(key, this.outcomes.length - 1, undefined);
  }

  start(key: number, owner: number | undefined, stale: ModelEntry | undefined): void {
    const flight = { run: ++this.runs, key, owner, stale, waiters: [], cleared: false };
    this.flights.set(key, flight);
    this.running.set(flight.run, flight);
  }

  end(run: number, fails: boolean): void {
    const flight = this.running.get(run) as ModelFlight;
    this.running.delete(run);
    if (this.flights.get(flight.key) === flight) this.flights.delete(flight.key);
    const outcome: Outcome = `${fails ? "error" : "value"} ${run}`;
    if (flight.owner !== undefined) this.outcomes[flight.owner] = outcome;
    if (flight.stale !== undefined) {
      flight.stale.refreshing = false;
      this.refreshes--;
      if (fails) flight.stale.retryAt = this.at + COOLDOWN;
    }
    if (!fails && !flight.cleared) this.keep(flight.key, run);
    for (const waiter of flight.waiters) {
      if (flight.cleared) this.begin(flight.key, waiter);
      else this.outcomes[waiter] = outcome;
    }
  }

  keep(key: number, run: number): void {
    const expires = this.at + TTL;
    this.entries.delete(key);
    this.entries.set(key, { run, expires, until: expires + STALE_FOR, retryAt: 0, refreshing: false });
    if (this.entries.size <= MOST) return;
    for (const [other, { until }] of [...this.entries]) if (this.at >= until) this.entries.delete(other);
    while (this.entries.size > MOST) {
      const [[least, entry]] = this.entries as unknown as [[number, ModelEntry]];
      this.entries.delete(least);
      if (entry.refreshing) this.clearFlight(least);
    }
  }

  clear(key: number | undefined): void {
    for (const one of key === undefined ? [...Array(KEYS).keys()] : [key]) {
      this.entries.delete(one);
      this.clearFlight(one);
    }
  }

  clearFlight(key: number): void {
    const flight = this.flights.get(key);
    if (flight === undefined) return;
    flight.cleared = true;
    this.flights.delete(key);
  }

  has(key: number): boolean {
    const entry = this.entries.get(key);
    return entry !== undefined && this.at < entry.expires;
  }
}

/** One round with the cache and the model side by side. */
async function round(seed: number, make: typeof asyncData): Promise<void> {
  const pick = random(seed);
  const clock = new Clock();
  const maxRefreshes = pick(3);
  configure({ now: clock.now, refreshCooldown: COOLDOWN / 1000, maxRefreshes });
  const model = new Model(maxRefreshes);
  model.at = clock.at;
  const bodies: { end(fails: boolean): void }[] = [];
  const outcomes: Outcome[] = [];
  const f = make({ ttl: TTL, staleFor: STALE_FOR, maxEntries: MOST }, (_key: number) => {
    const run = bodies.length + 1;
    return new Promise<{ run: number }>((resolve, reject) => {
      bodies.push({ end: (fails) => (fails ? reject(new Error(String(run))) : resolve({ run })) });
    });
  });
  const watch = (promise: Promise<{ run: number }>) => {
    const at = outcomes.push("pending") - 1;
    promise.then(
      ({ run }) => (outcomes[at] = `value ${run}`),
      ({ message }) => (outcomes[at] = `error ${Number(message)}`),
    );
  };
  const agree = (step: number, what: string) => {
    const keys = [...Array(KEYS).keys()];
    const same =
      model.runs === bodies.length &&
      model.outcomes.length === outcomes.length &&
      model.outcomes.every((outcome, at) => outcome === outcomes[at]) &&
      keys.every((key) => model.has(key) === has(f, key));
    if (same) return;
    done.disagreements++;
    const mine = { outcomes: model.outcomes, runs: model.runs, kept: keys.filter((key) => model.has(key)) };
    const theirs = { outcomes, runs: bodies.length, kept: keys.filter((key) => has(f, key)) };
    expect({ seed, step, what, ...theirs }).toEqual({ seed, step, what, ...mine });
  };
  for (let step = 0; step < STEPS; step++) {
    const key = pick(KEYS);
    const dice = pick(100);
    const running = [...model.running.keys()];
    let what = "";
    if (dice < 55) {
      what = `call ${key}`;
      model.call(key);
      watch(f(key));
    } else if (dice < 80 && running.length > 0) {
      const run = running[pick(running.length)] as number;
      const fails = pick(4) === 0;
      what = `end run ${run}${fails ? " with a failure" : ""}`;
      model.end(run, fails);
      bodies[run - 1]?.end(fails);
    } else if (dice < 86) {
      what = `pass ${key * 15}`;
      clock.pass(key * 15);
      model.at = clock.at;
    } else if (dice < 92) {
      what = `clear ${key}`;
      model.clear(key);
      clear(f, key);
    } else if (dice < 94) {
      what = "clear";
      model.clear(undefined);
      clear(f);
    } else {
      what = `refresh ${key}`;
      model.refresh(key);
      watch(refresh(f, key));
    }
    // Most steps follow at once, so that many things are under way together.
    if (pick(3) > 0) await settle(1);
    else for (let tick = 0; tick < 30; tick++) await null;
    agree(step, what);
  }
  for (const run of [...model.running.keys()]) {
    model.end(run, false);
    bodies[run - 1]?.end(false);
    await settle(1);
  }
  while (model.running.size > 0) {
    const [run] = model.running.keys();
    model.end(run as number, false);
    bodies[(run as number) - 1]?.end(false);
    await settle(1);
  }
  agree(STEPS, "the end");
  expect(outcomes.includes("pending")).toBe(false);
  expect([tracker.running, tracker.first]).toEqual([0, undefined]);
  done.rounds++;
  done.steps += STEPS;
  done.calls += outcomes.length;
  done.runs += bodies.length;
  clear(f);
}

test("data: 1,000 mixed steps a round", async () => {
  for (let seed = firstSeed; seed < firstSeed + ROUNDS; seed++) await round(seed, asyncData);
}, 240_000);

test("resource: the same, and each object is released exactly once or is its caller's", async () => {
  const rounds = Math.max(1, Math.floor(ROUNDS / 3));
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    const released = new Map<unknown, number>();
    const made = new Set<unknown>();
    const onRelease = () => (value: unknown) => released.set(value, (released.get(value) ?? 0) + 1);
    await round(seed, ((options: object, body: (...args: any[]) => any) =>
      asyncResource({ ...options, onRelease }, async (key: number) => {
        const value = await body(key);
        made.add(value);
        return value;
      })) as typeof asyncData);
    await caches.close();
    expect([...made].filter((value) => released.get(value) !== 1)).toEqual([]);
  }
}, 240_000);

test("not async: calls in bodies, clears in bodies, failures", () => {
  for (let seed = firstSeed; seed < firstSeed + Math.ceil(ROUNDS / 6); seed++) {
    const pick = random(seed);
    const id = `src/fuzz${seed}.ts#f`;
    // The model: which keys are kept. A run keeps its key unless the key is cleared while it is on the stack.
    const kept = new Map<number, number>();
    let stack: { key: number; cleared: boolean }[] = [];
    let runs = 0;
    const clearBoth = (key: number | undefined) => {
      for (const frame of stack) if (key === undefined || frame.key === key) frame.cleared = true;
      if (key === undefined) kept.clear();
      else kept.delete(key);
      if (key === undefined) clear(f);
      else clear(f, key);
    };
    const f: (key: number) => number = data({ id }, (key: number) => {
      const frame = { key, cleared: false };
      stack.push(frame);
      const run = ++runs;
      try {
        for (let act = pick(3); act > 0; act--) {
          const dice = pick(10);
          if (dice < 6 && key > 0) check(pick(key));
          else if (dice === 6) clearBoth(pick(KEYS));
          else if (dice === 7) clearBoth(undefined);
        }
        if (pick(5) === 0) throw new Error("no");
        if (!frame.cleared) kept.set(key, run);
        return run;
      } finally {
        stack.pop();
      }
    });
    const check = (key: number) => {
      const expected = kept.get(key);
      const before = runs;
      let result: number | undefined;
      try {
        result = f(key);
      } catch (error) {
        if (!(error instanceof Error && error.message === "no")) throw error;
      }
      const same = expected === undefined ? runs > before : result === expected && runs === before;
      if (!same) expect([seed, key, result, runs]).toEqual([seed, key, expected, before]);
    };
    for (let step = 0; step < STEPS; step++) {
      stack = [];
      if (pick(12) === 0) clearBoth(pick(KEYS));
      else check(pick(KEYS));
      for (let key = 0; key < KEYS; key++)
        expect([seed, step, key, has(f, key)]).toEqual([seed, step, key, kept.has(key)]);
    }
    expect(stats()[id]?.entries ?? 0).toBe(kept.size);
    done.rounds++;
    done.steps += STEPS;
    done.runs += runs;
  }
}, 240_000);
