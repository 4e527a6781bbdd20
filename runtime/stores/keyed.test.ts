/** Stores over keys and values: keyv and unstorage, on real backends, plain and failing. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import KeyvRedis from "@keyv/redis";
import fc from "fast-check";
import Keyv from "keyv";
import Keyv6 from "keyv-6";
import { createStorage, type Driver, prefixStorage, type Storage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import lruDriver from "unstorage/drivers/lru-cache";
import redisDriver from "unstorage/drivers/redis";
import { asyncData, freshId } from "../../fixtures/by-hand.ts";
import { flushBacking } from "../backing.ts";
import { clearMemory } from "../clear.ts";
import { configure } from "../config.ts";
import { clear, clearAll, clearTag } from "../index.ts";
import { fromBase64, portableFromBase64, portableToBase64, toBase64 } from "./base64.ts";
import { type About, type Candidate, conformance, type EntryName, type Store, withChaos } from "./conformance.ts";
import { hexDigest, readKeyed, writeKeyed } from "./keyed-entry.ts";
import { keyvStore } from "./keyv.ts";
import { unstorageStore } from "./unstorage.ts";

const top = mkdtempSync(join(tmpdir(), "kept-keyed-"));
let made = 0;
const fresh = () => `kept-${++made}`;

const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasRedis) console.log("No redis-server here: keyv and unstorage are not tried over Redis.");
let redis: ChildProcess | undefined;
let url = "";
beforeAll(async () => {
  if (!hasRedis) return;
  const port = await freePort();
  redis = spawn("redis-server", ["--port", `${port}`, "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]);
  url = `redis://127.0.0.1:${port}`;
  await new Promise<void>((done) =>
    redis?.stdout?.on("data", (text) => String(text).includes("Ready to accept") && done()),
  );
});
afterAll(async () => {
  if (redis !== undefined) {
    const ended = new Promise((done) => redis?.once("exit", done));
    redis.kill("SIGKILL");
    await ended;
  }
  rmSync(top, { recursive: true, force: true });
});
afterEach(() => {
  clearMemory();
  configure({ store: undefined });
});

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

/** A store for keyv as third parties write them: takes nothing but text, and gives `null` where there is none. */
class TextOnly {
  readonly map = new Map<string, string>();
  async get(key: string) {
    return this.map.get(key) ?? null;
  }
  async set(key: string, value: unknown) {
    if (typeof value !== "string" || !/^[\x20-\x7e]*$/.test(value)) throw new Error("only ASCII");
    if (!/^[\w:-]{1,100}$/.test(key)) throw new Error(`a key that not everyone takes: ${key}`);
    this.map.set(key, value);
  }
  async delete(key: string) {
    return this.map.delete(key);
  }
  async clear() {
    this.map.clear();
  }
}

function overRedis(make: (prefix: string) => { store: Store; end: () => unknown }): Candidate {
  const prefix = fresh();
  const open = [make(prefix)];
  return {
    store: open[0]!.store,
    reopen: () => {
      open.push(make(prefix));
      return open.at(-1)!.store;
    },
    end: async () => {
      for (const { end } of open) await end();
    },
  };
}

/** Done when the connection is closed. The driver makes one at its end if there was none, so it is made before. */
async function disposed(storage: Storage): Promise<void> {
  await storage.getItem("any");
  const client = storage.getMount("").driver.getInstance?.();
  const ended = new Promise((done) => client.once("end", done));
  await storage.dispose();
  await ended;
}

function shared<T>(backend: T, make: (backend: T) => Store): Candidate {
  return { store: make(backend), reopen: () => make(backend) };
}
const overDriver = (driver: Driver, raw: boolean) =>
  shared(createStorage({ driver }), (storage) => unstorageStore(storage, { raw }));

