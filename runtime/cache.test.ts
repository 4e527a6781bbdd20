import { expect, test } from "@jest/globals";
import { asyncData, asyncResource, Clock, data, freshId, gate, resource, settle } from "../fixtures/by-hand.ts";
import { CONTRACT_VERSION } from "./contract.ts";
import { cacheData } from "./generated.ts";
import { clear, configure, has, peek, stats } from "./index.ts";

test("a body runs once for a key, and its result is a private copy on the miss as on the hit", () => {
  let runs = 0;
  const rows = data({}, (n: number) => {
    runs++;
    return { n, list: [n] };
  });
  const first = rows(1);
  first.list.push(99);
  const second = rows(1);
  second.list.push(98);
  expect(rows(1)).toEqual({ n: 1, list: [1] });
  expect(runs).toBe(1);
  expect(rows(2)).toEqual({ n: 2, list: [2] });
  expect(runs).toBe(2);
});

test("a resource is the same object for all", () => {
  const open = resource({}, (url: string) => ({ url }));
  expect(open("a")).toBe(open("a"));
  expect(open("a")).not.toBe(open("b"));
});

test("undefined and null are results like others", () => {
  let runs = 0;
  const nothing = data({}, () => void runs++);
  nothing();
  nothing();
  expect(runs).toBe(1);
});

test("a failure is not kept", () => {
  let runs = 0;
  const failing = data({}, () => {
    runs++;
    throw new Error("no");
  });
  expect(failing).toThrow("no");
  expect(failing).toThrow("no");
  expect(runs).toBe(2);
});

test("callers of one key share one run, and one failure", async () => {
  let runs = 0;
  const opened = gate();
  const load = asyncData({}, async (n: number) => {
    runs++;
    await opened.promise;
    if (n < 0) throw new Error("negative");
    return { n };
  });
  const good = Promise.all(Array.from({ length: 50 }, () => load(1)));
  const bad = Promise.allSettled(Array.from({ length: 50 }, () => load(-1)));
  opened.open();
  const results = await good;
  expect(new Set(results).size).toBe(50);
  expect(results.every((result) => result.n === 1)).toBe(true);
  expect((await bad).every((result) => result.status === "rejected" && result.reason.message === "negative")).toBe(
    true,
  );
  expect(runs).toBe(2);
  await expect(load(-1)).rejects.toThrow("negative");
  expect(runs).toBe(3);
});

test("an underscore leaves an argument out of the key", () => {
  let runs = 0;
  const load = data({ params: ["a", "_b"] }, (a: number, b: unknown) => {
    runs++;
    return [a, typeof b];
  });
  load(1, () => {});
  expect(load(1, "other")).toEqual([1, "function"]);
  expect(runs).toBe(1);
});

test("ttl counts from the write, and a result is over at its end", () => {
  const clock = new Clock();
  configure({ now: clock.now });
  let runs = 0;
  const load = data({ ttl: 100 }, () => ++runs);
  load();
  clock.pass(99);
  expect(load()).toBe(1);
  clock.pass(1);
  expect(load()).toBe(2);
  configure({ now: undefined });
});

test("the least recently used goes first, and what is over before what is live", () => {
  const clock = new Clock();
  configure({ now: clock.now });
  let runs = 0;
  const load = data({ maxEntries: 2, ttl: 100 }, (n: number) => [n, ++runs]);
  load(1);
  load(2);
  load(1);
  load(3);
  expect([has(load, 1), has(load, 2), has(load, 3)]).toEqual([true, false, true]);
  clock.pass(60);
  load(4);
  clock.pass(50);
  load(5);
  expect([has(load, 4), has(load, 5)]).toEqual([true, true]);
  expect(has(load, 1)).toBe(false);
  configure({ now: undefined });
});

test("clear drops one call, or all, and finds defaults as the call does", () => {
  let runs = 0;
  const call = cacheData({
    v: CONTRACT_VERSION,
    id: freshId("page"),
    code: "h1:1",
    hashed: ["id", "limit"],
    excluded: [],
    self: () => page,
  });
  function page(id: number, limit = 100): number {
    return call([id, limit], () => {
      runs++;
      return id * limit;
    }) as number;
  }
  page(1);
  page(1, 100);
  page(2);
  expect(runs).toBe(2);
  clear(page, 1);
  expect(runs).toBe(2);
  page(2);
  expect(runs).toBe(2);
  page(1);
  expect(runs).toBe(3);
  clear(page);
  page(2);
  expect(runs).toBe(4);
  expect(peek(page, 2)).toBe(200);
  expect(peek(page, 3)).toBeUndefined();
});

test("a run that began before a clear is handed to its caller, and not to those who only joined it", async () => {
  let runs = 0;
  let opened = gate();
  const load = asyncData({}, async () => {
    const run = ++runs;
    await opened.promise;
    return run;
  });
  const owner = load();
  const waiter = load();
  await settle();
  clear(load);
  const before = opened;
  opened = gate();
  const later = load();
  before.open();
  expect(await owner).toBe(1);
  opened.open();
  expect(await later).toBe(2);
  expect(await waiter).toBe(2);
  expect(await load()).toBe(2);
  expect(runs).toBe(2);
});

