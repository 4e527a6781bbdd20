import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "@jest/globals";
import { asyncData, data, settle } from "../fixtures/by-hand.ts";
import { clear, has, input, on, peek, stats } from "./index.ts";

const values: Record<string, unknown> = {};
const read = input("value", (name: string) => values[name]);
const wait = input("wait", async (name: string) => {
  await settle(1);
  return values[name];
});

test("an input inside a cached function is refused, and read freely elsewhere", () => {
  values.theme = "dark";
  const load = data({}, () => read("theme"));
  expect(load).toThrow(expect.objectContaining({ code: "input-refused" }));
  expect(read("theme")).toBe("dark");
});

test("with allowInputs what it gives is part of the key", () => {
  let runs = 0;
  const load = data({ allowInputs: true }, (n: number) => [n, read("theme"), ++runs]);
  values.theme = "dark";
  expect(load(1)).toEqual([1, "dark", 1]);
  expect(load(1)).toEqual([1, "dark", 1]);
  values.theme = "light";
  expect(load(1)).toEqual([1, "light", 2]);
  expect(load(2)).toEqual([2, "light", 3]);
  values.theme = "dark";
  expect(load(1)).toEqual([1, "dark", 1]);
});

test("several inputs, and some that are read only if others say so", () => {
  let runs = 0;
  const load = data({ allowInputs: true }, () => {
    runs++;
    return read("advanced") ? [read("depth"), read("width")] : "simple";
  });
  Object.assign(values, { advanced: false, depth: 1, width: 1 });
  expect(load()).toBe("simple");
  values.depth = 2;
  expect(load()).toBe("simple");
  expect(runs).toBe(1);
  values.advanced = true;
  expect(load()).toEqual([2, 1]);
  values.width = 5;
  expect(load()).toEqual([2, 5]);
  expect(runs).toBe(3);
  Object.assign(values, { width: 1 });
  expect(load()).toEqual([2, 1]);
  values.advanced = false;
  expect(load()).toBe("simple");
  expect(runs).toBe(3);
});

test("an async function waits for its inputs, on the hit as on the miss", async () => {
  let runs = 0;
  const load = asyncData({ allowInputs: true }, async (n: number) => [n, await wait("flag"), ++runs]);
  values.flag = 1;
  expect(await Promise.all([load(1), load(1), load(1)])).toEqual([
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
  ]);
  values.flag = 2;
  expect(await Promise.all([load(1), load(1)])).toEqual([
    [1, 2, 2],
    [1, 2, 2],
  ]);
  values.flag = 1;
  expect(await load(1)).toEqual([1, 1, 1]);
});

test("callers with other answers don't share a run", async () => {
  const request = new AsyncLocalStorage<string>();
  const user = input("user", () => request.getStore());
  let runs = 0;
  const load = asyncData({ allowInputs: true }, async () => {
    runs++;
    await settle(1);
    return user();
  });
  const names = ["ann", "bob", "cy", "ann"];
  const results = await Promise.all(names.map((name) => request.run(name, load)));
  expect(results).toEqual(names);
  expect(runs).toBe(3);
});

test("an outer function must allow them, too, and then depends on them", () => {
  values.theme = "dark";
  const inner = data({ allowInputs: true }, () => read("theme"));
  const strict = data({}, () => inner());
  expect(strict).toThrow(expect.objectContaining({ code: "input-refused" }));
  inner();
  expect(strict).toThrow(expect.objectContaining({ code: "input-refused" }));
  let runs = 0;
  const outer = data({ allowInputs: true }, () => [inner(), ++runs]);
  expect(outer()).toEqual(["dark", 1]);
  values.theme = "light";
  expect(outer()).toEqual(["light", 2]);
  values.theme = "dark";
  expect(outer()).toEqual(["dark", 1]);
});

test("a function that can't wait can't read an input that must be waited for", () => {
  const load = data({ allowInputs: true }, () => wait("flag"));
  expect(load).toThrow(expect.objectContaining({ code: "async-input" }));
});

test("clear, has and peek go by the arguments", () => {
  const load = data({ allowInputs: true }, (n: number) => [n, read("theme")]);
  for (const theme of ["dark", "light"]) {
    values.theme = theme;
    load(1);
    load(2);
  }
  expect([has(load, 1), peek(load, 1), has(load, 3)]).toEqual([true, [1, "light"], false]);
  clear(load, 1);
  expect([has(load, 1), has(load, 2)]).toEqual([false, true]);
  values.theme = "dark";
  expect([has(load, 1), has(load, 2)]).toEqual([false, true]);
  values.theme = "none";
  expect(has(load, 2)).toBe(false);
});

test("an answer that never comes, or fails, is not kept", async () => {
  let runs = 0;
  const load = asyncData({ allowInputs: true }, async () => {
    void wait("flag");
    return ++runs;
  });
  expect(await load()).toBe(1);
  expect(await load()).toBe(2);
  const broken = input("broken", () => {
    throw new Error("no cookie");
  });
  const failing = data({ allowInputs: true }, () => broken());
  expect(failing).toThrow("no cookie");
});

test("evicted variants leave nothing behind", () => {
  const id = "src/variants.ts#load";
  const load = data({ allowInputs: true, maxEntries: 2, id }, (_n: number) => read("count"));
  for (let count = 0; count < 50; count++) {
    values.count = count;
    load(count % 3);
    expect(load(count % 3)).toBe(count);
  }
  expect(stats()[id]).toMatchObject({ entries: 2, misses: 50, hits: 50, evictions: 48 });
});

test("a function that passes 1,000 variants is a fault, once", () => {
  const faults: unknown[] = [];
  const deaf = on("fault", ({ code, site }) => faults.push([code, site]));
  const id = "src/many.ts#load";
  const load = data({ allowInputs: true, id }, () => read("count"));
  for (let count = 0; count < 1100; count++) {
    values.count = count;
    load();
  }
  expect(faults).toEqual([["input-variants", id]]);
  deaf();
});
