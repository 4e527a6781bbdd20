/**
 * What a key and a copy cost, beside the libraries and built-ins that do a part of the same, in one run.
 *
 *     node --expose-gc scripts/bench/keys-copies.js [--check] [--quick] [--only="1,000 leaves"]
 *
 * Times mean little on another machine; the ratios do. Contestants take turns, and the best of many short rounds counts,
 * so that other load falls on all alike. Before that, hundreds of other shapes pass through all of them, as in a program.
 * `--check` fails where a promise is broken; `--quick` leaves out what takes gigabytes or minutes.
 */
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
// @ts-expect-error it comes without types
import objectHash from "object-hash";
import { hash as ohash } from "ohash";
import rfdc from "rfdc";
import { loadCompiler } from "../compiler.js";

const { encodeKey, keep } = await loadCompiler("runtime/key.ts", "runtime/copy.ts");
const quick = process.argv.includes("--quick");
const only = process.argv.find((arg) => arg.startsWith("--only="))?.slice(7) ?? "";
const VERSIONS = ["ohash", "object-hash", "rfdc"].map((name) => `${name} ${versionOf(name)}`);
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim()}; ${VERSIONS.join(", ")}\n`);

/** @typedef {((value: any) => unknown) & { prepare?: (value: any) => any }} Contestant */
/** @typedef {[rival: string, most: number, short?: string]} Promised what may be said of the rival; why it is not kept */
/** @typedef {{ make: (i: number) => any, contestants: Record<string, Contestant>, promises?: Promised[] }} Row */

const one = { id: "src/a.ts#f", hashed: ["a"] };
const two = { id: "src/a.ts#f", hashed: ["a", "b"] };
const sha256 = (/** @type {any} */ data) => hash("sha256", data, "base64url");
/** Looked up, as every key is: a text that is put together is written out only then. */
const map = new Map();
const found = (/** @type {Contestant} */ key) => (/** @type {any} */ value) => map.get(key(value));

/** @type {Record<string, Contestant>} */
const KEYS = {
  kept: found((value) => encodeKey([value], one)),
  "JSON.stringify": found((value) => JSON.stringify(value)),
  "sha256 of JSON": found((value) => sha256(JSON.stringify(value))),
  ohash: found((value) => ohash(value)),
  "object-hash": found((value) => objectHash(value)),
};
/** @type {Promised[]} */
const LEAVES = [
  ["JSON.stringify", 2],
  ["ohash", 1 / 2.5],
  ["object-hash", 1 / 20],
];
/** By perf, 19 of 75 µs go where ohash doesn't look: properties named by symbols, and named properties of arrays. */
const LOOKED_AT = "it looks for properties that ohash takes for absent";
/** @type {Promised[]} */
const SMALL_OBJECTS = LEAVES.map(([rival, most]) => (rival === "ohash" ? [rival, most, LOOKED_AT] : [rival, most]));
const BYTES = {
  kept: found((value) => encodeKey([value], one)),
  "sha256 of the raw bytes": found((value) => sha256(value)),
};

const small = (/** @type {number} */ i) => ({
  id: i,
  name: "Capital Bikeshare",
  active: true,
  lat: i * 1.37,
  note: null,
});
const nested = () => ({
  title: "report",
  sections: list(50, (i) => ({
    ...{ id: i, name: `section ${i}`, open: i % 2 === 0, tags: [`a${i}`, `b${i}`, "c"] },
    ...{ geo: { lat: i * 1.37, lon: -i * 2.1 }, meta: { created: "2026-01-01T00:00:00Z", by: `user${i}` } },
    rows: list(3, (j) => ({ k: j, v: `value ${j}`, score: (i * j) / 7 })),
  })),
});
const groups = () =>
  Object.fromEntries(list(20, (i) => [`group${i}`, Object.fromEntries(list(50, (j) => [`field${i}_${j}`, i * j]))]));
const flat = () => Object.fromEntries(list(1000, (i) => [`field${(i * 7919) % 1000}`, i % 3 ? i : `value ${i}`]));
const records = () => list(250, (i) => ({ id: i, name: `name ${i}`, lat: i / 7, ok: true }));
const rides = () =>
  list(10_000, (i) => ({ id: i, name: `station ${i}`, lat: i * 0.37, lon: -i * 0.7, ok: i % 2 === 0, note: null }));
const trips = () =>
  list(10_000, (i) => ({ id: i, at: { lat: i * 0.37, lon: -i * 0.7 }, tags: ["a", "b"], on: new Date(i) }));
const columns = (/** @type {number} */ rows) =>
  Object.fromEntries(
    ["a", "b", "c", "d"].map((name, n) => [name, Float64Array.from({ length: rows }, (_, i) => i * n)]),
  );

const deepCopy = rfdc();
/** @type {Contestant} */
const hit = (keeper) => keeper.give();
hit.prepare = (value) => keep(value, "copy", one).keeper;
/** @type {Record<string, Contestant>} */
const COPIES = { "kept, a hit": hit, rfdc: deepCopy, structuredClone };
const miss = (/** @type {any} */ value) => keep(value, "copy", one);

/** @type {Record<string, Row>} */
const ROWS = {
  "Key: one number": { make: (i) => i, contestants: KEYS },
  "Key: one short string": { make: (i) => `station ${i}`, contestants: KEYS },
  "Key: (string, number)": {
    make: (i) => [`station ${i}`, i],
    contestants: {
      kept: found((list) => encodeKey(list, two)),
      "a + '|' + b (which collides)": found(([a, b]) => `${a}|${b}`),
      "JSON.stringify": found((list) => JSON.stringify(list)),
      ohash: found((list) => ohash(list)),
    },
  },
  "Key: one flat object of 5 fields": { make: small, contestants: KEYS, promises: [["JSON.stringify", 1]] },
  "Key: 1,000 leaves, 350 nested objects and arrays": { make: nested, contestants: KEYS, promises: SMALL_OBJECTS },
  "Key: 1,000 leaves, 20 objects of 50": { make: groups, contestants: KEYS, promises: LEAVES },
  "Key: 1,000 leaves, one flat object": { make: flat, contestants: KEYS, promises: LEAVES },
  "Key: 1,000 leaves, 250 records": { make: records, contestants: KEYS, promises: SMALL_OBJECTS },
  "Key: 100,000 numbers": {
    make: () => list(100_000, (i) => i * 0.5),
    contestants: pick(KEYS, ["kept", "JSON.stringify", "ohash"]),
  },
  "Key: Float64Array, 8 MB": {
    make: () => new Float64Array(1e6).fill(1.5),
    contestants: BYTES,
    promises: [["sha256 of the raw bytes", 1.3]],
  },
  "Key: Float64Array, 80 MB": {
    make: () => new Float64Array(1e7).fill(1.5),
    contestants: BYTES,
    promises: [["sha256 of the raw bytes", 1.3]],
  },
  "Copy: { v }": { make: (v) => ({ v }), contestants: COPIES },
  "Copy: a small nested object": {
    make: (i) => ({ id: i, name: "x", at: { lat: i, lon: -i }, tags: ["a", "b"] }),
    contestants: COPIES,
  },
  "Copy: 10,000 rows of 6 fields": {
    make: rides,
    contestants: {
      ...COPIES,
      "map(r => ({ ...r }))": (rows) => rows.map((/** @type {any} */ r) => ({ ...r })),
      "kept, the miss": miss,
    },
    promises: [
      ["map(r => ({ ...r }))", 2],
      ["structuredClone", 1 / 8],
    ],
  },
  "Copy: 10,000 rows with a nested object, an array and a Date": {
    make: trips,
    contestants: {
      ...COPIES,
      "by hand": (rows) =>
        rows.map((/** @type {any} */ r) => ({ ...r, at: { ...r.at }, tags: r.tags.slice(), on: new Date(r.on) })),
      "kept, the miss": miss,
    },
    promises: [["by hand", 2]],
  },
  "Copy: 10,000 rows that share one object": {
    make: () => {
      const depot = { name: "depot" };
      return list(10_000, (i) => ({ id: i, depot }));
    },
    contestants: { "kept, a hit": hit, structuredClone },
  },
  "Copy: 4 × 10 M Float64": {
    make: () => columns(1e7),
    contestants: {
      "kept, a hit": hit,
      "TypedArray.slice": (table) => Object.values(table).map((column) => column.slice()),
      structuredClone,
    },
    promises: [["TypedArray.slice", 1.1]],
  },
};
const HEAVY = ["Key: Float64Array, 80 MB", "Copy: 4 × 10 M Float64"];

meetOtherShapes();
let broken = 0;
/** @type {string[]} */
const promised = [];
for (const [name, row] of Object.entries(ROWS)) {
  if ((quick && HEAVY.includes(name)) || !name.includes(only)) continue;
  const times = race(row);
  const own = /** @type {number} */ (Object.values(times)[0]);
  console.log(name);
  for (const [contestant, ns] of Object.entries(times)) {
    console.log(`  ${contestant.padEnd(34)} ${show(ns).padStart(12)}  ${(ns / own).toFixed(2).padStart(8)} ×`);
  }
  console.log();
  for (const [rival, most, short] of row.promises ?? []) {
    const ratio = own / /** @type {number} */ (times[rival]);
    const holds = ratio <= most;
    if (!holds && short === undefined) broken++;
    const bound = most < 1 ? `1/${(1 / most).toFixed(1)}` : String(most);
    const verdict = holds ? "ok" : short === undefined ? "BROKEN" : `short: ${short}`;
    promised.push(
      `  ${name.padEnd(60)} / ${rival.padEnd(23)} ${ratio.toFixed(3).padStart(7)} ≤ ${bound.padEnd(6)} ${verdict}`,
    );
  }
}
console.log(`Promises: kept over the rival, at most\n${promised.join("\n")}`);
if (broken > 0 && process.argv.includes("--check")) process.exitCode = 1;

/**
 * The best time of each contestant, in ns a call.
 *
 * @param {Row} row
 */
function race({ make, contestants }) {
  const first = make(1);
  const entrants = Object.entries(contestants).map(([name, run]) => {
    const prepare = run.prepare ?? same;
    const only = prepare(first);
    const ns = timed(() => run(only));
    const values = ns > 1e6 ? [only] : list(16, (i) => prepare(make(i + 1)));
    // Long enough to measure, short enough to fall between two other loads.
    const calls = Math.max(1, Math.min(20_000, Math.round(1e6 / ns)));
    return { name, run, values, calls, ns };
  });
  const slowest = Math.max(...entrants.map(({ ns }) => ns));
  /** @type {Record<string, number>} */
  const best = {};
  const until = performance.now() + (slowest > 1e8 ? 20_000 : 4000);
  for (let round = 0; round < 3 || (round < 400 && performance.now() < until); round++) {
    for (const { name, run, values, calls } of entrants) {
      // Between the giants only: it also throws away what V8 has learnt of everyone's code.
      if (slowest > 1e8) globalThis.gc?.();
      const ns = timed(() => {
        for (let i = 0; i < calls; i++) run(values[i % values.length]);
      });
      best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, ns / calls);
    }
  }
  return best;
}

/** @param {any} value */
function same(value) {
  return value;
}

/** @param {() => unknown} run */
function timed(run) {
  const started = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - started);
}

/** A program has hundreds of shapes: what is fast for one alone would be a fair-weather figure. */
function meetOtherShapes() {
  for (let s = 0; s < 300; s++) {
    const row = (/** @type {number} */ i) => ({
      ...Object.fromEntries(list((s % 7) + 1, (j) => [`p${(s * 31 + j * 17) % 97}`, i])),
      of: { [`q${s}`]: [i] },
    });
    const rows = list(20, row);
    for (let r = 0; r < 10; r++) {
      for (const key of Object.values(pick(KEYS, ["kept", "ohash"]))) for (const each of rows) key(each);
      for (const copy of Object.values(COPIES)) copy((copy.prepare ?? same)(rows));
    }
  }
}

/**
 * @template T
 * @param {number} length
 * @param {(i: number) => T} make
 */
function list(length, make) {
  return Array.from({ length }, (_, i) => make(i));
}

/**
 * @param {Record<string, Contestant>} from
 * @param {string[]} names
 */
function pick(from, names) {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

/** @param {number} ns */
function show(ns) {
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(2)} ms`;
  return ns >= 1e4 ? `${(ns / 1e3).toFixed(1)} µs` : `${ns.toFixed(ns < 100 ? 1 : 0)} ns`;
}

/** @param {string} name */
function versionOf(name) {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
