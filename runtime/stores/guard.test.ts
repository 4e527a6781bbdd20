import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { nameOf, type Puppet, puppet, sleep } from "../../fixtures/puppet-store.ts";
import { wall } from "../config.ts";
import { type FaultEvent, on } from "../events.ts";
import { writeEntry } from "./bytes.ts";
import { conformance, memoryStore, type Store, withChaos } from "./conformance.ts";
import { guarded } from "./guard.ts";

const QUICK = { timeout: 40, failures: 3, within: 1000, pause: 60, maxPause: 200 };
let faults: FaultEvent[] = [];
let deaf = () => {};
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(() => {
  faults = [];
  deaf = on("fault", (event) => faults.push(event));
  process.on("unhandledRejection", note);
});
afterEach(() => {
  deaf();
  process.off("unhandledRejection", note);
  expect(unhandled.splice(0)).toEqual([]);
});
const codes = () => faults.map(({ code }) => code);
const changes = () => codes().filter((code) => code !== "store-failed");

/** A real entry, made just now. */
function entry(key: string, value: unknown) {
  const name = nameOf(key);
  const began = wall();
  const until = Number.POSITIVE_INFINITY;
  const pieces = writeEntry({ ...name, began, cost: 0, expires: until, until, tags: [], value, replay: undefined });
  return { name, pieces, about: { began, until, tags: [], maxEntries: undefined } };
}
const put = (store: Store, key: string, value: unknown) => {
  const { name, pieces, about } = entry(key, value);
  return store.set(name, pieces, about);
};
const A = nameOf("a");

async function timed<T>(act: () => T | Promise<T>): Promise<{ readonly took: number; readonly value: T }> {
  const began = performance.now();
  const value = await act();
  return { took: performance.now() - began, value };
}

describe.each([
  ["memory", () => memoryStore()],
  ["a store that must be waited for", () => puppet()],
] as const)("%s behind a guard", (_, make) => {
  for (const { name, run } of conformance(() => ({ store: guarded(make(), { ...QUICK, timeout: 2000 }) })))
    test(name, run);
});

describe("a store that hangs", () => {
  test("costs one timeout, and then nothing", async () => {
    const store = puppet();
    store.moods = { all: "hang" };
    const guard = guarded(store, { ...QUICK, pause: 10_000 });
    const first = await timed(() => guard.get(A));
    expect(first.value).toBeUndefined();
    expect(first.took).toBeGreaterThan(30);
    expect(first.took).toBeLessThan(10_000);
    const rest = await timed(async () => {
      for (let i = 0; i < 1000; i++) {
        await guard.get(A);
        await put(guard, "a", i);
      }
    });
    expect(store.calls).toHaveLength(1);
    expect(rest.took).toBeLessThan(10_000);
    expect(changes()).toEqual(["store-suspended"]);
  });

  test("lets all go who wait for it, as soon as one has waited long enough", async () => {
    const store = puppet();
    store.moods = { all: "hang" };
    const guard = guarded(store, { ...QUICK, timeout: 100 });
    const first = guard.get(A);
    await sleep(80);
    const { took } = await timed(() => guard.get(nameOf("b")));
    await first;
    expect(took).toBeLessThan(10_000);
  });

  test("is tried behind the program: nobody waits for that, and it is told when it is back", async () => {
    const store = puppet();
    const guard = guarded(store, { ...QUICK, timeout: 150 });
    await put(guard, "a", 1);
    store.moods = { all: "hang" };
    await guard.get(A);
    for (let i = 0; i < 20; i++) {
      await sleep(15);
      expect((await timed(() => guard.get(A))).took).toBeLessThan(10_000);
    }
    expect(store.count("get")).toBeLessThan(6);
    store.moods = {};
    await sleep(500);
    await guard.get(A);
    await sleep(20);
    expect(await guard.get(A)).toBeDefined();
    expect(changes()).toEqual(["store-suspended", "store-resumed"]);
  });

  test("delays the end of the program no longer than that", async () => {
    const store = puppet();
    store.moods = { all: "hang" };
    const guard = guarded(store, QUICK);
    void put(guard, "a", 1);
    void guard.remove({ site: A.site });
    expect((await timed(() => guard.flush())).took).toBeLessThan(10_000);
    expect((await timed(() => guard.close())).took).toBeLessThan(10_000);
  });

  test("is not found silent where only the program was busy", async () => {
    const store = puppet();
    const guard = guarded(store, QUICK);
    await put(guard, "a", 1);
    store.moods = { get: { after: 5 } };
    const reading = guard.get(A);
    const end = performance.now() + 100;
    while (performance.now() < end);
    await reading;
    expect(changes()).toEqual([]);
  });
});

