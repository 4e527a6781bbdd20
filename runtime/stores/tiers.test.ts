import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { withEntries } from "../../fixtures/entry-store.ts";
import { nameOf, type Puppet, puppet, sleep } from "../../fixtures/puppet-store.ts";
import { wall } from "../config.ts";
import { type FaultEvent, on } from "../events.ts";
import { readEntry, writeEntry } from "./bytes.ts";
import { conformance, memoryStore, type Store, withChaos } from "./conformance.ts";
import { diskStore } from "./disk.ts";
import { guarded } from "./guard.ts";
import { Seal } from "./seal.ts";
import type { About, Changed, EntryName, Leased } from "./store.ts";
import { tiered } from "./tiers.ts";

const QUICK = { timeout: 30, failures: 3, within: 1000, pause: 10, maxPause: 20 };
const PATIENT = { ...QUICK, timeout: 2000 };
const top = mkdtempSync(join(tmpdir(), "kept-tiers-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let faults: FaultEvent[] = [];
let deaf = () => {};
beforeEach(() => {
  faults = [];
  deaf = on("fault", (event) => faults.push(event));
});
afterEach(() => deaf());
const codes = () => faults.map(({ code }) => code);

const over = (stores: readonly Store[], settings = QUICK): Store =>
  tiered(stores.map((store) => ({ store: guarded(store, settings) })));

const FOREVER = Number.POSITIVE_INFINITY;
function write(store: Store, name: EntryName, value: unknown, tags: string[] = [], more: Partial<About> = {}) {
  const began = wall();
  const until = more.until ?? FOREVER;
  const pieces = writeEntry({ ...name, began, cost: 0, expires: until, until, tags, value, replay: undefined });
  return store.set(name, pieces, { began, until, tags, maxEntries: undefined, ...more });
}
async function read(store: Store, name: EntryName): Promise<unknown> {
  const bytes = await store.get(name);
  return bytes === undefined ? undefined : readEntry(bytes, name).value;
}
const A = nameOf("a");

let made = 0;
const disk = () => diskStore({ dir: join(top, `${++made}`) });
const seal = new Seal(["a secret of the tests, long enough", "the one before it, long enough, too"]);
const calm = { random: () => 0.999 };

describe.each([
  ["two in memory", () => over([memoryStore(), memoryStore()])],
  ["disk, then memory", () => over([disk(), memoryStore()])],
  ["disk, then one that must be waited for", () => over([disk(), puppet()], PATIENT)],
  ["two that must be waited for", () => over([puppet(), puppet()], PATIENT)],
  ["one that is always down, then memory", () => over([down(), memoryStore()])],
  ["memory, then one that is always down", () => over([memoryStore(), down()])],
  ["a sealed one", () => guarded(seal.around(memoryStore()), QUICK)],
  ["a sealed one that must be waited for", () => guarded(seal.around(puppet()), PATIENT)],
  ["disk and another, sealed", () => over([seal.around(disk()), seal.around(puppet())], PATIENT)],
  [
    "two, each behind a wrapper that does no mischief",
    () => over([withChaos(memoryStore(), calm), withChaos(puppet(), { ...calm, delay: 1 })], PATIENT),
  ],
] as const)("%s", (_, make) => {
  for (const { name, run } of conformance(() => ({ store: withEntries(make()) }))) test(name, run);
});

function down(): Puppet {
  const store = puppet();
  store.moods = { all: "reject" };
  return store;
}

describe("tiers", () => {
  test("are asked in their order, and what a lower one has goes up", async () => {
    const [first, second, third] = [memoryStore(), puppet(), memoryStore()];
    await write(third, A, "x", ["t"]);
    const tiers = over([first, second, third]);
    expect(await read(tiers, A)).toBe("x");
    expect(await read(first, A)).toBe("x");
    await sleep(5);
    expect(await read(second.inner, A)).toBe("x");
    expect(second.count("get")).toBe(1);
    expect(await read(tiers, A)).toBe("x");
    expect(second.count("get")).toBe(1);
    // With all that belongs to it.
    first.remove({ tag: "t" });
    expect(await read(first, A)).toBeUndefined();
  });

  test("all get what is written, and all forget what is removed", async () => {
    const [first, second] = [memoryStore(), puppet()];
    const tiers = over([first, second]);
    await write(tiers, A, 1);
    expect([await read(first, A), await read(second.inner, A)]).toEqual([1, 1]);
    await tiers.remove({ site: A.site });
    expect([await read(first, A), await read(second.inner, A)]).toEqual([undefined, undefined]);
  });

  test("say of themselves what holds for all, and what one can do", () => {
    const all = { sync: true, ttl: true, tags: true, lease: false, watch: false };
    const none = { sync: false, ttl: false, tags: false, lease: false, watch: false };
    const store = (can: Store["can"]) => ({ ...puppet(), can });
    expect(over([store(all), store(all)]).can).toEqual(all);
    expect(over([store(all), store(none)]).can).toEqual(none);
    expect(over([store(all), shared().store]).can).toEqual({ ...all, sync: false, lease: true, watch: true });
  });

  test("one whose entry is damaged, or over, is a miss of that tier alone", async () => {
    const [first, second] = [memoryStore(), memoryStore()];
    const forgetful = { ...first, can: { ...first.can, ttl: false } };
    for (const spoil of [
      () => first.set(A, [new Uint8Array([1, 2, 3])], { began: 0, until: FOREVER, tags: [], maxEntries: undefined }),
      () => write(first, A, "old", [], { until: wall() - 1 }),
    ]) {
      const tiers = over([forgetful, second]);
      await write(tiers, A, "good");
      spoil();
      expect(await read(tiers, A)).toBe("good");
      expect(await read(first, A)).toBe("good");
    }
    expect(codes()).toEqual(["entry-damaged"]);
  });

  test("are left by an entry after the `ttl` of the tier", async () => {
    const first = memoryStore();
    const tiers = tiered([{ store: guarded(first, QUICK), ttl: 20 }, { store: guarded(memoryStore(), QUICK) }]);
    await write(tiers, A, 1);
    expect(await read(first, A)).toBe(1);
    await sleep(30);
    expect(await read(first, A)).toBeUndefined();
    expect(await read(tiers, A)).toBe(1);
    expect(await read(first, A)).toBe(1);
  });

  test("what is removed or replaced while it is read from below does not come up", async () => {
    for (const meanwhile of [
      (tiers: Store) => tiers.remove({ site: A.site, key: A.key }),
      (tiers: Store) => tiers.remove({ tag: "t" }),
      (tiers: Store) => tiers.remove({}),
      (tiers: Store) => write(tiers, A, "new"),
    ]) {
      const [first, second] = [memoryStore(), puppet()];
      await write(second.inner, A, "old", ["t"]);
      second.moods = { get: { after: 20 } };
      const tiers = over([first, second], PATIENT);
      const reading = read(tiers, A);
      await sleep(5);
      void meanwhile(tiers);
      await reading;
      await sleep(30);
      expect(await read(first, A)).not.toBe("old");
      expect(await read(tiers, A)).not.toBe("old");
    }
  });
});

/** A store that other processes share, by hand: what they change is told by `change`. */
function shared() {
  const inner = memoryStore();
  const watching = new Map<string, Changed[]>();
  const watch = (name: EntryName, changed?: Changed) => {
    if (changed === undefined) return;
    const place = JSON.stringify(name);
    watching.set(place, [...(watching.get(place) ?? []), changed]);
  };
  let tokens = 0;
  const state = { isDown: false, refuses: false, released: [] as string[] };
  const act = async <T>(work: () => T): Promise<T> => {
    if (state.isDown) throw new Error("down");
    return work();
  };
  const store: Store = {
    name: "shared",
    can: { sync: false, ttl: true, tags: true, lease: true, watch: true },
    staleness: 50,
    patience: 100,
    get: (name, changed) =>
      act(() => {
        const bytes = inner.get(name);
        if (bytes !== undefined) watch(name, changed);
        return bytes as Uint8Array | undefined;
      }),
    set: (name, pieces, about, changed) =>
      act(() => {
        if (state.refuses) return false;
        inner.set(name, pieces, about);
        watch(name, changed);
        return true;
      }),
    lease: (name, _cause, changed): Promise<Leased> =>
      act(() => {
        const bytes = inner.get(name) as Uint8Array | undefined;
        if (bytes === undefined) return { token: `t${++tokens}` };
        watch(name, changed);
        return { bytes };
      }),
    release: (_name, token) =>
      act(() => {
        state.released.push(token);
      }),
    remove: (which) => act(() => inner.remove(which) as undefined),
    flush: async () => {},
    close: async () => {},
  };
  function change(name: EntryName): void {
    inner.remove({ site: name.site, key: name.key });
    const place = JSON.stringify(name);
    for (const changed of watching.get(place) ?? []) changed();
    watching.delete(place);
  }
  return { store, inner, state, change };
}

describe("beside a store that is shared with other processes", () => {
  test("another serves only what the shared one vouches for", async () => {
    const local = memoryStore();
    const { store, inner, change } = shared();
    // From before this process began: others may have cleared it since.
    await write(local, A, "of yesterday");
    const tiers = over([local, store]);
    expect(await read(tiers, A)).toBeUndefined();
    await write(inner, A, "x");
    expect(await read(tiers, A)).toBe("x");
    inner.remove({});
    expect(await read(tiers, A)).toBe("x");
    change(A);
    expect(await read(tiers, A)).toBeUndefined();
  });

  test("what this process has written is vouched for, too, until it changes", async () => {
    const local = memoryStore();
    const { store, state, change } = shared();
    const tiers = over([local, store]);
    let told = 0;
    await tiers.set(A, [], { began: 0, until: FOREVER, tags: [], maxEntries: undefined }, () => told++);
    await write(tiers, A, 1, [], { token: "t" });
    state.isDown = true;
    expect(await read(tiers, A)).toBe(1);
    change(A);
    expect(told).toBe(1);
    expect(await read(tiers, A)).toBeUndefined();
  });

  test("one with a `ttl` serves without it, also when the shared one is away", async () => {
    const local = memoryStore();
    const { store, state } = shared();
    const tiers = tiered([{ store: guarded(local, QUICK), ttl: 10_000 }, { store: guarded(store, QUICK) }]);
    state.isDown = true;
    const leased = await tiers.lease?.(A, "miss");
    expect(leased).toEqual({ token: "" });
    let told = 0;
    const began = wall();
    const entry = { ...A, began, cost: 0, expires: FOREVER, until: FOREVER, tags: [], value: 1, replay: undefined };
    const about = { began, until: FOREVER, tags: [], maxEntries: undefined, token: leased?.token };
    await tiers.set(A, writeEntry(entry), about, () => told++);
    expect(await read(tiers, A)).toBe(1);
    expect((await tiers.lease?.(A, "miss"))?.bytes).toBeDefined();
    // Memory is not told of changes: so it asks again after a while.
    await sleep(70);
    expect(told).toBe(1);
  });

  test("without one, nobody is granted anything while it is away", async () => {
    const { store, state } = shared();
    state.isDown = true;
    await expect(over([memoryStore(), store]).lease?.(A, "miss")).rejects.toThrow();
  });

  test("what it refuses is taken back everywhere", async () => {
    const local = memoryStore();
    const { store, state } = shared();
    const tiers = over([local, store]);
    expect(await write(tiers, A, 0)).not.toBe(false);
    state.refuses = true;
    expect(await write(tiers, A, 1)).toBe(false);
    expect(await read(local, A)).toBeUndefined();
  });

  test("nothing is written back to it: others may have cleared it there", async () => {
    const local = memoryStore();
    const { store, inner, state } = shared();
    await write(local, A, 1);
    const tiers = tiered([{ store: guarded(store, QUICK) }, { store: guarded(local, QUICK), ttl: 10_000 }]);
    expect(await read(tiers, A)).toBe(1);
    const leased = await tiers.lease?.(A, "miss");
    expect(leased?.bytes).toBeDefined();
    await sleep(5);
    expect(inner.get(A)).toBeUndefined();
    expect(state.released).toEqual(["t1"]);
  });

  test("a lease is asked for once what is above has nothing", async () => {
    const local = memoryStore();
    const { store, state } = shared();
    const tiers = over([local, store]);
    const leased = await tiers.lease?.(A, "miss");
    expect(leased?.token).toBe("t1");
    await write(tiers, A, 1, [], { token: "t1" });
    expect((await tiers.lease?.(A, "miss"))?.bytes).toBeDefined();
    tiers.release?.(A, "t9");
    await sleep(1);
    expect(state.released).toEqual(["t9"]);
  });

  test("a lease that is granted too late is given back", async () => {
    const { store, state } = shared();
    const slow: Store = {
      ...store,
      patience: 1,
      lease: async () => {
        await sleep(400);
        return { token: "late" };
      },
    };
    await expect(guarded(slow, QUICK).lease?.(A, "miss")).rejects.toThrow();
    await sleep(600);
    expect(state.released).toEqual(["late"]);
  });

  test("also where the store is out of reach by then", async () => {
    const { store, state } = shared();
    const hangs = { ...store, patience: 1, get: () => new Promise<undefined>(() => {}) };
    const guard = guarded({ ...hangs, lease: () => sleep(300).then(() => ({ token: "late" })) }, QUICK);
    await expect(guard.lease?.(A, "miss")).rejects.toThrow();
    await sleep(500);
    expect(state.released).toEqual(["late"]);
  });

  test("a store that falls silent while others are waited for is not waited for", async () => {
    const { store } = shared();
    const hung = {
      ...store,
      patience: 10_000,
      lease: () => new Promise<Leased>(() => {}),
      get: () => new Promise<undefined>(() => {}),
    };
    const began = performance.now();
    await expect(guarded(hung, QUICK).lease?.(A, "miss")).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe("against a model", () => {
  const RUNS = Number(process.env.KEPT_RUNS ?? 80);
  const KEYS = ["a", "b", "c"];
  type Step =
    | { readonly kind: "set" | "get" | "removeKey"; readonly key: string }
    | { readonly kind: "removeAll" | "removeSite" | "removeTag" | "pass" }
    | { readonly kind: "mood"; readonly tier: number; readonly mood: "fine" | "reject" | "throw" | "hang" | "slow" };
  const steps: fc.Arbitrary<Step> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("set" as const), key: fc.constantFrom(...KEYS) }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("get" as const), key: fc.constantFrom(...KEYS) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("removeKey" as const), key: fc.constantFrom(...KEYS) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("removeAll" as const, "removeSite" as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("removeTag" as const, "pass" as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("mood" as const),
        tier: fc.integer({ min: 0, max: 1 }),
        mood: fc.constantFrom(
          "fine" as const,
          "fine" as const,
          "reject" as const,
          "throw" as const,
          "hang" as const,
          "slow" as const,
        ),
      }),
    },
  );

  /** A tier that is away while something is removed, and comes back: what random steps find too seldom. */
  const outage: fc.Arbitrary<readonly Step[]> = fc
    .record({
      key: fc.constantFrom(...KEYS),
      tier: fc.integer({ min: 0, max: 1 }),
      mood: fc.constantFrom("reject" as const, "throw" as const, "hang" as const),
      reads: fc.integer({ min: 0, max: 3 }),
      what: fc.constantFrom("removeKey" as const, "removeAll" as const, "removeTag" as const, "set" as const),
    })
    .map(({ key, tier, mood, reads, what }): Step[] => [
      { kind: "set", key },
      { kind: "pass" },
      { kind: "mood", tier, mood },
      ...Array.from({ length: reads }, (): Step => ({ kind: "get", key: "other" })),
      what === "removeKey" || what === "set" ? { kind: what, key } : { kind: what },
      { kind: "pass" },
      { kind: "mood", tier, mood: "fine" },
      { kind: "get", key },
      { kind: "pass" },
      { kind: "get", key },
      { kind: "pass" },
      { kind: "get", key },
    ]);
  const scripts = fc
    .array(fc.oneof({ weight: 6, arbitrary: steps.map((step) => [step]) }, { weight: 1, arbitrary: outage }), {
      minLength: 5,
      maxLength: 30,
    })
    .map((parts): readonly Step[] => parts.flat());

  /** Everything that happens to two tiers, of which each may be out of reach at any time. `wait`: each step is awaited. */
  async function play(all: readonly Step[], wait: boolean): Promise<{ hits: number }> {
    const stores = [puppet(), puppet()];
    const settings = { timeout: 8, failures: 2, within: 1000, pause: 3, maxPause: 6 };
    const tiers = over(stores, settings);
    const latest = new Map<string, number>();
    let hits = 0;
    for (const [at, step] of all.entries()) {
      let work: unknown;
      switch (step.kind) {
        case "set":
          latest.set(step.key, at);
          work = write(tiers, nameOf(step.key), at, ["t"]);
          break;
        case "get": {
          const value = await read(tiers, nameOf(step.key));
          if (value === undefined) break;
          hits++;
          expect(value).toBe(latest.get(step.key));
          break;
        }
        case "removeKey":
          latest.delete(step.key);
          work = tiers.remove({ site: A.site, key: step.key });
          break;
        case "removeAll":
        case "removeSite":
        case "removeTag":
          latest.clear();
          work = tiers.remove(
            step.kind === "removeAll" ? {} : step.kind === "removeSite" ? { site: A.site } : { tag: "t" },
          );
          break;
        case "pass":
          await sleep(7);
          break;
        case "mood":
          (stores[step.tier] as Puppet).moods =
            step.mood === "fine" ? {} : { all: step.mood === "slow" ? { after: 3 } : step.mood };
      }
      if (wait) await work;
    }
    return { hits };
  }

  test.each([
    ["one after the other", true],
    ["without waiting", false],
  ])(
    "nothing that was removed or replaced is served, %s",
    async (_, wait) => {
      let hits = 0;
      await fc.assert(
        fc.asyncProperty(scripts, async (all) => {
          hits += (await play(all, wait)).hits;
        }),
        { numRuns: RUNS },
      );
      expect(hits).toBeGreaterThan(100);
    },
    60_000 + 1000 * RUNS,
  );

  test("and everything is served again when all are well", async () => {
    const stores = [puppet(), puppet()];
    const tiers = over(stores, { timeout: 100, failures: 2, within: 1000, pause: 30, maxPause: 60 });
    for (const store of stores) store.moods = { all: "hang" };
    await read(tiers, A);
    void tiers.remove({});
    for (const store of stores) store.moods = {};
    const resumed = () => codes().filter((code) => code === "store-resumed").length;
    // On a busy machine an answer may still come too late.
    for (let tries = 0; resumed() < 2 && tries < 200; tries++) {
      await sleep(50);
      await read(tiers, A);
    }
    await write(tiers, A, 1);
    expect(await read(tiers, A)).toBe(1);
    expect(codes().filter((code) => code !== "store-failed")).toEqual([
      "store-suspended",
      "store-suspended",
      "store-resumed",
      "store-resumed",
    ]);
  });
});
