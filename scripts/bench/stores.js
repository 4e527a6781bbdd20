/**
 * A hit from disk with nothing in memory, beside what it is made of: `node scripts/bench/stores.js`, after a build. Every
 * contestant runs in processes of its own, one after the other; the best of three is shown.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";

const self = fileURLToPath(import.meta.url);
const KEYS = 2000;
const COLUMN = 10_000_000;

/** About 1 KB. @param {number} id */
const row = (id) => ({
  id,
  name: `entry number ${id}`,
  tags: ["alpha", "beta", "gamma"],
  points: Array.from({ length: 20 }, (_, at) => ({ x: at, y: at * 1.5, label: `p${at}` })),
  text: "x".repeat(280),
});
const columns = () =>
  Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, new Float64Array(COLUMN).fill(name.charCodeAt(0))]));

/** @param {string} dir @param {(n: number) => unknown} body */
async function persisted(dir, body) {
  const { configure, caches } = await import("../../dist/runtime/index-node.js");
  const { cacheData } = await import("../../dist/runtime/generated-node.js");
  configure({ dir, maxDiskBytes: 8 * 2 ** 30 });
  const spec = {
    v: 1,
    id: "src/bench.ts#f",
    code: "h1:1",
    hashed: ["n"],
    excluded: [],
    persist: /** @type {const} */ ("disk"),
  };
  const call = cacheData(spec);
  return { call: (/** @type {number} */ n) => call([n], () => body(n)), caches };
}
/** @param {string} dir */
async function lmdb(dir) {
  const { open } = await import("lmdb");
  return open({ path: join(dir, "db"), encoding: "binary" });
}
const never = () => {
  throw new Error("not from disk");
};

/** What fills a folder, and what one hit is. @type {Record<string, { fill(dir: string): Promise<void>, open(dir: string): Promise<(n: number) => unknown>, keys: number }>} */
const CONTESTANTS = {
  "1 KB: kept, a whole call": {
    keys: KEYS,
    async fill(dir) {
      const { call, caches } = await persisted(dir, row);
      for (let n = 0; n < KEYS; n++) call(n);
      await caches.close();
    },
    open: async (dir) => (await persisted(dir, never)).call,
  },
  "1 KB: lmdb get + v8.deserialize": {
    keys: KEYS,
    async fill(dir) {
      const db = await lmdb(dir);
      for (let n = 0; n < KEYS; n++) await db.put(n, serialize(row(n)));
      await db.close();
    },
    async open(dir) {
      const db = await lmdb(dir);
      return (n) => deserialize(/** @type {Buffer} */ (db.getBinary(n)));
    },
  },
  "1 KB: readFileSync + v8.deserialize": {
    keys: KEYS,
    async fill(dir) {
      for (let n = 0; n < KEYS; n++) writeFileSync(join(dir, `${n}`), serialize(row(n)));
    },
    open: async (dir) => (n) => deserialize(readFileSync(join(dir, `${n}`))),
  },
  "1 KB: readFileSync + JSON.parse": {
    keys: KEYS,
    async fill(dir) {
      for (let n = 0; n < KEYS; n++) writeFileSync(join(dir, `${n}`), JSON.stringify(row(n)));
    },
    open: async (dir) => (n) => JSON.parse(readFileSync(join(dir, `${n}`), "utf8")),
  },
  "4 x 10M float64: kept, a whole call": {
    keys: 1,
    async fill(dir) {
      const { call, caches } = await persisted(dir, columns);
      call(0);
      await caches.close();
    },
    open: async (dir) => (await persisted(dir, never)).call,
  },
  "4 x 10M float64: readFileSync of the same bytes": {
    keys: 1,
    async fill(dir) {
      writeFileSync(join(dir, "f"), new Uint8Array(4 * 8 * COLUMN).fill(1));
    },
    open: async (dir) => () => readFileSync(join(dir, "f")),
  },
  "4 x 10M float64: readFileSync + v8.deserialize, copied": {
    keys: 1,
    async fill(dir) {
      writeFileSync(join(dir, "f"), serialize(columns()));
    },
    open: async (dir) => () =>
      Object.fromEntries(
        Object.entries(deserialize(readFileSync(join(dir, "f")))).map(([name, column]) => [name, column.slice()]),
      ),
  },
};

const [role, name, dir] = process.argv.slice(2);
if (role === undefined) compare();
else await contest();

async function contest() {
  const contestant = CONTESTANTS[/** @type {string} */ (name)];
  if (contestant === undefined) throw new Error(`no contestant ${name}`);
  if (role === "fill") return contestant.fill(/** @type {string} */ (dir));
  const hit = await contestant.open(/** @type {string} */ (dir));
  const took = [];
  for (let n = 0; n < contestant.keys; n++) {
    const began = performance.now();
    hit(n);
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  console.log(took[took.length >> 1]);
}

function compare() {
  const top = mkdtempSync(join(tmpdir(), "kept-bench-"));
  /** @param {string} what @param {string} name @param {string} dir */
  const run = (what, name, dir) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [self, what, name, dir], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
    return Number(stdout);
  };
  try {
    for (const name of Object.keys(CONTESTANTS)) {
      const dir = join(top, name.replaceAll(/\W+/g, "-"));
      mkdirSync(dir);
      run("fill", name, dir);
      const best = Math.min(...[1, 2, 3].map(() => run("hit", name, dir)));
      console.log(`${name.padEnd(56)} ${best < 1 ? `${(best * 1000).toFixed(1)} µs` : `${best.toFixed(0)} ms`}`);
      rmSync(dir, { recursive: true, force: true });
    }
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}
