import { channel } from "node:diagnostics_channel";
import { afterEach, expect, test } from "@jest/globals";
import { asyncData, asyncResource, Clock, data, freshId, resource, settle } from "../fixtures/by-hand.ts";
import { eventTypes, publish } from "./events.ts";
import { clear, clearAll, clearTag, configure, endSession, type KeptEvent, on, stats, withSession } from "./index.ts";

let told: KeptEvent[] = [];
let ends: (() => void)[] = [];
function listen(): void {
  told = [];
  ends = eventTypes.map((type) => on(type, (event) => told.push(event)));
}
afterEach(() => {
  for (const end of ends) end();
  ends = [];
  configure({ now: undefined });
});
const types = () => told.map(({ type }) => type);

test("a call's events, in order, with what they say", () => {
  const clock = new Clock();
  configure({ now: clock.now });
  const id = freshId("load");
  const load = data({ id, ttl: 100, maxEntries: 1 }, (n: number) => {
    clock.pass(7);
    return n;
  });
  listen();
  load(1);
  load(1);
  load(2);
  clock.pass(100);
  load(2);
  clear(load);
  expect(types()).toEqual(["miss", "store", "hit", "miss", "evict", "store", "expire", "miss", "store", "clear"]);
  const about = { site: id, kind: "data" };
  expect(told[0]).toEqual({
    type: "miss",
    ...about,
    key: told[0] && "key" in told[0] ? told[0].key : "",
    outermost: true,
  });
  expect(told[1]).toMatchObject({ ...about, took: 7, freshFor: 100, replaced: false });
  expect(told[2]).toMatchObject({ ...about, saved: 7 });
  expect(told[4]).toMatchObject({ ...about, reason: "maxEntries" });
  expect(told.at(-1)).toEqual({ type: "clear", scope: "site", of: id, entries: 1 });
});

test("stale, refresh, release, and all kinds of clear", async () => {
  const clock = new Clock();
  configure({ now: clock.now });
  const open = asyncResource({ ttl: 100, staleFor: 100, tags: ["t"], onRelease: () => () => {} }, async () => ({}));
  const mine = resource({ scope: "session", onRelease: () => () => {} }, () => ({}));
  await open();
  clock.pass(150);
  listen();
  await open();
  await settle();
  expect(types()).toEqual(["stale", "store", "release"]);
  expect(told[0]).toMatchObject({ age: 50 });
  expect(told[1]).toMatchObject({ replaced: true });
  expect(told[2]).toMatchObject({ reason: "replace" });
  told = [];
  clearTag("t");
  withSession("me", mine);
  endSession("me");
  clearAll("resource");
  await settle();
  expect(told.filter(({ type }) => type === "clear")).toEqual([
    { type: "clear", scope: "tag", of: "t", entries: 1 },
    { type: "clear", scope: "session", of: "me", entries: 1 },
    expect.objectContaining({ type: "clear", scope: "all" }),
  ]);
  expect(told.filter(({ type }) => type === "release").length).toBe(2);
});

test("an async miss says when it has ended, also if it fails", async () => {
  const load = asyncData({}, async () => {
    await settle(1);
    throw new Error("no");
  });
  let ended = false;
  const off = on("miss", (event) => void event.ended?.then(() => (ended = true)));
  const call = load();
  expect(ended).toBe(false);
  await expect(call).rejects.toThrow("no");
  expect(ended).toBe(true);
  off();
});

test("a listener that throws never reaches the program; it is a fault", () => {
  const faults: unknown[] = [];
  const load = data({}, () => 1);
  ends = [
    on("miss", () => {
      throw new Error("listener");
    }),
    on("hit", () => {
      throw new Error("listener");
    }),
    on("fault", (event) => {
      faults.push(event.code);
      throw new Error("a listener of faults");
    }),
  ];
  expect([load(), load()]).toEqual([1, 1]);
  expect(faults).toEqual(["listener-failed", "listener-failed"]);
});

test("the same events come on the host's diagnostics channels", () => {
  const seen: unknown[] = [];
  const hear = (message: unknown) => void seen.push((message as KeptEvent).type);
  const load = data({}, () => 1);
  channel("kept:hit").subscribe(hear);
  load();
  load();
  channel("kept:hit").unsubscribe(hear);
  load();
  expect(seen).toEqual(["hit"]);
  expect(eventTypes).toEqual(["hit", "miss", "stale", "store", "evict", "expire", "release", "clear", "fault"]);
});

test("a listener may be taken away, and one that was added twice once", () => {
  let heard = 0;
  const listener = () => void heard++;
  const [first, second] = [on("fault", listener), on("fault", listener)];
  publish({ type: "fault", code: "too-large" });
  first();
  first();
  publish({ type: "fault", code: "too-large" });
  second();
  publish({ type: "fault", code: "too-large" });
  expect(heard).toBe(3);
});

test("the OpenMetrics text is what its grammar asks for", () => {
  const id = `${freshId('a"b')}`;
  const load = data({ id }, (n: number) => n);
  load(1);
  load(1);
  const text = stats.openmetrics();
  expect(text.endsWith("\n# EOF\n")).toBe(true);
  const label = `{kind="data",site="${id.replace('"', '\\"')}"}`;
  expect(text).toContain(`# TYPE kept_hits counter\n`);
  expect(text).toContain(`kept_hits_total${label} 1\n`);
  expect(text).toContain(`kept_misses_total${label} 1\n`);
  expect(text).toMatch(/# TYPE kept_memory_bytes gauge\n# UNIT kept_memory_bytes bytes\n# HELP kept_memory_bytes .+\n/);
  for (const line of text.trimEnd().split("\n")) {
    expect(line).toMatch(
      /^(# (TYPE|UNIT|HELP|EOF)|[a-z_]+\{kind="(data|resource)",site="([^"\\]|\\.)*"\} [0-9.e+-]+$)/,
    );
  }
});

test("time saved is what the served results had cost", () => {
  const clock = new Clock();
  configure({ now: clock.now });
  const id = freshId();
  const load = data({ id }, () => clock.pass(50));
  load();
  load();
  load();
  expect(stats()[id]).toMatchObject({ timeSpent: 50, timeSaved: 100 });
});