const CANDIDATES: Readonly<Record<string, () => Candidate>> = {
  "keyv in memory": () => shared(new Keyv(), (keyv) => keyvStore(keyv)),
  "keyv that serializes nothing": () =>
    shared(new Keyv({ serialize: undefined, deserialize: undefined } as object), (keyv) => keyvStore(keyv)),
  "keyv with a namespace, over text alone": () =>
    shared(new Keyv({ store: new TextOnly(), namespace: "mine" }), (keyv) => keyvStore(keyv)),
  "keyv 6 in memory": () => shared(new Keyv6(), (keyv) => keyvStore(keyv)),
  "keyv 6 over text alone": () => shared(new Keyv6({ store: new TextOnly() as never }), (keyv) => keyvStore(keyv)),
  "a store for keyv by itself": () => shared(new TextOnly(), (keyv) => keyvStore(keyv)),
  "a Map": () => shared(new Map<string, string>(), (map) => keyvStore(map)),
  "unstorage in memory": () => shared(createStorage(), (storage) => unstorageStore(storage)),
  "unstorage in memory, raw": () => shared(createStorage(), (storage) => unstorageStore(storage, { raw: true })),
  "a part of an unstorage": () => shared(prefixStorage(createStorage(), "mine"), (storage) => unstorageStore(storage)),
  "unstorage over files": () => overDriver(fsDriver({ base: join(top, fresh()) }), false),
  "unstorage over files, raw": () => overDriver(fsDriver({ base: join(top, fresh()) }), true),
  "unstorage over lru-cache": () => overDriver(lruDriver({}), false),
  "unstorage over lru-cache, raw": () => overDriver(lruDriver({}), true),
  ...(hasRedis
    ? {
        "keyv over Redis": () =>
          overRedis((prefix) => {
            const keyv = new Keyv(new KeyvRedis(url));
            return { store: keyvStore(keyv, { prefix }), end: () => keyv.disconnect() };
          }),
        "the Redis store of keyv by itself": () =>
          overRedis((prefix) => {
            const keyv = new KeyvRedis(url);
            return { store: keyvStore(keyv, { prefix }), end: () => keyv.disconnect() };
          }),
        "unstorage over Redis": () =>
          overRedis((prefix) => {
            const storage = createStorage({ driver: redisDriver({ url, base: "app" }) });
            return { store: unstorageStore(storage, { prefix }), end: () => disposed(storage) };
          }),
        "unstorage over Redis, raw": () =>
          overRedis((prefix) => {
            const storage = createStorage({ driver: redisDriver({ url }) });
            return { store: unstorageStore(storage, { prefix, raw: true }), end: () => disposed(storage) };
          }),
      }
    : {}),
};

describe.each(Object.entries(CANDIDATES))("%s", (_, make) => {
  for (const { name, run } of conformance(make)) test(name, run);
  describe("behind a wrapper that does no mischief", () => {
    for (const { name, run } of conformance(async () => {
      const { store, ...rest } = make();
      return { ...rest, store: withChaos(store, { random: () => 0.999 }) };
    }))
      test(name, run);
  });

  test("misbehaving, gives no wrong value and throws nothing", async () => {
    const { store, end } = make();
    const chance = seeded(3);
    let isCalm = false;
    const random = () => (isCalm ? 0.999 : chance());
    configure({ store: withChaos(store, { ...ALL_OF_IT, random, delay: 1 }) });
    const fn = asyncData({ persist: "disk", tags: ["t"], id: freshId() }, (n) => ({ n, text: "x".repeat(300) }));
    for (let round = 0; round < 60; round++) {
      const n = round % 5;
      expect(await fn(n)).toEqual({ n, text: "x".repeat(300) });
      if (round % 3 === 0) clearMemory();
      if (round % 20 === 0) clear(fn, n);
      if (round % 25 === 0) clearTag("t");
    }
    // A removal that the store is owed would be told behind the next tests, by a client that connects again for it.
    isCalm = true;
    await flushBacking();
    await end?.();
  });
});

const ALL_OF_IT = { errors: 0.2, tornReads: 0.3, tornWrites: 0.3, lostWrites: 0.2 };

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const A: EntryName = { site: "src/a.ts#load", code: "h1:1", key: "n1" };
const FOREVER: About = { began: 0, until: Number.POSITIVE_INFINITY, tags: [], maxEntries: undefined };
const one = [Uint8Array.of(1, 2, 3)];

