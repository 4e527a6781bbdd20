/**
 * A hit of a function whose results go to a Redis: near, in memory that the server keeps honest, and far, with nothing in
 * memory; beside what each is made of, and the libraries that do the same. `node scripts/bench/redis.js [--check]`, after
 * a build; it starts a server of its own. All run in one process, in turn and in short slices, so that a busy machine is
 * as busy for each; shown are lower quartiles, and CPU time of this process. With `--check` it fails if a demand is not met.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import KeyvRedis from "@keyv/redis";
import { BentoCache, bentostore } from "bentocache";
import { redisDriver } from "bentocache/drivers/redis";
import { Cacheable } from "cacheable";
import { createClient, RESP_TYPES } from "redis";
import { cacheData } from "../../dist/runtime/generated-node.js";
import { caches, configure } from "../../dist/runtime/index-node.js";
import { redisStore } from "../../dist/runtime/stores/redis.js";
import { noServer, startServer } from "../faults/redis-server.js";

const KEYS = 500;
const PASSES = 24;
const SLICE = 25;
/** Near hits are too short for slices of a few. */
const REPEAT = 40;

let unmet = 0;
if (noServer === undefined) await bench();
else console.log(`Not tried: ${noServer}`);
if (process.argv.includes("--check") && unmet > 0) process.exitCode = 1;

