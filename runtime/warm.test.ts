import { afterEach, expect, test } from "@jest/globals";
import { asyncData, data, freshId } from "../fixtures/by-hand.ts";
import { clearMemory } from "./clear.ts";
import { configure } from "./config.ts";
import { memoryStore } from "./stores/memory.ts";
import { type Warmed, warm } from "./warm.ts";

afterEach(() => {
  clearMemory();
  configure({ store: undefined, now: undefined });
});

const later = (ms: number) => new Promise((done) => setTimeout(done, ms));
const brief = (list: readonly Warmed[]) => list.map(({ name, outcome, persisted }) => [name, outcome, persisted]);

test("tells of each call by name, in order: what was there, what was not, what failed, what is not cached", async () => {
  configure({ store: memoryStore() });
  const id = freshId("slow");
  const slow = asyncData({ persist: "disk", id }, async (n) => {
    await later(5);
    return { n };
  });
  const quick = data({}, (n) => ({ n }));
  const failing = asyncData({}, async (n) => {
    throw new Error(`no ${n}`);
  });
  await slow(1);
  const told: string[] = [];
  const done = await warm(
    { one: () => slow(1), two: () => slow(2), quick: () => quick(1), failing: () => failing(1), plain: () => 7 },
    { onDone: ({ name }) => told.push(name) },
  );
  expect(brief(done)).toEqual([
    ["one", "hit", true],
    ["two", "miss", true],
    ["quick", "miss", false],
    ["failing", "failed", false],
    ["plain", "none", false],
  ]);
  expect(done[1]?.site).toBe(id);
  expect(String(done[3]?.error)).toBe("Error: no 1");
  expect(told.sort()).toEqual(["failing", "one", "plain", "quick", "two"]);
});

test("the first function that a call calls counts, whoever else is at work at the same time", async () => {
  const inner = asyncData({}, async (n) => {
    await later(n);
    return n;
  });
  const id = freshId("outer");
  const outer = asyncData({ id }, async (n) => {
    await later(3);
    return (await inner(n)) + 1;
  });
  await inner(2);
  const done = await warm(
    [4, 2, 4, 1, 2].map((n) => () => outer(n)),
    { concurrency: 5 },
  );
  expect(done.map(({ site }) => site)).toEqual([id, id, id, id, id]);
  expect(done.filter(({ outcome }) => outcome === "miss")).toHaveLength(3);
});

test("no more calls at a time than wished", async () => {
  let [now, most] = [0, 0];
  const call = async () => {
    most = Math.max(most, ++now);
    await later(2);
    now--;
  };
  await warm(
    Array.from({ length: 9 }, () => call),
    { concurrency: 3 },
  );
  expect(most).toBe(3);
});

test("what is stale is there anew when it is done", async () => {
  let at = 0;
  configure({ now: () => at });
  let runs = 0;
  const fn = asyncData({ ttl: 10, staleFor: 1000 }, async () => {
    await later(5);
    return ++runs;
  });
  await fn();
  at = 20;
  expect(brief(await warm({ fn: () => fn() }))).toEqual([["fn", "stale", false]]);
  expect(await fn()).toBe(2);
});

test("is done when everything is written down", async () => {
  const store = memoryStore();
  let flushes = 0;
  configure({ store: { ...store, flush: () => void flushes++ } });
  const fn = data({ persist: "disk" }, (n) => n);
  await warm([() => fn(1)]);
  expect(flushes).toBeGreaterThan(0);
});