describe("two processes", () => {
  const both = () => {
    const map = new Map<string, string>();
    return [keyvStore(map), keyvStore(map), map] as const;
  };

  test.each([
    ["of everything", {}],
    ["of a function", { site: A.site }],
    ["of a call", { site: A.site, key: A.key }],
    ["of a tag", { tag: "x" }],
  ])("a clear %s is seen by the other, in one write", async (_, which) => {
    const [here, there, map] = both();
    for (let n = 0; n < 50; n++) await here.set({ ...A, key: `n${n}` }, one, { ...FOREVER, tags: ["x"], began: 1 });
    expect(await there.get(A)).toEqual(one[0]);
    let writes = 0;
    const set = map.set.bind(map);
    map.set = (key, value) => {
      writes++;
      return set(key, value);
    };
    await here.remove(which);
    expect(writes).toBe(1);
    expect(await there.get(A)).toBeUndefined();
    expect(await there.get({ ...A, key: "n7" })).toEqual("key" in which ? one[0] : undefined);
  });

  test("what is computed while another process clears is not served", async () => {
    const [here, there] = both();
    await there.set({ ...A, key: "n2" }, one, FOREVER);
    expect(await here.get(A)).toBeUndefined();
    await there.remove({ site: A.site });
    await here.set(A, one, FOREVER);
    expect(await there.get(A)).toBeUndefined();
    expect(await here.get(A)).toBeUndefined();
    await here.set(A, one, FOREVER);
    expect(await there.get(A)).toEqual(one[0]);
  });

  test("a run that is older than the clearing of its tag is refused", async () => {
    const [here, there] = both();
    await there.remove({ tag: "x" });
    const about = { ...FOREVER, tags: ["x"] };
    expect(await here.set(A, one, { ...about, began: Date.now() - 1000 })).toBe(false);
    expect(await here.get(A)).toBeUndefined();
    expect(await here.set(A, one, { ...about, began: Date.now() + 1000 })).not.toBe(false);
    expect(await there.get(A)).toEqual(one[0]);
  });

  test("what was cleared does not come back when generations are lost", async () => {
    const [here, there, map] = both();
    await here.set(A, one, { ...FOREVER, tags: ["x"] });
    for (const which of [{}, { site: A.site }, { site: A.site, key: A.key }, { tag: "x" }]) {
      await here.remove(which);
      for (const key of [...map.keys()].filter((each) => !each.includes("-e-"))) map.delete(key);
      expect(await there.get(A)).toBeUndefined();
      await there.set({ ...A, key: "other" }, one, { ...FOREVER, tags: ["x"], began: Date.now() + 1000 });
      expect(await there.get(A)).toBeUndefined();
    }
  });

  test("in any order of sets, gets and clears, nothing that was set before a clear is found after it", async () => {
    const step = fc.record({
      by: fc.integer({ min: 0, max: 1 }),
      act: fc.constantFrom("set", "get", "set later", "all", "site", "call", "tag", "lose"),
      key: fc.constantFrom("a", "b"),
      code: fc.constantFrom("h1:1", "h1:2"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const [one, two, map] = both();
        const valid = new Map<string, number>();
        const pending: unknown[] = [];
        for (const [at, { by, act, key, code }] of steps.entries()) {
          const store = by === 0 ? one : two;
          const name = { ...A, key, code };
          const place = `${key} ${code}`;
          if (act === "set" || act === "set later") {
            const set: unknown = store.set(name, [Uint8Array.of(at)], {
              ...FOREVER,
              tags: ["x"],
              began: Date.now() + 1000,
            });
            if (act === "set") await set;
            else pending.push(set);
            if (act === "set") await Promise.all(pending.splice(0));
            valid.set(place, at);
          } else if (act === "lose") {
            for (const lost of [...map.keys()].filter((_, n) => n % 3 === at % 3)) map.delete(lost);
          } else if (act === "get") {
            await Promise.all(pending.splice(0));
            const found = await store.get(name);
            if (found !== undefined) expect(found[0]).toBe(valid.get(place));
          } else {
            // A process knows nothing of what another has not flushed; its own it clears.
            await (by === 0 ? two : one).flush();
            const which = { all: {}, site: { site: A.site }, call: { site: A.site, key }, tag: { tag: "x" } }[act];
            await store.remove(which as object);
            for (const each of valid.keys()) if (act !== "call" || each.startsWith(key)) valid.delete(each);
          }
        }
        await Promise.all(pending);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a backend that fails", () => {
  test("keyv that only tells of it by an event: every method rejects", async () => {
    const backend = new TextOnly();
    const keyv = new Keyv(backend as never);
    const store = keyvStore(keyv);
    await store.set(A, one, FOREVER);
    // As @keyv/redis does: it emits, and goes on.
    const fail = async () => void keyv.emit("error", new Error("no connection"));
    const works = { get: backend.get, set: backend.set };
    Object.assign(backend, { get: fail, set: fail });
    await expect(store.get(A)).rejects.toThrow("no connection");
    await expect(store.set(A, one, FOREVER)).rejects.toThrow("no connection");
    await expect(store.remove({})).rejects.toThrow("no connection");
    Object.assign(backend, works);
    // The removal was made up for.
    expect(await store.get(A)).toBeUndefined();
  });

  test("a removal that failed is made up for before anything is read", async () => {
    const map = new Map<string, string>();
    let isDown = false;
    const flaky = {
      get: async (key: string) => map.get(key),
      set: async (key: string, value: string) => {
        if (isDown) throw new Error("down");
        map.set(key, value);
      },
      delete: async (key: string) => map.delete(key),
    };
    const store = keyvStore(flaky);
    await store.set(A, one, FOREVER);
    isDown = true;
    await expect(store.remove({ site: A.site })).rejects.toThrow("down");
    await expect(store.get(A)).rejects.toThrow("down");
    isDown = false;
    expect(await store.get(A)).toBeUndefined();
    await store.set(A, one, FOREVER);
    expect(await store.get(A)).toEqual(one[0]);
  });

  test("of several writes of one entry that are under way, none comes through after a clear", async () => {
    const map = new Map<string, string>();
    const slowly = async <T>(act: () => T) => {
      await new Promise((done) => setTimeout(done, 3));
      return act();
    };
    const store = keyvStore({
      get: (key: string) => slowly(() => map.get(key)),
      set: (key: string, value: string) => slowly(() => map.set(key, value)),
      delete: (key: string) => slowly(() => map.delete(key)),
    });
    for (const which of [{}, { site: A.site }, { site: A.site, key: A.key }, { tag: "x" }]) {
      const sets = [1, 2, 3].map((n) => store.set(A, [Uint8Array.of(n)], { ...FOREVER, tags: ["x"], began: 1e15 }));
      await store.remove(which);
      expect(await store.get(A)).toBeUndefined();
      await Promise.all(sets);
      expect(await store.get(A)).toBeUndefined();
    }
  });

  test("an answer that never comes stops no clear, and no other write", async () => {
    const map = new Map<string, string>();
    let hangs = (_key: string) => false;
    const never = new Promise<never>(() => {});
    const store = keyvStore({
      get: async (key: string) => map.get(key),
      set: async (key: string, value: string) => (hangs(key) ? never : map.set(key, value)),
      delete: async (key: string) => map.delete(key),
    });
    await store.set(A, one, FOREVER);
    hangs = (key) => key.includes("-e-");
    void store.set(A, one, FOREVER);
    await new Promise((done) => setTimeout(done, 5));
    await store.remove({ site: A.site });
    expect(await store.get(A)).toBeUndefined();
    hangs = () => false;
    const other = { ...A, key: "n2" };
    await store.set(other, one, FOREVER);
    expect(await store.get(other)).toEqual(one[0]);
  });

  test("a removal without an answer is tried again", async () => {
    const map = new Map<string, string>();
    let hangs = false;
    const store = keyvStore({
      get: async (key: string) => map.get(key),
      set: async (key: string, value: string) => (hangs ? new Promise<never>(() => {}) : map.set(key, value)),
      delete: async (key: string) => map.delete(key),
    });
    await store.set(A, one, FOREVER);
    hangs = true;
    await expect(store.remove({})).rejects.toThrow("no answer");
    hangs = false;
    expect(await store.get(A)).toBeUndefined();
    await store.set(A, one, FOREVER);
    expect(await store.get(A)).toEqual(one[0]);
  });

  test("foreign and damaged values are no entries", async () => {
    const map = new Map<string, unknown>();
    const store = keyvStore(map as Map<string, string>);
    await store.set(A, one, FOREVER);
    const [place] = [...map.keys()].filter((key) => key.includes("-e-"));
    const good = map.get(place!) as string;
    for (const value of [7, { a: 1 }, null]) {
      map.set(place!, value);
      expect(await store.get(A)).toBeUndefined();
    }
    for (const value of [
      "",
      "true",
      "k1.",
      `k1.${"A".repeat(60)}`,
      good.slice(0, 20),
      `${good.slice(0, 9)}!${good.slice(10)}`,
    ])
      await expect(Promise.resolve(map.set(place!, value) && store.get(A))).rejects.toThrow();
  });

  test("calls never throw while it fails", async () => {
    const down = async () => {
      throw new Error("down");
    };
    configure({ store: keyvStore({ get: down, set: down, delete: down }) });
    let runs = 0;
    const fn = asyncData({ persist: "disk", id: freshId() }, (n) => ++runs && { n });
    expect(await fn(1)).toEqual({ n: 1 });
    clearAll();
    expect(await fn(1)).toEqual({ n: 1 });
    expect(runs).toBe(2);
  });
});

describe.each([
  [
    "keyv",
    (to: string) => {
      const keyv = new Keyv(new KeyvRedis(to));
      return { store: keyvStore(keyv), end: async () => (keyv.store as KeyvRedis<string>).disconnect(true) };
    },
  ],
  [
    "unstorage",
    (to: string) => {
      const driver = redisDriver({ url: to, maxRetriesPerRequest: 1 });
      const storage = createStorage({ driver });
      // ioredis writes to the console otherwise.
      driver.getInstance?.().on("error", () => {});
      return { store: unstorageStore(storage), end: () => storage.dispose() };
    },
  ],
])("%s over a Redis that dies and comes back", (_, make) => {
  (hasRedis ? test : test.skip)("no call throws or waits long, and results are kept again", async () => {
    const port = await freePort();
    const start = async () => {
      const server = spawn("redis-server", ["--port", `${port}`, "--save", "", "--bind", "127.0.0.1"]);
      await new Promise<void>((done) =>
        server.stdout.on("data", (text) => String(text).includes("Ready to accept") && done()),
      );
      return async () => {
        const ended = new Promise((done) => server.once("exit", done));
        server.kill("SIGKILL");
        await ended;
      };
    };
    let kill = await start();
    const { store, end } = make(`redis://127.0.0.1:${port}`);
    configure({ stores: [{ store, timeout: "200ms", pause: "50ms", maxPause: "200ms" }] });
    let runs = 0;
    const fn = asyncData({ persist: "disk", id: freshId() }, async (n) => ({ n, run: ++runs }));
    const ask = async (n: number) => {
      const began = performance.now();
      const value = (await fn(n)) as { n: number };
      clearMemory();
      expect(value.n).toBe(n);
      return performance.now() - began;
    };
    await ask(1);
    await store.flush();
    await ask(1);
    expect(runs).toBe(1);
    await kill();
    const took: number[] = [];
    for (let n = 0; n < 20; n++) took.push(await ask(n % 3));
    expect(runs).toBe(21);
    // The timeout, and what a busy machine adds.
    expect(Math.max(...took)).toBeLessThan(20_000);
    clear(fn, 1);
    kill = await start();
    // It is found out when it is back; from then on nothing is computed twice.
    for (let tries = 0, before = -1; before !== runs && tries < 200; tries++) {
      await new Promise((done) => setTimeout(done, 50));
      before = runs;
      await ask(7);
    }
    const after = runs;
    await ask(7);
    expect(runs).toBe(after);
    await flushBacking();
    configure({ stores: undefined });
    await end();
    await kill();
  });
});

describe("what a store of keys and values is given", () => {
  test("keys of a small alphabet, none longer than 80, with nothing of the arguments in them", async () => {
    const backend = new TextOnly();
    const store = keyvStore(backend, { prefix: "p".repeat(40) });
    await store.set({ site: "src/ä.ts#load", code: "h1:1", key: "secret@example.org" }, one, {
      ...FOREVER,
      tags: ["x"],
    });
    expect([...backend.map.keys()].sort().map((key) => key.replace(/[\da-f]{32}$/, "…"))).toEqual([
      `${"p".repeat(40)}-c-…`,
      `${"p".repeat(40)}-e-…`,
      `${"p".repeat(40)}-g`,
      `${"p".repeat(40)}-s-…`,
      `${"p".repeat(40)}-t-…`,
    ]);
  });

  test("how long, in whole ms: the lifetime, at most `keepFor`", async () => {
    const ttls = new Map<string, number | undefined>();
    const map = new Map<string, string>();
    const backend = {
      get: async (key: string) => map.get(key),
      delete: async (key: string) => map.delete(key),
      set: async (key: string, value: string, ttl?: number) => {
        ttls.set(key.slice(0, 7), ttl);
        map.set(key, value);
      },
    };
    const now = () => 1000;
    await keyvStore(backend, { now, keepFor: 5000 }).set(A, one, { ...FOREVER, until: 2000.5 });
    expect(Object.fromEntries(ttls)).toEqual({
      "kept-g": undefined,
      "kept-s-": undefined,
      "kept-c-": 10_000,
      "kept-e-": 1001,
    });
    await keyvStore(backend, { now, keepFor: 5000 }).set(A, one, FOREVER);
    expect(ttls.get("kept-e-")).toBe(5000);
    await keyvStore(backend, { now, keepFor: Number.POSITIVE_INFINITY }).set(A, one, FOREVER);
    expect(ttls.get("kept-e-")).toBeUndefined();
  });

  (hasRedis ? test : test.skip)("and Redis drops it by itself, by keyv and by unstorage", async () => {
    const keyv = new Keyv(new KeyvRedis<string>(url));
    const storage = createStorage({ driver: redisDriver({ url }) });
    const prefix = fresh();
    await keyvStore(keyv, { prefix }).set(A, one, { ...FOREVER, until: Date.now() + 60_000 });
    await unstorageStore(storage, { prefix: `${prefix}-u` }).set(A, one, { ...FOREVER, until: Date.now() + 60_000 });
    const ttls = spawnSync(
      "redis-cli",
      [
        "-u",
        url,
        "--raw",
        "EVAL",
        "local r={} for _,k in ipairs(redis.call('keys','*-e-*')) do if string.find(k, ARGV[1], 1, true) then r[#r+1]=redis.call('pttl',k) end end return r",
        "0",
        prefix,
      ],
      { encoding: "utf8" },
    );
    const found = ttls.stdout.trim().split("\n").map(Number);
    expect(found).toHaveLength(2);
    for (const ttl of found) expect(ttl > 50_000 && ttl <= 60_000).toBe(true);
    await keyv.disconnect();
    await disposed(storage);
  });

  test("files: one for an entry, as bytes with `raw`", async () => {
    const base = join(top, fresh());
    const store = unstorageStore(createStorage({ driver: fsDriver({ base }) }), { raw: true });
    await store.set(A, [new Uint8Array(3000)], FOREVER);
    expect(readdirSync(base).filter((name) => name.includes("-e-"))).toHaveLength(1);
  });

  test.each([
    [() => keyvStore({} as never), /a Keyv/],
    [() => unstorageStore({ getItem() {} } as never), /Storage of unstorage/],
    [() => keyvStore(new Map(), { prefix: "A b" }), /prefix/],
    [() => keyvStore(new Map(), { prefx: "a" } as never), /Unknown option `prefx`/],
    [() => keyvStore(new Map(), { keepFor: -1 }), /keepFor/],
    [() => unstorageStore(createStorage(), { raw: 1 } as never), /raw/],
  ])("%# is refused", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("the bytes of an entry", () => {
  test("Base64 is that of the host, at any length and offset", () => {
    for (const length of [0, 1, 2, 3, 4, 100, 32_766, 32_767, 70_001]) {
      const bytes = randomBytes(length + 3).subarray(3);
      const text = bytes.toString("base64");
      expect([toBase64(bytes), portableToBase64(bytes)]).toEqual([text, text]);
      expect(Buffer.compare(fromBase64(text)!, bytes) || Buffer.compare(portableFromBase64(text)!, bytes)).toBe(0);
      expect(fromBase64(text)!.byteOffset).toBe(0);
    }
    expect(portableFromBase64("ä")).toBeUndefined();
  });

  test("every flipped bit of the frame, and every length, is damage", () => {
    const entry = { until: 7, stamp: hexDigest(["a"]), tags: [hexDigest(["t"])] };
    const good = writeKeyed(entry, one);
    expect(readKeyed(good)).toEqual({ ...entry, bytes: one[0] });
    for (let bit = 0; bit < (good.length - 3) * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readKeyed(bad)).toThrow();
    }
    for (let length = 0; length < good.length - 3; length++) expect(() => readKeyed(good.slice(0, length))).toThrow();
  });

  test("digests differ where the parts do", () => {
    const digests = [["a", "b"], ["ab"], ["a,b"], ["", "ab"], ["\ud800"], ["\\ud800"], ["\udfff"]].map(hexDigest);
    expect(new Set(digests).size).toBe(digests.length);
    for (const digest of digests) expect(digest).toMatch(/^[\da-f]{32}$/);
  });
});
