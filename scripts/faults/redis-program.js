/**
 * A program with one function whose results go to a Redis, as the compiler would have made it: what the tests of redis.js
 * start, several at a time. What it computes is asked of its parent, which knows what is right, and counts.
 *
 *     node redis-program.js '<options of redisStore, and of the guard before it>'
 */
import { cacheData } from "../../dist/runtime/generated-node.js";
import { caches, clear, clearTag, configure, on } from "../../dist/runtime/index-node.js";
import { redisStore } from "../../dist/runtime/stores/redis.js";

const { guard = {}, ...options } = JSON.parse(process.argv[2] ?? "{}");
const store = redisStore(options);
configure({ stores: [{ store, ...guard }] });

/** @type {Record<string, number>} */
const faults = {};
let firstFault = "";
on("fault", ({ code, error }) => {
  faults[code] = (faults[code] ?? 0) + 1;
  firstFault ||= String(error);
});

const id = "src/program.ts#load";
const call = cacheData({
  v: 1,
  id,
  code: "h1:00000000000000000000000000000001",
  hashed: ["key"],
  excluded: [],
  persist: "disk",
  async: true,
  tags: ["all"],
  self: () => load,
});

/** @type {Map<number, (version: number) => void>} */
const asked = new Map();
let asks = 0;
/** @param {string} key @returns {Promise<number>} what is right now, by the parent */
function askParent(key) {
  return new Promise((done) => {
    asked.set(++asks, done);
    process.send?.({ ask: asks, key });
  });
}

/** @param {string} key @returns {Promise<{ key: string, version: number, text: string }>} */
async function load(key) {
  return /** @type {any} */ (
    call([key], async () => {
      const version = await askParent(key);
      return { key, version, text: `${key} ${version} `.repeat(300) };
    })
  );
}

const wall = () => performance.timeOrigin + performance.now();

/** @param {Awaited<ReturnType<typeof load>>} value @param {string} key */
const isRight = (value, key) => value.key === key && value.text === `${key} ${value.version} `.repeat(300);

/** Every call of the loop: key, version, when. @type {[string, number, number][]} */
let served = [];
const total = { calls: 0, thrown: 0, wrong: 0, slowest: 0, firstError: "" };
let going = false;

/** @param {string} key */
async function once(key) {
  const began = wall();
  total.calls++;
  try {
    const value = await load(key);
    if (!isRight(value, key)) total.wrong++;
    // When it began: what is cleared while a call is under way may still be what it gives.
    served.push([key, value.version, began]);
  } catch (error) {
    total.thrown++;
    total.firstError ||= String(error);
  }
  total.slowest = Math.max(total.slowest, wall() - began);
}

/** @param {number} keys @param {number} pause ms between two calls */
async function loop(keys, pause) {
  going = true;
  while (going) {
    await once(`k${Math.floor(Math.random() * keys)}`);
    await new Promise((done) => setTimeout(done, pause));
  }
}

function report() {
  const batch = served;
  served = [];
  return { ...total, served: batch, faults, firstFault };
}

/** @type {Record<string, (message: any) => unknown>} */
const ACTS = {
  loop({ keys, pause, callers }) {
    for (let caller = 0; caller < callers; caller++) void loop(keys, pause);
  },
  stop() {
    going = false;
    return report();
  },
  report,
  clear({ how, key }) {
    const at = wall();
    if (how === "tag") clearTag("all");
    else if (how === "site") clear(id);
    else clear(load, key);
    return { at };
  },
  async burst({ key, callers }) {
    const values = await Promise.allSettled(Array.from({ length: callers }, () => load(key)));
    const thrown = values.filter(({ status }) => status === "rejected").length;
    const versions = new Set(values.map((each) => (each.status === "fulfilled" ? each.value.version : -1)));
    return { thrown, versions: [...versions] };
  },
  async end() {
    await caches.close();
    await store.close();
    process.disconnect();
  },
};

process.on("message", async (/** @type {any} */ message) => {
  if (message.answer !== undefined) {
    asked.get(message.answer)?.(message.version);
    asked.delete(message.answer);
    return;
  }
  const answer = await ACTS[message.do]?.(message);
  if (process.connected) process.send?.({ to: message.number, answer });
});
process.send?.({ ready: true });
