/**
 * The same function, cached by each library in the way its documentation shows. Each contestant is measured in a process
 * of its own, which scripts/bench/runtime.js starts: `node rivals.js <row> <contestant> <module of compiled functions>`.
 */
import { pathToFileURL } from "node:url";

const HOUR = 3_600_000;
const KEYS = 64;

/** @typedef {(...args: any[]) => any} Fn */
/** @typedef {Record<string, (body: Fn) => Promise<Fn> | Fn>} Contestants */

/** What Kept's compiler has made of the bench's functions. */
const compiled = () => import(pathToFileURL(/** @type {string} */ (process.argv[4])).href);
/** @param {string} name */
const kept = (name) => async () => (await compiled())[name];

/** @param {(...args: any[]) => unknown} keyOf */
const byMap = (keyOf) => (/** @type {Fn} */ body) => {
  const map = new Map();
  return (/** @type {any[]} */ ...args) => {
    const key = keyOf(...args);
    let value = map.get(key);
    if (value === undefined) map.set(key, (value = body(...args)));
    return value;
  };
};
/** @param {(...args: any[]) => unknown} keyOf */
const byLruCache = (keyOf) => async (/** @type {Fn} */ body) => {
  const { LRUCache } = await import("lru-cache");
  const cache = new LRUCache({ max: 1000, ttl: HOUR });
  return (/** @type {any[]} */ ...args) => {
    const key = /** @type {{}} */ (keyOf(...args));
    let value = cache.get(key);
    if (value === undefined) cache.set(key, (value = body(...args)));
    return value;
  };
};
/** @param {object} options */
const byMemoizee = (options) => async (/** @type {Fn} */ body) => {
  // @ts-expect-error it comes without types
  const { default: memoizee } = await import("memoizee");
  return memoizee(body, options);
};
const byNanoMemoize = async (/** @type {Fn} */ body) => {
  const { default: nano } = /** @type {any} */ (await import("nano-memoize"));
  return nano.nanomemoize(body);
};
/** @param {object} options */
const byMemoize = (options) => async (/** @type {Fn} */ body) => (await import("memoize")).default(body, options);

const first = (/** @type {any} */ only) => only;
const json = (/** @type {any[]} */ ...args) => JSON.stringify(args);
const joined = (/** @type {string} */ a, /** @type {number} */ b) => `${b}:${a}`;

/** @type {Contestants} */
const oneScalar = {
  kept: kept("one"),
  "kept, maxEntries": kept("oneBounded"),
  "Map (no checks, no bound)": byMap(first),
  "nano-memoize": byNanoMemoize,
  "lru-cache, ttl": byLruCache(first),
  memoizee: byMemoizee({}),
  "memoizee, primitive": byMemoizee({ primitive: true }),
  memoize: byMemoize({}),
};

/** @type {Record<string, { args: (at: number) => any[], async?: boolean, fresh?: boolean, body?: Fn, contestants: Contestants }>} */
export const ROWS = {
  "one number": { args: (at) => [at * 3 + 1], contestants: oneScalar },
  "one short string": { args: (at) => [`key${at}`], contestants: oneScalar },
  "one number, with a ttl": {
    args: (at) => [at * 3 + 1],
    contestants: {
      kept: kept("oneTimed"),
      "lru-cache, ttl": byLruCache(first),
      "lru-cache, ttl, ttlResolution 0": async (body) => {
        const { LRUCache } = await import("lru-cache");
        const cache = new LRUCache({ max: 1000, ttl: HOUR, ttlResolution: 0 });
        return (n) => {
          let value = cache.get(n);
          if (value === undefined) cache.set(n, (value = body(n)));
          return value;
        };
      },
      "memoizee, maxAge": byMemoizee({ maxAge: HOUR }),
      "memoize, maxAge": byMemoize({ maxAge: HOUR }),
      "performance.now() alone": () => () => performance.now(),
    },
  },
  "(string, number)": {
    args: (at) => [`key${at}`, at],
    body: (_name, n) => n * 2 + 1,
    contestants: {
      kept: kept("two"),
      memoizee: byMemoizee({}),
      "memoizee, primitive": byMemoizee({ primitive: true }),
      "nano-memoize": byNanoMemoize,
      "memoize, JSON": byMemoize({ cacheKey: JSON.stringify }),
      "lru-cache, ttl, JSON": byLruCache(json),
      "lru-cache, ttl, template": byLruCache(joined),
    },
  },
  "one flat object of 5 fields": {
    args: (at) => [{ id: at, name: `name${at}`, active: at % 2 === 0, score: at / 7, group: "abc" }],
    fresh: true,
    contestants: {
      kept: kept("one"),
      "Map, JSON": byMap(json),
      "memoize, JSON": byMemoize({ cacheKey: JSON.stringify }),
      "lru-cache, ttl, JSON": byLruCache(json),
    },
  },
  "one number, result { v }": {
    args: (at) => [at],
    body: (n) => ({ v: n }),
    contestants: {
      "kept data (a copy each)": kept("objectOf"),
      "kept data, freeze": kept("frozenOf"),
      "kept resource": kept("resourceOf"),
      "lru-cache, ttl": byLruCache(first),
      "lru-cache + structuredClone": async (body) => {
        const get = await byLruCache(first)(body);
        return (n) => structuredClone(get(n));
      },
      memoizee: byMemoizee({}),
    },
  },
  "async, one number": {
    args: (at) => [at * 3 + 1],
    async: true,
    contestants: {
      kept: kept("oneAsync"),
      memoize: byMemoize({}),
      memoizee: byMemoizee({ promise: true }),
      "p-memoize": async (body) => (await import("p-memoize")).default(body),
      "lru-cache fetchMethod": async (body) => {
        const { LRUCache } = await import("lru-cache");
        const cache = new LRUCache({ max: 1000, ttl: HOUR, fetchMethod: (key) => body(key) });
        return (n) => cache.fetch(n);
      },
      cacheable: async (body) => {
        const { Cacheable } = await import("cacheable");
        return new Cacheable().wrap(body, { ttl: HOUR, keyPrefix: "bench" });
      },
      bentocache: async (body) => {
        const { BentoCache, bentostore } = await import("bentocache");
        const { memoryDriver } = await import("bentocache/drivers/memory");
        const stores = { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 1000 })) };
        const cache = new BentoCache({ default: "memory", stores });
        return (n) => cache.getOrSet({ key: String(n), ttl: HOUR, factory: () => body(n) });
      },
      cachified: async (body) => {
        const { cachified } = await import("@epic-web/cachified");
        const { LRUCache } = await import("lru-cache");
        const cache = /** @type {any} */ (new LRUCache({ max: 1000 }));
        return (n) => cachified({ key: String(n), cache, ttl: HOUR, getFreshValue: () => body(n) });
      },
      ocache: async (body) => {
        const { defineCachedFunction } = await import("ocache");
        return defineCachedFunction(body, { name: "bench", maxAge: HOUR });
      },
    },
  },
};

