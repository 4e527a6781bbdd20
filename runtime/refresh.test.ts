import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { asyncData, asyncResource, Clock, data, gate, resource, settle } from "../fixtures/by-hand.ts";
import { caches, clear, configure, has, on, peek, refresh, stats } from "./index.ts";

const clock = new Clock();
beforeEach(() => configure({ now: clock.now }));
afterEach(async () => {
  await caches.close();
  configure({ now: undefined, maxRefreshes: undefined, refreshCooldown: undefined });
});
const swr = { ttl: 100, staleFor: 100 };

test("stale is served at once, and one refresh brings the next value", async () => {
  let runs = 0;
  const load = asyncData(swr, async () => ++runs);
  expect(await load()).toBe(1);
  clock.pass(100);
  expect(await Promise.all([load(), load(), load(), load(), load()])).toEqual([1, 1, 1, 1, 1]);
  await settle();
  expect(runs).toBe(2);
  expect(await load()).toBe(2);
  clock.pass(99);
  expect(await load()).toBe(2);
  expect(runs).toBe(2);
});

test("past the end of staleFor a call waits", async () => {
  let runs = 0;
  const load = asyncData(swr, async () => ++runs);
  await load();
  clock.pass(200);
  expect(await load()).toBe(2);
});

test("a function that is not async is refreshed after its caller is done", async () => {
  let runs = 0;
  const load = data(swr, () => ++runs);
  load();
  clock.pass(150);
  expect([load(), load()]).toEqual([1, 1]);
  expect(runs).toBe(1);
  await settle();
  expect(runs).toBe(2);
  expect(load()).toBe(2);
});

test("an argument that its caller has changed since is not taken for the old one", async () => {
  let runs = 0;
  const load = data(swr, (query: { n: number }) => [query.n, ++runs]);
  const query = { n: 1 };
  load(query);
  clock.pass(150);
  load(query);
  query.n = 2;
  await settle();
  expect(runs).toBe(1);
  expect(load({ n: 1 })).toEqual([1, 1]);
});

test("a failure keeps the stale value, and the next try waits", async () => {
  configure({ refreshCooldown: "10ms" });
  let runs = 0;
  let broken = true;
  const faults: string[] = [];
  const deaf = on("fault", ({ code }) => faults.push(code));
  const load = asyncData({ ttl: 100, staleFor: 1000 }, async () => {
    if (++runs > 1 && broken) throw new Error("down");
    return runs;
  });
  await load();
  clock.pass(100);
  expect(await load()).toBe(1);
  await settle();
  expect(await load()).toBe(1);
  await settle();
  expect(runs).toBe(2);
  expect(faults).toEqual(["refresh-failed"]);
  clock.pass(10);
  broken = false;
  expect(await load()).toBe(1);
  await settle();
  expect(await load()).toBe(3);
  deaf();
});

test("no more than maxRefreshes run; those above are skipped; a failure gives its place back", async () => {
  configure({ maxRefreshes: 2 });
  let runs = 0;
  const opened = gate();
  const load = asyncData(swr, async (n: number) => {
    if (++runs > 5) {
      await opened.promise;
      throw new Error("down");
    }
    return n;
  });
  for (let n = 0; n < 5; n++) await load(n);
  clock.pass(100);
  for (let n = 0; n < 5; n++) expect(await load(n)).toBe(n);
  await settle();
  expect(runs).toBe(7);
  opened.open();
  await settle();
  for (let n = 2; n < 5; n++) await load(n);
  expect(runs).toBe(9);
});

test("with maxRefreshes 0 there is none: stale until the end, then a call waits", async () => {
  configure({ maxRefreshes: 0 });
  let runs = 0;
  const load = asyncData(swr, async () => ++runs);
  await load();
  clock.pass(199);
  expect(await load()).toBe(1);
  await settle();
  expect(runs).toBe(1);
  clock.pass(1);
  expect(await load()).toBe(2);
});

