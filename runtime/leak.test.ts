/** What is dropped is gone: memory, flights, timers. In a process of its own, for a heap of its own. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import type * as Esbuild from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, `.cache/leak-${process.pid}`);
const esbuild = createRequire(import.meta.url)("esbuild") as typeof Esbuild;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program against the runtime's sources. */
function run(name: string, program: string, timeout = 60_000) {
  mkdirSync(folder, { recursive: true });
  const entry = join(folder, `${name}.ts`);
  const outfile = join(folder, `${name}.mjs`);
  const from = (path: string) => JSON.stringify(join(root, path));
  writeFileSync(
    entry,
    `import { asyncData, asyncResource, data, resource } from ${from("fixtures/by-hand.ts")};
     import * as kept from ${from("runtime/index.ts")};
     import { tracker } from ${from("runtime/run.ts")};
     ${program}`,
  );
  esbuild.buildSync({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", outfile });
  return spawnSync(process.execPath, ["--expose-gc", outfile], { encoding: "utf8", timeout });
}

test("a million keys with a bound of 100 leave the heap as it was", () => {
  const { stdout, stderr, status } = run(
    "million",
    `const used = () => { for (let i = 0; i < 4; i++) gc(); return process.memoryUsage().heapUsed; };
     const plain = data({ maxEntries: 100 }, (n) => ({ n, text: "row " + n }));
     const timed = data({ maxEntries: 100, ttl: 3600_000, tags: ["all"] }, (n) => {
       kept.cacheTag("tag " + n);
       return { n };
     });
     const waited = asyncData({ maxEntries: 100, ttl: 3600_000, staleFor: 1000 }, async (n) => ({ n }));
     const open = resource({ maxEntries: 100, onRelease: () => () => {} }, (n) => ({ n }));
     const knob = kept.input("knob", () => globalThis.turn);
     const turned = data({ maxEntries: 100, allowInputs: true }, (n) => knob() + n);
     const mine = data({ scope: "session" }, (n) => n);
     const cycle = async (from, to) => {
       for (let n = from; n < to; n++) {
         plain(n);
         if (n % 4 === 0) timed(n);
         if (n % 10 === 0) await waited(n);
         if (n % 10 === 1) open(n);
         if (n % 10 === 2) { globalThis.turn = n; turned(n % 7); }
         if (n % 100 === 3) { kept.withSession("s" + n, () => mine(n)); kept.endSession("s" + n); }
         if (n % 5000 === 4) { kept.clear(plain); kept.clearTag("tag " + (n - 4)); kept.clear(waited, n - 4); }
       }
     };
     await cycle(0, 20_000);
     const before = used();
     await cycle(20_000, 1_020_000);
     const after = used();
     console.log(JSON.stringify({ before, after, running: tracker.running, active: tracker.first === undefined ? 0 : 1 }));`,
    120_000,
  );
  expect([status, stderr]).toEqual([0, ""]);
  const { before, after, ...rest } = JSON.parse(stdout);
  process.stdout.write(
    `Heap: ${(before / 1e6).toFixed(2)} MB before, ${(after / 1e6).toFixed(2)} MB after 1 M keys.\n`,
  );
  expect(rest).toEqual({ running: 0, active: 0 });
  expect(after - before).toBeLessThan(500_000);
}, 150_000);

test("what is over frees its memory, without a call", () => {
  const { stdout, status } = run(
    "over",
    `const used = () => { for (let i = 0; i < 4; i++) gc(); return process.memoryUsage().heapUsed; };
     const load = data({ ttl: 300 }, (n) => "x".repeat(1000) + n);
     load(-1);
     await new Promise((resolve) => setTimeout(resolve, 400));
     const before = used();
     for (let n = 0; n < 20_000; n++) load(n);
     const full = used();
     await new Promise((resolve) => setTimeout(resolve, 800));
     console.log(JSON.stringify({ full: full - before, after: used() - before }));`,
  );
  expect(status).toBe(0);
  const { full, after } = JSON.parse(stdout);
  expect(full).toBeGreaterThan(3_000_000);
  expect(after).toBeLessThan(full / 10);
});

test("an idle cache never keeps the process alive", () => {
  const { stderr, status } = run(
    "idle",
    `const a = data({ ttl: 60_000, staleFor: 60_000 }, (n) => n);
     const b = asyncData({ ttl: 10, staleFor: 60_000 }, async (n) => n);
     const c = asyncResource({ ttl: 60_000, onRelease: () => () => {} }, async () => ({}));
     a(1);
     await b(1);
     await c();
     await new Promise((resolve) => setTimeout(resolve, 30));
     await b(1);
     kept.withSession("x", () => a(2));`,
    // Held by a timer, it would go on for a minute, and be killed.
    20_000,
  );
  expect([status, stderr]).toEqual([0, ""]);
});

test("a run's context is let go: a request that was the first to call is not held by our timer", () => {
  const { stdout, status } = run(
    "context",
    `import { AsyncLocalStorage } from "node:async_hooks";
     const request = new AsyncLocalStorage();
     const load = asyncData({ ttl: 3600_000 }, async (n) => n);
     let gone = 0;
     const registry = new FinalizationRegistry(() => gone++);
     for (let n = 0; n < 20; n++) {
       const store = { big: new Array(1000).fill(n) };
       registry.register(store, n);
       await request.run(store, () => load(n));
     }
     for (let i = 0; i < 10; i++) { await new Promise((resolve) => setTimeout(resolve, 5)); gc(); }
     console.log(gone);`,
  );
  expect(status).toBe(0);
  expect(Number(stdout)).toBeGreaterThanOrEqual(19);
});

test("what a body leaves behind does not hold what it was given or what it gave", () => {
  const { stdout, stderr, status } = run(
    "behind",
    `const used = () => { for (let i = 0; i < 4; i++) gc(); return process.memoryUsage().heapUsed; };
     const timers = [];
     const big = (n) => Array.from({ length: 20_000 }, (_, at) => n + at + 0.5);
     const load = asyncData({}, async (list, _n) => {
       timers.push(setInterval(() => {}, 1e6).unref());
       await null;
       return list.map((x) => x + 1);
     });
     await load(big(0));
     kept.clear(load);
     const before = used();
     for (let n = 1; n < 50; n++) await Promise.all([load(big(n)), load(big(n))]);
     kept.clear(load);
     await new Promise((resolve) => setTimeout(resolve, 20));
     console.log(used() - before, timers.length);`,
  );
  expect([status, stderr]).toEqual([0, ""]);
  const [grown, timers] = stdout.trim().split(" ").map(Number);
  expect(timers).toBe(50);
  // One list alone is 160 kB, and there were 98.
  expect(grown).toBeLessThan(400_000);
});
