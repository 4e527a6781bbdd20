import { expect, test } from "@jest/globals";
import { asyncData, data, gate, settle } from "../fixtures/by-hand.ts";
import { clear, endSession, has, SessionError, withSession } from "./index.ts";

test("each session has results of its own, also under interleaved awaits", async () => {
  const runs: string[] = [];
  const load = asyncData({ scope: "session" }, async (n: number) => {
    await settle(1);
    runs.push(String(n));
    return { n, run: runs.length };
  });
  const visit = (id: string) =>
    withSession(id, async () => {
      const seen = [];
      for (let n = 0; n < 5; n++) {
        seen.push((await load(n)).run);
        await settle(Math.ceil(Math.random() * 3));
        seen.push((await load(n)).run);
      }
      return seen;
    });
  const visits = await Promise.all(["a", "b", "c"].map(visit));
  expect(runs.length).toBe(15);
  for (const seen of visits) for (let at = 0; at < seen.length; at += 2) expect(seen[at]).toBe(seen[at + 1]);
  expect(new Set(visits.flat()).size).toBe(15);
  // The same id later is the same session.
  expect(await withSession("a", () => load(0))).toEqual({ n: 0, run: visits[0]?.[0] });
});

test("sessions nest", () => {
  const load = data({ scope: "session" }, (_n: number) => ({}));
  const seen = withSession("outer", () => {
    const before = has(load, 1);
    load(1);
    const inner = withSession("inner", () => has(load, 1));
    return [before, inner, has(load, 1)];
  });
  expect(seen).toEqual([false, false, true]);
});

test("outside of a session it is an error, as is a session without an id", async () => {
  const load = data({ scope: "session" }, () => 1);
  const later = asyncData({ scope: "session" }, async () => 1);
  expect(load).toThrow(SessionError);
  await expect(later()).rejects.toThrow(SessionError);
  expect(() => withSession("", load)).toThrow(SessionError);
  expect(() => withSession(7 as never, load)).toThrow(SessionError);
});

test("inside a function that keeps for everyone it is an error: one session's data would be served to all", () => {
  const mine = data({ scope: "session" }, () => "secret");
  const everyones = data({}, () => mine());
  expect(() => withSession("a", everyones)).toThrow(/for everyone/);
  const ofTheSession = data({ scope: "session" }, () => mine());
  expect(withSession("a", ofTheSession)).toBe("secret");
});

test("the end of a session drops its results; a run that goes on is its caller's", async () => {
  let runs = 0;
  const opened = gate();
  const load = asyncData({ scope: "session" }, async (n: number) => {
    if (n === 2) await opened.promise;
    return ++runs;
  });
  const late = withSession("a", async () => {
    await load(1);
    const two = await load(2);
    return [two, await load(3), await load(3)];
  });
  await settle();
  endSession("a");
  opened.open();
  // What a straggler asks for after the end is computed for it, and not kept.
  expect(await late).toEqual([2, 3, 4]);
  expect(withSession("a", () => [1, 2, 3].map((n) => has(load, n)))).toEqual([false, false, false]);
  expect(await withSession("a", () => load(1))).toBe(5);
});

test("clear is for the session around it; outside of one, for all", () => {
  const load = data({ scope: "session" }, (_n: number) => 1);
  const kept = () => ["a", "b"].map((id) => withSession(id, () => has(load, 1)));
  for (const id of ["a", "b"]) withSession(id, () => load(1));
  withSession("a", () => clear(load, 1));
  expect(kept()).toEqual([false, true]);
  withSession("a", () => load(1));
  withSession("a", () => clear(load));
  expect(kept()).toEqual([false, true]);
  withSession("a", () => load(1));
  clear(load, 1);
  expect(kept()).toEqual([false, false]);
});

test("a bound on entries holds for each session", () => {
  const load = data({ scope: "session", maxEntries: 1 }, (n: number) => n);
  for (const id of ["a", "b"]) withSession(id, () => load(1));
  withSession("a", () => load(2));
  expect(withSession("a", () => [has(load, 1), has(load, 2)])).toEqual([false, true]);
  expect(withSession("b", () => has(load, 1))).toBe(true);
});