/** @param {number[]} times ns each, the least disturbed first */
const best = (times) => times.sort((a, b) => a - b)[0];

/**
 * @param {string} row
 * @param {string} contestant
 */
async function measure(row, contestant) {
  const plain = (/** @type {any} */ x) => (typeof x === "number" ? x * 2 : 7);
  const { args, async: waits = false, fresh = false, body = plain, contestants } = /** @type {any} */ (ROWS[row]);
  const cached = await contestants[contestant](waits ? async (/** @type {any} */ x) => body(x) : body);
  // What is looked up is equal to what was kept, and not the same object.
  const warm = Array.from({ length: KEYS }, (_, at) => args(at));
  const calls = Array.from({ length: KEYS }, (_, at) => args(at));
  for (const call of warm) await cached(...call);
  const times = [];
  let seen = 0;
  const [rounds, target] = [waits ? 8 : 12, 25e6];
  let count = 2000;
  for (let round = 0; round < rounds; round++) {
    const started = process.hrtime.bigint();
    if (waits) for (let i = 0; i < count; i++) seen += (await cached(calls[i % KEYS][0])) ? 1 : 0;
    // An object is a new one at each call, as in a program; the time to make it is everyone's.
    else if (fresh) for (let i = 0; i < count; i++) seen += cached(args(i % KEYS)[0]) ? 1 : 0;
    else if (calls[0].length === 1) for (let i = 0; i < count; i++) seen += cached(calls[i % KEYS][0]) ? 1 : 0;
    else for (let i = 0; i < count; i++) seen += cached(calls[i % KEYS][0], calls[i % KEYS][1]) ? 1 : 0;
    const took = Number(process.hrtime.bigint() - started);
    if (round > 2) times.push(took / count);
    count = Math.max(1000, Math.min(3e6, Math.round((count * target) / took)));
  }
  console.log(JSON.stringify({ ns: best(times), seen: seen > 0 }));
  process.exit();
}

/** @param {string} contestant */
async function fill(contestant) {
  const count = 1_000_000;
  const used = () => {
    for (let i = 0; i < 4; i++) /** @type {any} */ (globalThis).gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const body = (/** @type {number} */ n) => ({ v: n });
  const get =
    contestant === "kept resource"
      ? (await compiled()).resourceOf
      : contestant === "kept data"
        ? (await compiled()).objectOf
        : contestant === "Map"
          ? byMap(first)(body)
          : await (async () => {
              const { LRUCache } = await import("lru-cache");
              const options = { max: count, ...(contestant.includes("ttl") ? { ttl: HOUR } : {}) };
              const cache = new LRUCache(options);
              return (/** @type {number} */ n) => {
                let value = cache.get(n);
                if (value === undefined) cache.set(n, (value = body(n)));
                return value;
              };
            })();
  const before = used();
  const started = performance.now();
  for (let n = 0; n < count; n++) get(n);
  const filled = performance.now() - started;
  const after = used();
  console.log(JSON.stringify({ bytes: (after - before) / count, ms: filled, alive: get(1) !== undefined }));
  process.exit();
}

/** @param {string} contestant */
async function crowd(contestant) {
  const callers = 10_000;
  let runs = 0;
  const body = async (/** @type {number} */ n) => {
    runs++;
    await new Promise((resolve) => setImmediate(resolve));
    return n;
  };
  /** @type {Contestants} */
  const contestants = {
    kept: async (fn) => {
      const { crowd, setBody } = await compiled();
      setBody(fn);
      return crowd;
    },
    "p-memoize": async (fn) => (await import("p-memoize")).default(fn),
    memoizee: byMemoizee({ promise: true }),
  };
  const cached = await /** @type {any} */ (contestants[contestant])(body);
  const times = [];
  for (let round = 0; round < 30; round++) {
    const started = performance.now();
    await Promise.all(Array.from({ length: callers }, () => cached(round)));
    times.push(performance.now() - started);
  }
  console.log(JSON.stringify({ ms: best(times), runs: runs / 30 }));
  process.exit();
}

const [, script, row, contestant] = process.argv;
if (script?.endsWith("rivals.js") && row !== undefined) {
  const name = /** @type {string} */ (contestant);
  if (row === "memory") await fill(name);
  else if (row === "crowd") await crowd(name);
  else await measure(row, name);
}
