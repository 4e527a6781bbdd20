/**
 * A hit from disk with nothing in memory, beside what it is made of and what does the same: `node scripts/bench/stores.js`,
 * after a build. All run in one process, in turn and in short slices, so that a busy machine is as busy for each; shown
 * are medians, and CPU time. Two rivals are shown where they are found: `@keyv/sqlite`, whose SQLite is compiled at its
 * install (here, or in the folder RIVALS), and Streamlit (of the Python PYTHON, else `python3`).
 */
import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { deserialize, serialize, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { open } from "lmdb";
import { cacheData } from "../../dist/runtime/generated-node.js";
import { caches, configure } from "../../dist/runtime/index-node.js";

/** @typedef {(n: number) => unknown} Hit gives the nth entry, or a promise of it */

const NAME = "kept, a whole call";

/** What Streamlit is asked to do. */
const PROGRAM = `
import sys, time, numpy, streamlit
from streamlit.runtime.caching.cache_data_api import DataCaches
from streamlit.runtime.caching.storage.local_disk_cache_storage import LocalDiskCacheStorageManager
# Outside of "streamlit run" nothing would be persisted.
DataCaches.get_storage_manager = lambda self: LocalDiskCacheStorageManager()
computed = False
@streamlit.cache_data(persist="disk", show_spinner=False)
def columns(rows):
    global computed
    computed = True
    return {name: numpy.full(rows, ord(name), dtype=numpy.float64) for name in "abcd"}
began = time.perf_counter()
columns(int(sys.argv[1]))
print("computed" if computed else (time.perf_counter() - began) * 1000)
`;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const top = mkdtempSync(join(tmpdir(), "kept-bench-"));
try {
  await small();
  await large();
} finally {
  rmSync(top, { recursive: true, force: true });
}

async function small() {
  const KEYS = 2000;
  const PASSES = 8;
  const SLICE = 50;
  const kept = await persisted("small", row, KEYS);
  const { db, rivals } = await smallRivals(KEYS);
  /** @type {Record<string, Hit>} */
  const hits = { [NAME]: kept, ...rivals };
  const times = timesOf(hits);
  /** @type {Record<string, number> | undefined} */
  let atFirst;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let from = 0; from < KEYS; from += SLICE) {
      for (const [name, hit] of Object.entries(hits)) {
        await times.measure(name, SLICE, async () => {
          for (let n = from; n < from + SLICE; n++) {
            const given = hit(n);
            if (given instanceof Promise) await given;
          }
        });
      }
    }
    atFirst ??= times.medians();
    await caches.close();
  }
  await db.close();
  const medians = times.print("A value of 1 KB", "µs", 1000);
  console.log(`  in the first pass, before the code is compiled: ${(1000 * (atFirst?.[NAME] ?? 0)).toFixed(1)} µs`);
  demand(medians, "lmdb get + v8.deserialize", 2);
  for (const name of Object.keys(medians)) if (name !== NAME && !name.startsWith("lmdb")) demand(medians, name, 1);
}

/** About 1 KB. @param {number} id */
function row(id) {
  const points = Array.from({ length: 20 }, (_, at) => ({ x: at, y: at * 1.5, label: `p${at}` }));
  return { id, name: `entry number ${id}`, tags: ["alpha", "beta", "gamma"], points, text: "x".repeat(280) };
}

/** @param {number} keys */
async function smallRivals(keys) {
  const db = open({ path: join(top, "lmdb"), encoding: "binary" });
  for (let n = 0; n < keys; n++) db.put(n, serialize(row(n)));
  await db.flushed;
  const folder = join(top, "files");
  mkdirSync(folder);
  for (let n = 0; n < keys; n++) {
    writeFileSync(join(folder, `${n}`), serialize(row(n)));
    writeFileSync(join(folder, `${n}.json`), JSON.stringify(row(n)));
  }
  /** @type {Record<string, Hit>} */
  const rivals = {
    "lmdb get + v8.deserialize": (n) => deserialize(/** @type {Buffer} */ (db.getBinary(n))),
    "readFileSync + v8.deserialize": (n) => deserialize(readFileSync(join(folder, `${n}`))),
    "readFileSync + JSON.parse": (n) => JSON.parse(readFileSync(join(folder, `${n}.json`), "utf8")),
  };
  const sqlite = await keyvOnSqlite();
  if (sqlite === undefined) console.log("- keyv + sqlite: @keyv/sqlite is not installed, here or in RIVALS");
  else {
    for (let n = 0; n < keys; n++) await sqlite.set(`${n}`, row(n));
    rivals["keyv + sqlite"] = (n) => sqlite.get(`${n}`);
  }
  return { db, rivals };
}

