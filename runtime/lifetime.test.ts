import { afterEach, expect, test } from "@jest/globals";
import { data, freshId, resource, settle } from "../fixtures/by-hand.ts";
import { clear, clearAll, configure, has, on, stats } from "./index.ts";

afterEach(() => {
  clearAll();
  configure({ maxBytes: undefined });
});
const KB = 1000;
/** A function whose results take about that many bytes. */
const sized = (options: object = {}) => data(options, (n: number, kb: number) => `${n}${"x".repeat((kb * KB) / 2)}`);

test("maxBytes: the least recently used of all functions goes first", () => {
  const [f, g] = [sized(), sized()];
  configure({ maxBytes: 50 * KB });
  f(1, 15);
  g(1, 15);
  f(2, 15);
  f(1, 15);
  g(2, 15);
  expect([has(f, 1, 15), has(g, 1, 15), has(f, 2, 15), has(g, 2, 15)]).toEqual([true, false, true, true]);
});

test("a bound that comes later begins with the order of writes", () => {
  const [f, g] = [sized(), sized()];
  for (const n of [1, 2, 3]) {
    f(n, 10);
    g(n, 10);
  }
  f(1, 10);
  const evicted: string[] = [];
  const off = on("evict", ({ reason }) => evicted.push(reason));
  configure({ maxBytes: 45 * KB });
  expect(evicted).toEqual(["maxBytes", "maxBytes"]);
  off();
  g(3, 10);
  g(4, 10);
  expect(has(g, 3, 10)).toBe(true);
  configure({ maxBytes: undefined });
  for (let n = 10; n < 30; n++) f(n, 10);
  for (let n = 10; n < 30; n++) expect(has(f, n, 10)).toBe(true);
});

test("what is larger than all of memory may be is not kept, drives nobody out, and is a fault", () => {
  const faults: string[] = [];
  const off = on("fault", ({ code }) => faults.push(code));
  const f = sized();
  configure({ maxBytes: 30 * KB });
  f(1, 10);
  expect(f(2, 40).length).toBeGreaterThan(10 * KB);
  expect([has(f, 1, 10), has(f, 2, 40), faults]).toEqual([true, false, ["too-large"]]);
  off();
});

test("resources are not measured, and don't go for the sake of bytes", () => {
  const open = resource({}, (_n: number) => ({}));
  const f = sized();
  configure({ maxBytes: 20 * KB });
  open(1);
  for (let n = 0; n < 10; n++) f(n, 10);
  expect(has(open, 1)).toBe(true);
  expect(has(f, 9, 10)).toBe(true);
  expect(has(f, 0, 10)).toBe(false);
});

test("bytes of a function and of all go with the entries", () => {
  const id = freshId();
  const f = sized({ id });
  f(1, 10);
  const one = stats()[id]?.bytes as number;
  expect(one).toBeGreaterThan(10 * KB);
  expect(one).toBeLessThan(12 * KB);
  f(2, 10);
  expect(stats()[id]?.bytes).toBe(2 * one);
  clear(f, 1, 10);
  expect(stats()[id]?.bytes).toBe(one);
});

test("a fake clock of a test is followed, and so is the real one afterwards", async () => {
  let at = 0;
  configure({ now: () => at });
  const f = data({ ttl: 3_600_000 }, () => 1);
  f();
  at = 3_600_000;
  expect(has(f)).toBe(false);
  configure({ now: undefined });
  const g = data({ ttl: 10 }, () => 1);
  g();
  await new Promise((resolve) => setTimeout(resolve, 60));
  await settle();
  expect(has(g)).toBe(false);
});

test("a setting that does not exist is refused, with what was probably meant; nothing is changed then", () => {
  const bad = (options: object) => () => configure(options);
  expect(bad({ maxbytes: 1 })).toThrow("Did you mean `maxBytes`?");
  expect(bad({ refreshCoolDown: 1 })).toThrow("refreshCooldown");
  expect(bad({ maxBytes: 10, maxRefreshes: -1 })).toThrow(expect.objectContaining({ code: "invalid-option" }));
  expect(bad({ refreshCooldown: "10" })).toThrow(expect.objectContaining({ code: "invalid-option" }));
  const f = sized();
  f(1, 10);
  expect(has(f, 1, 10)).toBe(true);
});