describe("a store that fails", () => {
  test.each(["throw", "reject"] as const)("by %s: misses, and is cut out after too many", async (mood) => {
    const store = puppet();
    store.moods = { all: mood };
    const guard = guarded(store, QUICK);
    for (let i = 0; i < 5; i++) expect(await guard.get(A)).toBeUndefined();
    expect(store.count("get")).toBe(3);
    expect(codes()).toEqual(["store-failed", "store-failed", "store-failed", "store-suspended"]);
  });

  test("after the timeout: nobody hears of it", async () => {
    const store = puppet();
    store.moods = { all: { after: 80, fails: true } };
    const guard = guarded(store, QUICK);
    expect(await guard.get(A)).toBeUndefined();
    await sleep(100);
    expect(changes()).toEqual(["store-suspended"]);
  });

  test("by giving no bytes: that is damage", async () => {
    for (const given of ["text", 5, {}, [1], new DataView(new ArrayBuffer(1))]) {
      const guard = guarded({ ...puppet(), get: async () => given as never }, QUICK);
      await expect(guard.get(A)).rejects.toThrow("no bytes");
    }
    expect(await guarded({ ...puppet(), get: async () => null as never }, QUICK).get(A)).toBeUndefined();
  });
});

describe("what was removed while a store could not be told", () => {
  const cutOff = async (store: Puppet, guard: Store) => {
    store.moods = { all: "hang" };
    await guard.get(A);
    expect(changes()).toEqual(["store-suspended"]);
  };

  test("is not served when it is back: it is told first", async () => {
    const store = puppet();
    const guard = guarded(store, QUICK);
    await put(guard, "a", 1);
    await cutOff(store, guard);
    guard.remove({ site: A.site, key: "a" });
    guard.remove({ tag: "t" });
    store.moods = {};
    for (let i = 0; i < 30; i++) {
      await sleep(10);
      expect(await guard.get(A)).toBeUndefined();
    }
    expect(changes()).toEqual(["store-suspended", "store-resumed"]);
    expect(store.count("remove")).toBe(2);
    expect(await store.inner.get(A)).toBeUndefined();
    await put(guard, "a", 2);
    expect(await guard.get(A)).toBeDefined();
  });

  test("also where the removal itself failed", async () => {
    const store = puppet();
    const guard = guarded(store, QUICK);
    await put(guard, "a", 1);
    store.moods = { remove: "reject" };
    await guard.remove({});
    expect(await guard.get(A)).toBeUndefined();
    await sleep(80);
    expect(await guard.get(A)).toBeUndefined();
    expect(store.count("remove")).toBeGreaterThan(2);
    store.moods = {};
    await sleep(200);
    await guard.get(A);
    await sleep(20);
    expect(await guard.get(A)).toBeUndefined();
    expect(changes()).toEqual(["store-suspended", "store-resumed"]);
  });

  test("is told before the program ends, if it can be", async () => {
    const store = puppet();
    const guard = guarded(store, { ...QUICK, pause: 60_000 });
    await put(guard, "a", 1);
    await cutOff(store, guard);
    guard.remove({ site: A.site });
    store.moods = {};
    await guard.flush();
    expect(await store.inner.get(A)).toBeUndefined();
  });

  test("many are told in few", async () => {
    const store = puppet();
    const guard = guarded(store, { ...QUICK, timeout: 1500 });
    await cutOff(store, guard);
    for (let i = 0; i < 5000; i++) guard.remove({ site: `s${i % 3}`, key: `${i}` });
    store.moods = {};
    await guard.flush();
    expect(store.count("remove")).toBeLessThan(1003);
    const told = store.calls.filter(({ method }) => method === "remove").map(({ args }) => args[0]);
    for (const site of ["s0", "s1", "s2"]) expect(told).toContainEqual({ site });
  });

  test("of a store that need not be waited for, too", () => {
    const inner = memoryStore();
    let broken = false;
    const store: Store = {
      ...inner,
      remove(which) {
        if (broken) throw new Error("read-only");
        return inner.remove(which);
      },
    };
    const guard = guarded(store, QUICK);
    put(guard, "a", 1);
    broken = true;
    guard.remove({ site: A.site });
    expect(guard.get(A)).toBeUndefined();
    expect(inner.get(A)).toBeDefined();
    broken = false;
    guard.flush();
    expect(inner.get(A)).toBeUndefined();
    put(guard, "a", 2);
    expect(guard.get(A)).toBeDefined();
    expect(changes()).toEqual(["store-suspended", "store-resumed"]);
  });
});