async function keyvOnSqlite() {
  const from = [import.meta.url, ...(process.env.RIVALS ? [join(resolve(process.env.RIVALS), "any.js")] : [])];
  for (const place of from) {
    const find = createRequire(place);
    try {
      const { Keyv } = find("keyv");
      const { KeyvSqlite } = find("@keyv/sqlite");
      return new Keyv({ store: new KeyvSqlite(`sqlite://${join(top, "keyv.sqlite")}`) });
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

async function large() {
  const COLUMN = 10_000_000;
  const ROUNDS = 9;
  const columns = () =>
    Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, new Float64Array(COLUMN).fill(name.charCodeAt(0))]));
  const kept = await persisted("large", columns, 1);
  const [bytes, serialized] = [join(top, "bytes"), join(top, "serialized")];
  writeFileSync(bytes, new Uint8Array(4 * 8 * COLUMN).fill(1));
  writeFileSync(serialized, serialize(columns()));
  for (const path of [bytes, serialized]) settle(path);
  /** @type {Record<string, Hit>} */
  const hits = {
    [NAME]: kept,
    "readFileSync of as many bytes": () => readFileSync(bytes),
    "readFileSync + v8.deserialize, copied": () =>
      Object.fromEntries(
        Object.entries(deserialize(readFileSync(serialized))).map(([name, column]) => [name, column.slice()]),
      ),
  };
  const times = timesOf(hits);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, hit] of Object.entries(hits)) {
      await caches.close();
      // What the one before has left is given back on threads of their own: not while this one is measured.
      collect();
      await new Promise((done) => setTimeout(done, 200));
      await times.measure(name, 1, async () => hit(0));
    }
  }
  const medians = times.print("4 × 10 M Float64", "ms", 1);
  demand(medians, "readFileSync of as many bytes", 1.5);
  streamlit(COLUMN, medians[NAME] ?? 0);
}

/** Until it has been written, the system is busy with it. @param {string} path */
function settle(path) {
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
}

/** @param {number} rows @param {number} kept ms */
function streamlit(rows, kept) {
  const program = join(top, "program.py");
  writeFileSync(program, PROGRAM);
  const env = { ...process.env, HOME: top };
  const run = () => spawnSync(process.env.PYTHON ?? "python3", [program, `${rows}`], { encoding: "utf8", env });
  const [first, ...others] = Array.from({ length: 6 }, run);
  if (first?.status !== 0) {
    console.log("- Streamlit's persist: this Python has no streamlit (PYTHON names another)");
    return;
  }
  const times = others.map(({ stdout }) => Number(stdout)).sort((a, b) => a - b);
  const median = times[times.length >> 1] ?? Number.NaN;
  console.log(`  Streamlit's persist="disk" in processes of its own: ${median.toFixed(0)} ms`);
  demand({ [NAME]: kept, "Streamlit's persist": median }, "Streamlit's persist", 1);
}

/** A function with that many results on disk. @param {string} id @param {Hit} body @param {number} keys */
async function persisted(id, body, keys) {
  configure({ dir: join(top, "kept"), maxDiskBytes: 8 * 2 ** 30 });
  const about = { v: /** @type {const} */ (1), code: "h1:1", hashed: ["n"], excluded: [] };
  const call = cacheData({ ...about, id: `src/bench.ts#${id}`, persist: "disk" });
  for (let n = 0; n < keys; n++) call([n], () => body(n));
  await caches.close();
  const never = () => {
    throw new Error("not from disk");
  };
  return (/** @type {number} */ n) => call([n], never);
}

/** @param {Record<string, Hit>} contestants */
function timesOf(contestants) {
  const slices = new Map(
    Object.keys(contestants).map((name) => [name, { took: /** @type {number[]} */ ([]), cpu: 0 }]),
  );
  const medians = () =>
    Object.fromEntries(
      [...slices].map(([name, { took }]) => [name, took.toSorted((a, b) => a - b)[took.length >> 1] ?? Number.NaN]),
    );
  return {
    medians,
    /** @param {string} name @param {number} hits @param {() => Promise<unknown>} slice */
    async measure(name, hits, slice) {
      const { took, cpu } = /** @type {{ took: number[], cpu: number }} */ (slices.get(name));
      const before = process.cpuUsage();
      const began = performance.now();
      await slice();
      took.push((performance.now() - began) / hits);
      const { user, system } = process.cpuUsage(before);
      slices.set(name, { took, cpu: cpu + (user + system) / 1000 / hits });
    },
    /** @param {string} title @param {string} unit @param {number} scale from ms */
    print(title, unit, scale) {
      console.log(`\n${title}, from disk`);
      const found = medians();
      for (const [name, { took, cpu }] of slices) {
        const [wall, mean] = [(found[name] ?? 0) * scale, (cpu / took.length) * scale];
        const ratio = (found[NAME] ?? 0) / (found[name] ?? 0);
        const beside = name === NAME ? "" : `kept takes ${ratio.toFixed(2)}×`;
        console.log(
          `  ${name.padEnd(40)} ${wall.toFixed(1).padStart(7)} ${unit}   CPU ${mean.toFixed(1).padStart(7)} ${unit}   ${beside}`,
        );
      }
      return found;
    },
  };
}

/** @param {Record<string, number>} medians @param {string} rival @param {number} most times what the rival takes */
function demand(medians, rival, most) {
  const ratio = (medians[NAME] ?? Number.NaN) / (medians[rival] ?? Number.NaN);
  console.log(`${ratio <= most ? "✓" : "✗"} ${ratio.toFixed(2)} × ${rival}, at most ${most}`);
}