async function bench() {
  const server = await startServer();
  const store = redisStore({ url: server.url });
  configure({ store });
  const client = createClient({ url: server.url, RESP: 3 }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  await client.connect();
  const far = cached("far", { persist: "disk" });
  const near = cached("near", { persist: "disk" });
  const memory = cached("memory", {});
  const bento = new BentoCache({
    default: "far",
    stores: { far: bentostore().useL2Layer(redisDriver({ connection: { host: "127.0.0.1", port: server.port } })) },
  });
  const keyv = new KeyvRedis(server.url);
  const cacheable = new Cacheable({ primary: /** @type {any} */ (keyv) });
  for (let n = 0; n < KEYS; n++) {
    await Promise.all([far(n), client.set(`raw:${n}`, serialize(row(n))), cacheable.set(`c:${n}`, row(n))]);
    await bento.set({ key: `b:${n}`, value: row(n) });
  }
  const never = () => {
    throw new Error("not from the cache");
  };
  try {
    await farHits({
      kept: far,
      "client.get + v8.deserialize": async (n) => deserialize(/** @type {any} */ (await client.get(`raw:${n}`))),
      [`bentocache ${version("bentocache")}`]: (n) => bento.getOrSet({ key: `b:${n}`, factory: never }),
      [`cacheable ${version("cacheable")}, @keyv/redis ${version("@keyv/redis")}`]: (n) => cacheable.get(`c:${n}`),
    });
    await nearHits({
      "kept, near": near,
      "kept, memory alone": memory,
      "client.get + v8.deserialize": async (n) => deserialize(/** @type {any} */ (await client.get(`raw:${n}`))),
    });
  } finally {
    await caches.close();
    await store.close();
    client.destroy();
    await bento.disconnectAll();
    await cacheable.disconnect();
    await server.kill();
  }
}

/** @typedef {(n: number) => Promise<unknown>} Hit gives the nth entry */

/** Each entry once, with nothing in memory: one after the other, and as many at a time as a server has requests. */
async function farHits(/** @type {Record<string, Hit>} */ hits) {
  for (const atOnce of [1, SLICE]) {
    const times = timesOf(hits);
    for (let pass = 0; pass < PASSES; pass++) {
      await caches.close();
      for (let from = 0; from < KEYS; from += SLICE) {
        for (const [name, hit] of inTurn(hits, pass)) {
          await times.measure(name, SLICE, async () => {
            const numbers = Array.from({ length: SLICE }, (_, at) => from + at);
            if (atOnce > 1) await Promise.all(numbers.map(hit));
            else for (const n of numbers) await hit(n);
          });
        }
      }
    }
    const { wall, cpu } = times.print(
      `A value of 1 KB, ${atOnce === 1 ? "one hit after the other" : `${atOnce} hits at a time`}, nothing in memory`,
    );
    demand(wall, "kept", "client.get + v8.deserialize", 1.3);
    for (const name of Object.keys(hits).slice(2))
      console.log(`  ${((wall.kept ?? 0) / (wall[name] ?? 0)).toFixed(2)} × ${name}`);
    const ratio = (cpu.kept ?? 0) / (cpu["client.get + v8.deserialize"] ?? 0);
    console.log(`  of CPU ${ratio.toFixed(2)} × the client's own`);
  }
}

async function nearHits(/** @type {Record<string, Hit>} */ hits) {
  const times = timesOf(hits);
  for (const hit of Object.values(hits).slice(0, 2)) for (let n = 0; n < KEYS; n++) await hit(n);
  for (let pass = 0; pass < PASSES; pass++) {
    for (let from = 0; from < KEYS; from += SLICE) {
      for (const [name, hit] of inTurn(hits, pass)) {
        const repeat = name.startsWith("kept") ? REPEAT : 1;
        await times.measure(name, SLICE * repeat, async () => {
          for (let again = 0; again < repeat; again++) for (let n = from; n < from + SLICE; n++) await hit(n);
        });
      }
    }
  }
  const { wall } = times.print("A value of 1 KB, near");
  demand(wall, "kept, near", "kept, memory alone", 2);
  demand(wall, "kept, near", "client.get + v8.deserialize", 1 / 50);
}

/** Whoever is first in a turn finds the caches of the processor as the last one left them. */
function inTurn(/** @type {Record<string, Hit>} */ hits, /** @type {number} */ pass) {
  const all = Object.entries(hits);
  const from = pass % all.length;
  return [...all.slice(from), ...all.slice(0, from)];
}

/** About 1 KB. @param {number} id */
function row(id) {
  const points = Array.from({ length: 20 }, (_, at) => ({ x: at, y: at * 1.5, label: `p${at}` }));
  return { id, name: `entry number ${id}`, tags: ["alpha", "beta", "gamma"], points, text: "x".repeat(280) };
}

/** @param {string} name @param {object} options @returns {Hit} */
function cached(name, options) {
  const about = { v: /** @type {const} */ (1), code: "h1:1", hashed: ["n"], excluded: [], async: true };
  const call = cacheData({ ...about, id: `src/bench.ts#${name}`, ...options });
  return async (n) => call([n], async () => row(n));
}

/** @param {Record<string, Hit>} contestants */
function timesOf(contestants) {
  const slices = new Map(
    Object.keys(contestants).map((name) => [name, { took: /** @type {number[]} */ ([]), cpu: 0, hits: 0 }]),
  );
  return {
    /** @param {string} name @param {number} hits @param {() => Promise<unknown>} slice */
    async measure(name, hits, slice) {
      const all = /** @type {{ took: number[], cpu: number, hits: number }} */ (slices.get(name));
      const before = process.cpuUsage();
      const began = performance.now();
      await slice();
      all.took.push((performance.now() - began) / hits);
      const { user, system } = process.cpuUsage(before);
      all.cpu += (user + system) / 1000;
      all.hits += hits;
    },
    /** @param {string} title */
    print(title) {
      console.log(`\n${title}`);
      /** @type {Record<string, number>} */
      const wall = {};
      /** @type {Record<string, number>} */
      const cpu = {};
      for (const [name, { took, cpu: used, hits }] of slices) {
        wall[name] = took.toSorted((a, b) => a - b)[took.length >> 2] ?? Number.NaN;
        cpu[name] = used / hits;
        const shown = [wall[name], cpu[name]].map((ms) => (ms * 1000).toFixed(2).padStart(8));
        console.log(`  ${name.padEnd(40)} ${shown[0]} µs   CPU ${shown[1]} µs`);
      }
      return { wall, cpu };
    },
  };
}

/** @param {Record<string, number>} times @param {string} ours @param {string} theirs @param {number} most */
function demand(times, ours, theirs, most) {
  const ratio = (times[ours] ?? Number.NaN) / (times[theirs] ?? Number.NaN);
  if (!(ratio <= most)) unmet++;
  const shown = ratio < 0.1 ? `1 / ${(1 / ratio).toFixed(0)}` : ratio.toFixed(2);
  const bound = most < 0.1 ? `1 / ${(1 / most).toFixed(0)}` : most;
  console.log(`${ratio <= most ? "✓" : "✗"} ${shown} × ${theirs}, at most ${bound}`);
}

/** @param {string} name */
function version(name) {
  const folder = join(dirname(fileURLToPath(import.meta.url)), "../../node_modules", name);
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}