describe("order", () => {
  test("a removal comes after the writes before it, and reads wait for it", async () => {
    const store = puppet();
    const guard = guarded(store, { ...QUICK, timeout: 1000 });
    store.moods = { set: { after: 30 }, remove: { after: 10 } };
    void put(guard, "a", 1);
    void guard.remove({ site: A.site });
    expect(await guard.get(A)).toBeUndefined();
    await sleep(50);
    expect(await store.inner.get(A)).toBeUndefined();
  });

  test("a write comes after the one before it", async () => {
    const store = puppet();
    const guard = guarded(store, { ...QUICK, timeout: 1000 });
    store.moods = { set: { after: 40 } };
    void put(guard, "a", 1);
    const later = entry("a", 2);
    store.moods = {};
    await guard.set(later.name, later.pieces, later.about);
    expect(await store.inner.get(A)).toEqual(await guard.get(A));
    expect(Buffer.from((await guard.get(A)) as Uint8Array)).toEqual(Buffer.concat(later.pieces));
  });

  test("a write that lands long after its time brings nothing back, here or elsewhere", async () => {
    const store = puppet();
    const guard = guarded(store, QUICK);
    store.moods = { set: { after: 150 } };
    const write = put(guard, "a", 1);
    for (let i = 0; i < 6; i++) {
      await sleep(15);
      await guard.get(nameOf("other"));
    }
    await write;
    store.moods = {};
    await guard.remove({ site: A.site });
    await sleep(120);
    expect(await guard.get(A)).toBeUndefined();
    await sleep(10);
    expect(await store.inner.get(A)).toBeUndefined();
  });

  test("what could not be written is not served in the version before it", async () => {
    const store = puppet();
    const guard = guarded(store, QUICK);
    await put(guard, "a", 1);
    store.moods = { set: "reject" };
    await put(guard, "a", 2);
    store.moods = {};
    expect(await store.inner.get(A)).toBeDefined();
    expect(await guard.get(A)).toBeUndefined();
    await put(guard, "a", 3);
    expect(await guard.get(A)).toBeDefined();
  });
});

test("a store that does all of it: every call is answered in time, and right", async () => {
  let seed = 5;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  const store = withChaos(puppet(), { errors: 0.05, hangs: 0.02, delay: 15, random });
  const guard = guarded(store, { ...QUICK, pause: 5, maxPause: 20, failures: 50 });
  const latest = new Map<string, number>();
  let [reads, hits, slowest] = [0, 0, 0];
  const { Buffer: B } = globalThis;
  for (let round = 0; round < 400; round++) {
    const key = `k${Math.floor(random() * 5)}`;
    const kind = random();
    if (kind < 0.3) {
      latest.set(key, round);
      void put(guard, key, `v${round}.`);
    } else if (kind < 0.36) {
      latest.delete(key);
      void guard.remove({ site: A.site, key });
    } else {
      const { took, value } = await timed(() => guard.get(nameOf(key)));
      slowest = Math.max(slowest, took);
      reads++;
      if (value === undefined) continue;
      hits++;
      expect(B.from(value).includes(`v${latest.get(key)}.`)).toBe(true);
    }
  }
  expect(slowest).toBeLessThan(QUICK.timeout + 10_000);
  expect(hits).toBeGreaterThan(2);
  expect(reads).toBeGreaterThan(20);
}, 30_000);
