/**
 * The runtime where there is no Node: nothing of Node is imported, and in a real browser it does what it says. What it
 * can't do there (following a run or a session past an `await`) is as docs/runtime.md says.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import type * as Esbuild from "esbuild";
import { testWhere } from "../fixtures/where.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, `.cache/browser-${process.pid}`);
const esbuild = createRequire(import.meta.url)("esbuild") as typeof Esbuild;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = `
import { asyncData, asyncResource, data, resource } from "./fixtures/by-hand.ts";
import * as kept from "./runtime/index.ts";

const results = {};
const check = async (name, act) => {
  try {
    results[name] = await act();
  } catch (error) {
    results[name] = String(error && error.stack || error);
  }
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const codeOf = async (act) => { try { await act(); } catch (error) { return error.code; } };

addEventListener("unhandledrejection", (event) => { results.unhandled = String(event.reason); });
await check("copies", () => {
  const f = data({}, (n) => ({ n, list: [n], map: new Map([[1, { n }]]) }));
  f(1).list.push(2);
  return JSON.stringify(f(1).list) + (f(1) === f(1)) + (f(1).map.get(1) === f(1).map.get(1));
});
await check("resources", async () => {
  let released = 0;
  const f = asyncResource({ onRelease: () => () => released++ }, async () => ({}));
  const same = (await f()) === (await f());
  kept.clear(f);
  await sleep(20);
  return [same, released].join();
});
await check("flights", async () => {
  let runs = 0;
  const f = asyncData({}, async () => { await sleep(5); return ++runs; });
  return (await Promise.all([f(), f(), f()])).join() + "/" + runs;
});
await check("ttl", async () => {
  let runs = 0;
  const f = data({ ttl: 30 }, () => ++runs);
  f(); f();
  await sleep(60);
  return [kept.stats()[[...kept.caches].at(-1).id].entries, f()].join();
});
await check("clear", () => {
  const f = data({}, (n) => n);
  f(1); f(2);
  kept.clear(f, 1);
  return [kept.has(f, 1), kept.has(f, 2)].join();
});
await check("refused", async () => [
  await codeOf(() => data({}, (x) => 1)(() => 1)),
  await codeOf(() => data({}, (x) => 1)(new Response("x"))),
  await codeOf(() => data({}, (x) => 1)(document.body)),
  await codeOf(() => data({}, () => document.createElement("p"))()),
].join());
await check("keys", () => {
  let runs = 0;
  const f = data({}, (x) => ++runs);
  f({ a: 1, b: [new Date(5), /x/g, 1n, Uint8Array.of(1)] });
  f({ b: [new Date(5), /x/g, 1n, Uint8Array.of(1)], a: 1 });
  const long = "x".repeat(5000);
  f(long); f(long);
  return runs;
});
await check("cycle", () => {
  const f = data({}, (n) => f(n));
  return codeOf(() => f(1));
});
await check("nested", () => {
  const inner = data({ tags: ["t"] }, () => 1);
  const outer = data({}, () => inner() + 1);
  outer();
  kept.clearTag("t");
  return kept.has(outer);
});
await check("session up to the first await", async () => {
  const f = data({ scope: "session" }, () => ({}));
  const one = kept.withSession("a", () => f() === undefined);
  const two = await kept.withSession("a", async () => { f(); await null; return codeOf(f); });
  return [one, two].join();
});
await check("replay", () => {
  const seen = [];
  const say = kept.element("say", (word) => seen.push(word));
  const f = data({}, () => say("hello"));
  f(); f();
  return seen.join();
});
await check("stale", async () => {
  let runs = 0;
  const f = asyncData({ ttl: 20, staleFor: 5000 }, async () => ++runs);
  await f();
  await sleep(40);
  const stale = await f();
  await sleep(5);
  return [stale, await f()].join();
});
await check("events", () => {
  let hits = 0;
  const off = kept.on("hit", () => hits++);
  const f = data({}, () => 1);
  f(); f(); f();
  off();
  f();
  return hits;
});
await check("close", async () => { await kept.caches.close(); return Object.values(kept.stats()).every(({ entries }) => entries === 0); });
document.body.textContent = "RESULTS" + btoa(JSON.stringify(results)) + "END";
`;

function bundle(): Esbuild.BuildResult<{ write: false; metafile: true }> {
  return esbuild.buildSync({
    stdin: { contents: PROGRAM, resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    conditions: ["browser"],
    format: "esm",
    target: "es2022",
  });
}

test("a bundle for a browser imports nothing", () => {
  const { metafile, outputFiles } = bundle();
  const [output] = Object.values(metafile.outputs);
  expect(output?.imports).toEqual([]);
  expect(outputFiles[0]?.text).not.toMatch(/\brequire\(|from "node:/);
});

const browser = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => `/usr/bin/${name}`)
  .find((path) => existsSync(path));
const missing = browser === undefined ? "there is no Chromium" : undefined;
const inABrowser = testWhere("the runtime in a browser", missing);

inABrowser(
  "in headless Chromium",
  () => {
    mkdirSync(folder, { recursive: true });
    const page = join(folder, "page.html");
    const script = bundle().outputFiles[0]?.text.replaceAll("</script", "<\\/script");
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><body><script type="module">${script}</script>`);
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"];
    const { stdout } = spawnSync(browser as string, [...flags, `--user-data-dir=${folder}/profile`, `file://${page}`], {
      encoding: "utf8",
      timeout: 90_000,
    });
    const found = /RESULTS(.+)END/.exec(stdout)?.[1];
    expect(found).toBeDefined();
    expect(JSON.parse(Buffer.from(found as string, "base64").toString())).toEqual({
      copies: "[1]falsefalse",
      resources: "true,1",
      flights: "1,1,1/1",
      ttl: "0,2",
      clear: "false,true",
      refused: "unhashable-argument,unhashable-argument,unhashable-argument,uncopyable-result",
      keys: 2,
      cycle: "cache-cycle",
      nested: false,
      "session up to the first await": "false,session",
      replay: "hello,hello",
      stale: "1,2",
      events: 2,
      close: true,
    });
  },
  120_000,
);
