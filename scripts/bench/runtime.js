/**
 * What a call of a cached function costs, beside the libraries that do a part of the same, in one run.
 *
 *     node scripts/bench/runtime.js [--check] [--rounds=3]
 *
 * Times mean little on another machine; the ratios do. `--check` fails where a promise of the speed table is broken. The
 * functions of Kept are what its compiler makes of `export function one(n) { "use cache data"; … }`.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { loadCompiler } from "../compiler.js";
import { ROWS } from "./rivals.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = join(root, ".cache", "bench");
const rivals = join(root, "scripts", "bench", "rivals.js");
const ROUNDS = Number(process.argv.find((arg) => arg.startsWith("--rounds="))?.slice(9) ?? 3);
const LIBRARIES = ["memoizee", "lru-cache", "nano-memoize", "memoize", "p-memoize", "cacheable", "bentocache"];
LIBRARIES.push("@epic-web/cachified", "ocache");

/** Functions as a user writes them. */
const SOURCE = `
import { cacheOptions } from "kept";
const body = (x) => (typeof x === "number" ? x * 2 : 7);
export function one(x) { "use cache data"; return body(x); }
export function oneBounded(x) { "use cache data"; cacheOptions({ maxEntries: 1000 }); return body(x); }
export function oneTimed(x) { "use cache data"; cacheOptions({ ttl: "1h" }); return body(x); }
export function two(name, n) { "use cache data"; return n * 2 + 1; }
export async function oneAsync(x) { "use cache data"; return body(x); }
export function objectOf(x) { "use cache data"; return { v: x }; }
export function frozenOf(x) { "use cache data"; cacheOptions({ copy: "freeze" }); return { v: x }; }
export function resourceOf(x) { "use cache resource"; return { v: x }; }
let run;
export const setBody = (next) => { run = next; };
export async function crowd(x) { "use cache data"; return run(x); }
`;

/**
 * What the table promises: Kept's time over the rival's, at most.
 *
 * @type {readonly (readonly [row: string, rival: string, most: number, goal?: true])[]}
 */
const PROMISES = [
  ["one number", "memoizee", 1],
  ["one number", "lru-cache, ttl", 1],
  ["one number", "nano-memoize", 1.5, true],
  ["one short string", "memoizee", 1],
  ["one short string", "lru-cache, ttl", 1],
  ["one short string", "nano-memoize", 1.5, true],
  ["(string, number)", "memoizee", 1],
  ["(string, number)", "nano-memoize", 1],
  ["(string, number)", "memoize, JSON", 1],
  ["one flat object of 5 fields", "Map, JSON", 1],
  ["async, one number", "memoize", 1],
  ["async, one number", "cacheable", 1 / 20],
  ["async, one number", "bentocache", 1 / 20],
  ["async, one number", "cachified", 1 / 20],
  ["async, one number", "ocache", 1 / 20],
];

const compiled = await compile();
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim()}`);
console.log(LIBRARIES.map((name) => `${name} ${versionOf(name)}`).join(", "), "\n");

/** @type {Map<string, number>} */
const times = new Map();
for (const [row, { contestants }] of Object.entries(ROWS)) {
  const names = Object.keys(contestants);
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const { ns } = measure(row, name);
      times.set(`${row}/${name}`, Math.min(ns, times.get(`${row}/${name}`) ?? Number.POSITIVE_INFINITY));
    }
  }
  const own = timeOf(row, /** @type {string} */ (names[0]));
  console.log(`A hit: ${row}`);
  for (const name of names) {
    const ns = timeOf(row, name);
    console.log(`  ${name.padEnd(34)} ${ns.toFixed(1).padStart(9)} ns  ${(ns / own).toFixed(2).padStart(7)} ×`);
  }
  console.log();
}

console.log("A million entries { v }, by one number");
for (const name of ["kept data", "kept resource", "Map", "lru-cache", "lru-cache, ttl"]) {
  const { bytes, ms } = measure("memory", name, "--expose-gc");
  console.log(`  ${name.padEnd(34)} ${bytes.toFixed(0).padStart(9)} bytes an entry  ${ms.toFixed(0).padStart(6)} ms`);
}
console.log("\n10,000 callers of one key at a time");
for (const name of ["kept", "p-memoize", "memoizee"]) {
  const { ms, runs } = measure("crowd", name);
  console.log(`  ${name.padEnd(34)} ${ms.toFixed(2).padStart(9)} ms  ${runs} run(s)`);
}

console.log("\nPromises");
let broken = 0;
for (const [row, rival, most, goal] of PROMISES) {
  const ratio = timeOf(row, "kept") / timeOf(row, rival);
  const holds = ratio <= most;
  if (!holds && goal !== true) broken++;
  const verdict = holds ? "ok" : goal ? "short of the goal" : "BROKEN";
  const bound = most < 1 ? `1/${Math.round(1 / most)}` : String(most);
  console.log(
    `  ${row.padEnd(30)} kept / ${rival.padEnd(16)} ${ratio.toFixed(3).padStart(7)}  ≤ ${bound.padEnd(5)} ${verdict}`,
  );
}
if (broken > 0 && process.argv.includes("--check")) process.exitCode = 1;

/**
 * @param {string} row
 * @param {string} contestant
 * @param {string[]} flags
 */
function measure(row, contestant, ...flags) {
  const args = [...flags, rivals, row, contestant, compiled];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${row}, ${contestant}: ${stderr}`);
  return JSON.parse(stdout);
}

/**
 * @param {string} row
 * @param {string} name
 */
function timeOf(row, name) {
  return /** @type {number} */ (times.get(`${row}/${name}`));
}

/** @returns {Promise<string>} a module with the functions above, as they are built */
async function compile() {
  mkdirSync(folder, { recursive: true });
  const { transform } = await loadCompiler("plugin/index.ts");
  const source = join(folder, "functions.js");
  const file = join(folder, "kept.mjs");
  writeFileSync(source, transform(SOURCE, { filename: source, root: folder }).code);
  const alias = { "kept/runtime": join(root, "runtime/generated.ts"), kept: join(root, "runtime/index.ts") };
  await build({
    entryPoints: [source],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: file,
    alias,
    logLevel: "error",
  });
  return file;
}

/** @param {string} name */
function versionOf(name) {
  return JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
}