test("a run that is not async and is cleared meanwhile is not kept", () => {
  let runs = 0;
  const load = data({}, () => {
    if (++runs === 1) clear(load);
    return runs;
  });
  expect(load()).toBe(1);
  expect(load()).toBe(2);
  expect(load()).toBe(2);
});

test("a function that is not async and gives a promise is refused, and the promise left alone", () => {
  const promise = Promise.resolve(1);
  const load = data({}, () => promise);
  expect(load).toThrow(expect.objectContaining({ code: "promise-from-sync" }));
});

test("a caller that gives up does not fail the others", async () => {
  let runs = 0;
  const load = asyncData({ params: ["n", "_signal"] }, async (n: number, signal: AbortSignal) => {
    runs++;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, 20);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
    return n;
  });
  const mine = new AbortController();
  const others = new AbortController();
  const first = load(1, mine.signal);
  const second = load(1, others.signal);
  const third = load(1, others.signal);
  mine.abort();
  await expect(first).rejects.toThrow(/abort/i);
  expect(await second).toBe(1);
  expect(await third).toBe(1);
  expect(runs).toBe(2);
});

test("recursion on one key is an error that prints the cycle", async () => {
  const direct: (n: number) => number = data({ id: freshId("fib") }, (n: number) => direct(n) + 1);
  expect(() => direct(3)).toThrow(expect.objectContaining({ code: "cache-cycle", chain: ["fib(3)", "fib(3)"] }));
  const a: (n: number) => Promise<number> = asyncData({ id: freshId("a") }, async (n: number) => {
    await null;
    return b(n);
  });
  const b: (n: number) => Promise<number> = asyncData({ id: freshId("b") }, async (n: number) => {
    await null;
    return a(n);
  });
  await expect(a(1)).rejects.toMatchObject({ code: "cache-cycle", chain: ["a(1)", "b(1)", "a(1)"] });
});

test("two runs that wait for each other are found out, too", async () => {
  const ready = gate();
  const left: () => Promise<number> = asyncData({ id: freshId("left") }, async () => {
    await ready.promise;
    return right();
  });
  const right: () => Promise<number> = asyncData({ id: freshId("right") }, async () => {
    await ready.promise;
    return left();
  });
  const both = [left(), right()];
  ready.open();
  const outcomes = await Promise.allSettled(both);
  expect(outcomes.some((one) => one.status === "rejected" && one.reason.code === "cache-cycle")).toBe(true);
});

test("recursion on other keys is fine", () => {
  const fib: (n: number) => number = data({}, (n: number) => (n < 2 ? n : fib(n - 1) + fib(n - 2)));
  expect(fib(50)).toBe(12586269025);
});

test("a resource that is cleared while it is made is its caller's, and is released with the next clear", async () => {
  const released: number[] = [];
  let made = 0;
  const opened = gate();
  const open = asyncResource({ onRelease: () => (value: { id: number }) => released.push(value.id) }, async () => {
    const id = ++made;
    await opened.promise;
    return { id };
  });
  const owner = open();
  await settle();
  clear(open);
  opened.open();
  expect((await owner).id).toBe(1);
  await settle();
  expect(released).toEqual([]);
  expect((await open()).id).toBe(2);
  clear(open);
  await settle();
  expect(released.sort()).toEqual([1, 2]);
});

test("stats count", () => {
  const id = freshId("counted");
  const load = data({ id }, (n: number) => n);
  expect(stats()[id]).toBeUndefined();
  load(1);
  load(1);
  load(2);
  expect(stats()[id]).toMatchObject({ kind: "data", hits: 1, misses: 2, entries: 2 });
  clear(load);
  expect(stats()[id]).toMatchObject({ hits: 1, misses: 2, entries: 0, bytes: 0 });
});

test("other code takes a site's place and its entries go; the same code goes on", () => {
  const id = freshId("hot");
  const spec = { v: CONTRACT_VERSION, id, code: "h1:1", hashed: ["n"], excluded: [] };
  expect(cacheData(spec)([1], () => "old")).toBe("old");
  expect(cacheData({ ...spec })([1], () => "new")).toBe("old");
  expect(cacheData({ ...spec, code: "h1:2" })([1], () => "new")).toBe("new");
  expect(() => cacheData({ ...spec, v: 99 })).toThrow(expect.objectContaining({ code: "contract" }));
});

test("a body that always gives up is run a few times for a crowd, not once for each", async () => {
  let runs = 0;
  const load = asyncData({}, async () => {
    runs++;
    await settle(1);
    throw new DOMException("gave up", "AbortError");
  });
  const all = await Promise.allSettled(Array.from({ length: 100 }, () => load()));
  expect(all.every(({ status }) => status === "rejected")).toBe(true);
  expect(runs).toBe(4);
});
