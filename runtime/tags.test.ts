import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { asyncData, Clock, data, gate, settle } from "../fixtures/by-hand.ts";
import { cacheTag, cacheTtl, clearTag, configure, has } from "./index.ts";

const clock = new Clock();
beforeEach(() => configure({ now: clock.now }));
afterEach(() => configure({ now: undefined }));

test("clearTag drops what has the tag, from the options or from the run", async () => {
  const users = data({ tags: ["users"] }, (_id: number) => 1);
  const user = asyncData({}, async (id: number) => {
    await settle(1);
    cacheTag(`user:${id}`, "people");
    return id;
  });
  users(1);
  await user(1);
  await user(2);
  clearTag("user:1");
  expect([has(users, 1), has(user, 1), has(user, 2)]).toEqual([true, false, true]);
  clearTag("users", "people");
  expect([has(users, 1), has(user, 2)]).toEqual([false, false]);
});

test("what is made of tagged results has their tags, whether they ran or were hits", () => {
  const inner = data({ tags: ["rates"] }, () => 1);
  const outer = data({}, (n: number) => inner() + n);
  outer(1);
  outer(2);
  clearTag("rates");
  expect([has(inner), has(outer, 1), has(outer, 2)]).toEqual([false, false, false]);
});

test("a run that began before clearTag and has the tag is not kept, also if it finds the tag later", async () => {
  let runs = 0;
  const opened = gate();
  const load = asyncData({}, async () => {
    const run = ++runs;
    if (run === 1) await opened.promise;
    cacheTag("late");
    return run;
  });
  const first = load();
  await settle();
  clearTag("late");
  opened.open();
  expect(await first).toBe(1);
  expect(has(load)).toBe(false);
  expect(await load()).toBe(2);
  expect(await load()).toBe(2);
});

test("later callers don't wait for a run that clearTag has made useless", async () => {
  let runs = 0;
  const opened = gate();
  const load = asyncData({ tags: ["t"] }, async () => {
    const run = ++runs;
    if (run === 1) await opened.promise;
    return run;
  });
  const first = load();
  const waiter = load();
  await settle();
  clearTag("t");
  expect(await load()).toBe(2);
  opened.open();
  expect([await first, await waiter]).toEqual([1, 2]);
});

test("cacheTtl: the shortest counts", () => {
  let runs = 0;
  const load = data({ ttl: 100_000 }, () => {
    cacheTtl("10s");
    cacheTtl("1m");
    return ++runs;
  });
  load();
  clock.pass(9_999);
  expect(load()).toBe(1);
  clock.pass(1);
  expect(load()).toBe(2);
  expect(() => cacheTtl("10" as never)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  cacheTtl(5);
});

test("an outer result lives no longer than the inner ones it was made of, unless it has a ttl of its own", async () => {
  const inner = asyncData({ ttl: 100 }, async () => clock.at);
  const outer = asyncData({}, async (_n: number) => inner());
  const own = asyncData({ ttl: 1000 }, async () => inner());
  const start = clock.at;
  await outer(1);
  clock.pass(60);
  await outer(2);
  await own();
  clock.pass(39);
  expect([has(outer, 1), has(outer, 2)]).toEqual([true, true]);
  clock.pass(1);
  expect([has(outer, 1), has(outer, 2), has(own)]).toEqual([false, false, true]);
  expect(await outer(1)).toBe(start + 100);
});

test("an inner result that is never kept keeps the outer from being kept", () => {
  let runs = 0;
  const inner = data({ ttl: 0 }, () => ++runs);
  const outer = data({}, () => inner());
  expect([outer(), outer()]).toEqual([1, 2]);
});

test("outside of a cached function they do nothing", () => {
  cacheTag("free");
  cacheTtl("1s");
});