test.each(["clear all of it", "clear the call", "evict it"])(
  "%s during a refresh: the result is not kept",
  async (how) => {
    let runs = 0;
    let opened = gate();
    opened.open();
    const load = asyncData({ ...swr, maxEntries: 1 }, async (_n: number) => {
      const run = ++runs;
      await opened.promise;
      return run;
    });
    await load(1);
    opened = gate();
    clock.pass(100);
    expect(await load(1)).toBe(1);
    if (how === "clear the call") clear(load, 1);
    else if (how === "clear all of it") clear(load);
    else {
      const other = load(2);
      opened.open();
      await other;
    }
    opened.open();
    await settle();
    expect(has(load, 1)).toBe(false);
  },
);

test("a resource is released when its replacement is there; the same object is not", async () => {
  const released: number[] = [];
  let runs = 0;
  let same: { id: number } | undefined;
  const open = asyncResource({ ...swr, onRelease: () => (one: { id: number }) => released.push(one.id) }, async () => {
    runs++;
    return same ?? { id: runs };
  });
  same = undefined;
  const first = await open();
  clock.pass(100);
  expect(await open()).toBe(first);
  await settle();
  expect(released).toEqual([1]);
  same = await open();
  clock.pass(100);
  await open();
  await settle();
  expect(runs).toBe(3);
  expect(released).toEqual([1]);
});

test("a resource that a clear has made useless is released", async () => {
  const released: number[] = [];
  let runs = 0;
  const opened = gate();
  const open = asyncResource({ ...swr, onRelease: () => (one: { id: number }) => released.push(one.id) }, async () => {
    const id = ++runs;
    if (id === 2) await opened.promise;
    return { id };
  });
  await open();
  clock.pass(100);
  await open();
  clear(open);
  opened.open();
  await settle();
  expect(released.sort()).toEqual([1, 2]);
});

test("validate decides before stale is served", async () => {
  let runs = 0;
  const open = resource({ ...swr, validate: () => (one: { ok: boolean }) => one.ok }, () => ({ id: ++runs, ok: true }));
  const first = open();
  clock.pass(150);
  first.ok = false;
  expect(open().id).toBe(2);
});

test("refresh computes anew, is shared by nobody, and leaves the old value if it fails", async () => {
  let runs = 0;
  const load = asyncData({}, async (_n: number) => {
    const run = ++runs;
    await settle(1);
    if (run === 3) throw new Error("down");
    return run;
  });
  expect(await load(1)).toBe(1);
  const anew = refresh(load, 1);
  expect(await load(1)).toBe(1);
  expect(await anew).toBe(2);
  expect(await load(1)).toBe(2);
  await expect(refresh(load, 1)).rejects.toThrow("down");
  expect(await load(1)).toBe(2);
  expect(await Promise.all([refresh(load, 1), refresh(load, 1)])).toEqual([4, 5]);
  expect(await load(1)).toBe(5);
});

test("refresh of a function that is not async, and of one never called", () => {
  let runs = 0;
  const load = data({}, (n: number) => [n, ++runs]);
  expect(refresh(load, 1)).toEqual([1, 1]);
  expect(load(1)).toEqual([1, 1]);
  expect(refresh(load, 1)).toEqual([1, 2]);
  expect(peek(load, 1)).toEqual([1, 2]);
});

test("a refresh inside of its own run is a cycle", () => {
  const load: () => number = data({}, () => refresh(load) + 1);
  expect(load).toThrow(expect.objectContaining({ code: "cache-cycle" }));
});

test("stale hits are counted apart", async () => {
  const load = asyncData({ ...swr, id: "src/stale.ts#load" }, async () => 1);
  await load();
  await load();
  clock.pass(100);
  await load();
  expect(stats()["src/stale.ts#load"]).toMatchObject({ hits: 2, stale: 1, misses: 1 });
});
