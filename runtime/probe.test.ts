import { expect, test } from "@jest/globals";
import { asyncData, data, freshId, settle } from "../fixtures/by-hand.ts";
import { CONTRACT_VERSION, type SiteSpec } from "./contract.ts";
import { cacheData, mark } from "./generated.ts";
import { clear, has, peek, refresh } from "./index.ts";

const spec = (name: string, rest: Partial<SiteSpec>): SiteSpec => ({
  v: CONTRACT_VERSION,
  id: freshId(name),
  code: "h1:1",
  hashed: ["n"],
  excluded: [],
  ...rest,
});

test("a call that is looked for runs no body, and leaves nothing behind", () => {
  let runs = 0;
  const load = data({}, (_n: number) => ++runs);
  expect([has(load, 1), peek(load, 1)]).toEqual([false, undefined]);
  clear(load, 1);
  expect(runs).toBe(0);
  expect(load(1)).toBe(1);
  expect(has(load, 1)).toBe(true);
});

test("cached calls in default parameters behave as always", () => {
  let limits = 0;
  const limit = data({}, () => {
    limits++;
    return 10;
  });
  const call = cacheData(spec("page", { hashed: ["n", "limit"], self: () => page }));
  function page(n: number, most = limit()): unknown {
    return call([n, most], () => n * most);
  }
  expect(has(page, 1)).toBe(false);
  expect(limits).toBe(1);
  page(1);
  expect([has(page, 1), has(page, 1, 10), has(page, 1, 11)]).toEqual([true, true, false]);
  expect(limits).toBe(1);
});

test("what a cached default calls may be the function itself: its body is an ordinary one", () => {
  let runs = 0;
  const deep: () => number = data({}, () => page(0, 1) as number);
  const call = cacheData(spec("page", { hashed: ["n", "m"], self: () => page }));
  function page(n: number, m = deep()): unknown {
    return call([n, m], () => {
      runs++;
      return n + m;
    });
  }
  expect(has(page, 5)).toBe(false);
  expect(runs).toBe(1);
  page(5);
  expect(has(page, 5)).toBe(true);
});

test("an async function that calls itself in its own default is found by the outer call", async () => {
  const call = cacheData(spec("tree", { hashed: ["n", "below"], async: true, self: () => tree }));
  async function tree(
    n: number,
    below: Promise<unknown> | number = n > 0 ? [tree(n - 1, 7)].length + 4 : 0,
  ): Promise<unknown> {
    return call([n, below], async () => n);
  }
  await tree(2);
  expect([has(tree, 2), has(tree, 2, 5), has(tree, 1, 7)]).toEqual([true, true, true]);
  clear(tree, 2);
  expect([has(tree, 2), has(tree, 1, 7)]).toEqual([false, true]);
});

test("what the parameters throw is thrown; what rejects is an error of ours", () => {
  const call = cacheData(spec("f", { self: () => f }));
  function f({ n }: { n: number }): unknown {
    return call([n], () => n);
  }
  expect(() => clear(f, undefined as never)).toThrow(TypeError);
  const asyncCall = cacheData(spec("g", { async: true, self: () => g }));
  async function g({ n }: { n: number }): Promise<unknown> {
    return asyncCall([n], async () => n);
  }
  expect(() => clear(g, undefined as never)).toThrow(expect.objectContaining({ code: "arguments-unbound" }));
});

test("an argument that can't be keyed is the same error as in the call", () => {
  const load = asyncData({}, async (_x: unknown) => 1);
  expect(() => has(load, () => {})).toThrow(expect.objectContaining({ code: "unhashable-argument" }));
});

test("no rejection is left unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", note);
  const load = asyncData({}, async (_n: number) => 1);
  has(load, 1);
  clear(load, 1);
  await settle();
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

test("a method is found with its object, and all instances are cleared without one", () => {
  class Table {
    readonly id: number;
    constructor(id: number) {
      this.id = id;
    }
    rows(n: number): unknown {
      return rowsOf([this.id, n], () => [this.id, n]);
    }
  }
  const rowsOf = cacheData(spec("rows", { hashed: ["this.id", "n"], self: () => Table.prototype.rows }));
  const [a, b] = [new Table(1), new Table(2)];
  a.rows(1);
  b.rows(1);
  clear([a, a.rows], 1);
  expect([has([a, "rows"], 1), has([b, "rows"], 1)]).toEqual([false, true]);
  clear(b.rows);
  expect(has([b, "rows"], 1)).toBe(false);
});

test("a closure that is marked is found, and its captures are part of the key", () => {
  const call = cacheData(spec("add", { hashed: ["n", "by"], captured: 1 }));
  const adder = (by: number) => mark((n: number) => call([n, by], () => n + by) as number, call);
  const [two, three] = [adder(2), adder(3)];
  two(1);
  expect([has(two, 1), has(three, 1)]).toEqual([true, false]);
});

test("something else is refused, by name", () => {
  data({}, () => 1);
  const plain = () => 1;
  expect(() => clear(plain)).toThrow(expect.objectContaining({ code: "not-cached" }));
  expect(() => (has as (target: unknown) => unknown)(undefined)).toThrow(
    expect.objectContaining({ code: "not-cached" }),
  );
  expect(() => (refresh as (target: unknown) => unknown)([{}, "no"])).toThrow(
    expect.objectContaining({ code: "not-cached" }),
  );
});

test("arguments are checked as a prefix of the parameters", () => {
  const load = data({}, (n: number, name: string, more?: boolean) => [n, name, more]);
  const table = { rows: load };
  clear(load, 1);
  clear(load, 1, "a", true);
  clear([table, "rows"], 1);
  // @ts-expect-error a string is no number
  clear(load, "1");
  // @ts-expect-error one too many
  clear(load, 1, "a", true, 4);
  // @ts-expect-error the same, through an object
  clear([table, "rows"], "1");
  const found: readonly unknown[] | undefined = peek(load, 1, "a");
  expect(found).toBeUndefined();
});

test("a site id is enough; one that nobody has is nothing to clear", () => {
  const id = freshId("byId");
  const load = data({ id }, (n: number) => n);
  load(1);
  expect(has(id, 1)).toBe(true);
  clear(id, 1);
  expect(has(id, 1)).toBe(false);
  clear("src/never.ts#loaded");
});
