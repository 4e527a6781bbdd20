import { mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import type * as Esbuild from "esbuild";
import { data, freshId } from "../fixtures/by-hand.ts";
import type { MakeSite } from "./contract.ts";
import { CONTRACT_VERSION } from "./contract.ts";
import { cacheData } from "./generated.ts";
import type * as api from "./index.ts";
import { caches, clear, has, KeptError, stats } from "./index.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, `.cache/registry-${process.pid}`);
const require = createRequire(import.meta.url);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The other copy of the package, as `require("kept")` and `require("kept/runtime")` give it. */
function otherCopy(): typeof api & { cacheData: MakeSite } {
  const esbuild = require("esbuild") as typeof Esbuild;
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, "other.cjs");
  const contents = `export * from "./runtime/index.ts"; export { cacheData } from "./runtime/generated.ts";`;
  const stdin = { contents, resolveDir: root, loader: "ts" } as const;
  esbuild.buildSync({ stdin, bundle: true, platform: "node", format: "cjs", outfile });
  return require(outfile);
}

const spec = { v: CONTRACT_VERSION, id: freshId("shared"), code: "h1:1", hashed: ["n"], excluded: [] };

test("two copies of the package are one cache", () => {
  const other = otherCopy();
  const mine = cacheData({ ...spec, self: () => load });
  function load(n: number): unknown {
    return mine([n], () => ["esm", n]);
  }
  const theirs = other.cacheData({ ...spec, self: () => loadThere });
  function loadThere(n: number): unknown {
    return theirs([n], () => ["cjs", n]);
  }
  expect(load(1)).toEqual(["esm", 1]);
  expect(loadThere(1)).toEqual(["esm", 1]);
  expect([has(load, 1), has(loadThere, 1), other.has(load, 1), other.has(loadThere, 1)]).toEqual(Array(4).fill(true));
  expect(other.stats()[spec.id]).toEqual(stats()[spec.id]);
  const told: string[] = [];
  const off = other.on("clear", ({ scope }) => told.push(scope));
  clear(loadThere, 1);
  off();
  expect(told).toEqual(["entry"]);
  expect(other.has(load, 1)).toBe(false);
  let error: unknown;
  try {
    other.clear(() => {});
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(KeptError);
});

test("a module that is evaluated again with the same code goes on with its entries", () => {
  const id = freshId("hot");
  const evaluate = (code: string, value: string) => {
    const call = cacheData({ ...spec, id, code, self: () => load });
    const load = (n: number) => call([n], () => value);
    return load;
  };
  const first = evaluate("h1:1", "first");
  first(1);
  const second = evaluate("h1:1", "second");
  expect(second(1)).toBe("first");
  expect(has(first, 1)).toBe(true);
  const third = evaluate("h1:2", "third");
  expect(has(third, 1)).toBe(false);
  expect(third(1)).toBe("third");
  // Who still holds the old function has it working, apart from the new one.
  expect(first(1)).toBe("first");
  expect(third(1)).toBe("third");
  clear(first, 1);
  expect([has(first, 1), has(third, 1)]).toEqual([false, true]);
  // By its id all code that has or had it is cleared.
  first(1);
  clear(id);
  expect([has(first, 1), has(third, 1)]).toEqual([false, false]);
});

test("a site names its function late, and one that can't be named yet harms nobody", () => {
  const call = cacheData({
    ...spec,
    id: freshId("late"),
    self: () => {
      throw new ReferenceError("not yet");
    },
  });
  call([1], () => 1);
  const load = data({}, (n: number) => n);
  load(1);
  expect(has(load, 1)).toBe(true);
});

test("caches lists what was built", () => {
  const id = freshId("listed");
  data({ id, ttl: 1000, maxEntries: 7, params: ["a", "_b"] }, () => 1);
  expect([...caches].find((one) => one.id === id)).toEqual({
    id,
    kind: "data",
    code: "h1:00000000000000000000000000000000",
    hashed: ["a"],
    excluded: ["_b"],
    ttl: 1000,
    maxEntries: 7,
    scope: "global",
  });
});
