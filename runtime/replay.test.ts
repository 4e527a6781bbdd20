import { beforeEach, expect, test } from "@jest/globals";
import { asyncData, Clock, data, settle } from "../fixtures/by-hand.ts";
import { clear, configure, element, on, ReplayError } from "./index.ts";

let seen: unknown[] = [];
const say = element("say", (...words: unknown[]) => {
  seen.push(words.length === 1 ? words[0] : words);
});
const later = element("later", async (word: string) => {
  await settle(1);
  seen.push(word);
});
beforeEach(() => {
  seen = [];
});

test("what a body says is said on every hit, in order, and its arguments are as they were", () => {
  let runs = 0;
  const load = data({}, (n: number) => {
    runs++;
    const list = [n];
    say(list);
    list.push(99);
    say("done", n);
    return n;
  });
  load(1);
  expect(seen).toEqual([
    [1, 99],
    ["done", 1],
  ]);
  seen = [];
  load(1);
  expect(seen).toEqual([[1], ["done", 1]]);
  (seen[0] as number[]).push(7);
  seen = [];
  load(1);
  expect(seen).toEqual([[1], ["done", 1]]);
  expect(runs).toBe(1);
});

test("an outer hit says what the inner functions said, whether they ran or were hits", () => {
  const inner = data({}, (n: number) => say(`inner ${n}`));
  const outer = data({}, (_n: number) => {
    say("before");
    inner(1);
    say("after");
  });
  inner(1);
  seen = [];
  outer(1);
  expect(seen).toEqual(["before", "inner 1", "after"]);
  seen = [];
  outer(1);
  expect(seen).toEqual(["before", "inner 1", "after"]);
  clear(inner);
  outer(2);
  seen = [];
  inner(1);
  expect(seen).toEqual(["inner 1"]);
  seen = [];
  outer(2);
  expect(seen).toEqual(["before", "inner 1", "after"]);
});

test("an async body's effects are recorded past its awaits, and played before the caller goes on", async () => {
  const load = asyncData({}, async (n: number) => {
    say("start");
    await settle(1);
    await later("middle");
    say("end");
    return n;
  });
  await load(1);
  seen = [];
  await load(1);
  expect(seen).toEqual(["start", "middle", "end"]);
});

test("those who joined a run see its effects as well", async () => {
  const load = asyncData({}, async () => {
    await settle(1);
    say("once each");
  });
  await Promise.all([load(), load(), load()]);
  expect(seen.length).toBe(3);
});

test("two calls at a time don't mix", async () => {
  const load = asyncData({}, async (n: number) => {
    await settle(n);
    say(`a${n}`);
    await settle(n);
    say(`b${n}`);
  });
  await Promise.all([load(1), load(2), load(3)]);
  for (const n of [1, 2, 3]) {
    seen = [];
    await load(n);
    expect(seen).toEqual([`a${n}`, `b${n}`]);
  }
});

test("what a failing body said is not kept, and outside of cached functions nothing is recorded", () => {
  const failing = data({}, () => {
    say("about to fail");
    throw new Error("failed");
  });
  expect(failing).toThrow("failed");
  say("free");
  seen = [];
  expect(failing).toThrow("failed");
  expect(seen).toEqual(["about to fail"]);
});

test("an element that calls another is one effect", () => {
  const both = element("both", () => {
    say("one");
    say("two");
  });
  const load = data({}, () => both());
  load();
  seen = [];
  load();
  expect(seen).toEqual(["one", "two"]);
});

test("an element that is gone is an error on the hit, and nothing is played", () => {
  const passing = element("passing", () => seen.push("passing"));
  const load = data({}, () => {
    say("first");
    passing();
  });
  load();
  passing[Symbol.dispose]();
  seen = [];
  expect(load).toThrow(ReplayError);
  expect(seen).toEqual([]);
  // One of the same name, as hot reload brings, takes its place.
  element("passing", () => seen.push("again"));
  load();
  expect(seen).toEqual(["first", "again"]);
});

test("arguments that can't be copied are refused when they are recorded, not on the hit", () => {
  class Panel {}
  const load = data({}, () => say(new Panel()));
  expect(load).toThrow(ReplayError);
});

test("an element made inside a cached function is refused", () => {
  const load = data({}, () => element("inside", () => {}));
  expect(load).toThrow(/made inside/);
});

test("behind a stale hit nobody is there to see: effects are recorded, not caused", async () => {
  const clock = new Clock();
  configure({ now: clock.now });
  let runs = 0;
  const load = asyncData({ ttl: 100, staleFor: 100 }, async () => say(`run ${++runs}`));
  await load();
  clock.pass(100);
  seen = [];
  await load();
  await settle();
  expect(seen).toEqual(["run 1"]);
  seen = [];
  await load();
  expect(seen).toEqual(["run 2"]);
  configure({ now: undefined });
});

test("an effect that rejects behind a function that can't wait is a fault", async () => {
  const faults: string[] = [];
  const deaf = on("fault", ({ code }) => faults.push(code));
  let broken = false;
  const maybe = element("maybe", async () => {
    if (broken) throw new Error("down");
  });
  const load = data({}, () => {
    void maybe();
    return 1;
  });
  load();
  broken = true;
  expect(load()).toBe(1);
  await settle();
  expect(faults).toEqual(["replay-failed"]);
  deaf();
});
