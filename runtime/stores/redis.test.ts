import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { createClient } from "redis";
import { asyncData } from "../../fixtures/by-hand.ts";
import { noServer, startProxy, startServer } from "../../scripts/faults/redis-server.js";
import { clearMemory, clearTag } from "../clear.ts";
import { configure } from "../config.ts";
import { type FaultEvent, on } from "../events.ts";
import { conformance, withChaos } from "./conformance.ts";
import { digestOf } from "./disk-file.ts";
import { redisStore } from "./redis.ts";
import type { About, LeaseCause, Store, Which } from "./store.ts";

if (noServer !== undefined) console.warn(`redisStore is not tested: ${noServer}`);
/** On a busy machine. */
jest.setTimeout(30_000);
const described = noServer === undefined ? describe : describe.skip;

let server: Awaited<ReturnType<typeof startServer>>;
const stores: Store[] = [];
let prefixes = 0;
beforeAll(async () => {
  if (noServer === undefined) server = await startServer();
});
afterAll(async () => {
  for (const store of stores) store.close();
  await server?.kill();
});

const A = { site: "src/a.ts#load", code: "h1:1", key: "n1" };
function open(options: Parameters<typeof redisStore>[0] = {}): Store {
  const store = redisStore({ url: server.url, ...options });
  stores.push(store);
  return store;
}

described("conformance", () => {
  const candidate = (options = {}) => {
    const prefix = `p${++prefixes}:`;
    return { store: open({ prefix, ...options }), reopen: () => open({ prefix, ...options }) };
  };
  for (const { name, run } of conformance(candidate)) test(name, run);
  describe("compressed", () => {
    for (const { name, run } of conformance(() => candidate({ compressAbove: 0 }))) test(name, run);
    for (const { name, run } of conformance(() => candidate({ compressAbove: 0, compression: "brotli" }))) {
      if (/large|pieces/.test(name)) test(`${name} (brotli)`, run);
    }
  });
  test("with all kinds of mischief: no call fails, and no value is wrong", async () => {
    const prefix = `p${++prefixes}:`;
    let seed = 7;
    const random = () => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647;
    };
    const mischief = { random, errors: 0.1, tornReads: 0.1, tornWrites: 0.1, lostWrites: 0.1, delay: 10, hangs: 0.01 };
    const faults: FaultEvent[] = [];
    const deaf = on("fault", (event) => faults.push(event));
    let [calls, runs] = [0, 0];
    const fn = asyncData({ persist: "disk", tags: ["t"] }, async (n: number) => ({
      n,
      run: ++runs,
      text: `${n}`.repeat(50),
    }));
    try {
      const inner = open({ prefix, timeout: 200, lease: 300, patience: 200, staleness: 500 });
      configure({ stores: [{ store: withChaos(inner, mischief), timeout: "50ms", pause: "20ms", maxPause: "100ms" }] });
      for (let round = 0; round < 40; round++) {
        const numbers = Array.from({ length: 20 }, (_, at) => at % 10);
        for (const [at, { n, text }] of (await Promise.all(numbers.map((each) => fn(each)))).entries()) {
          calls++;
          expect([n, text]).toEqual([numbers[at], `${numbers[at]}`.repeat(50)]);
        }
        if (round % 3 === 0) clearMemory();
        if (round % 10 === 9) clearTag("t");
      }
    } finally {
      deaf();
      clearMemory();
      configure({ stores: undefined });
    }
    expect(calls).toBe(800);
    expect(runs).toBeLessThan(600);
    expect(faults.length).toBeGreaterThan(10);
  });

  describe("behind a wrapper that does no mischief", () => {
    for (const { name, run } of conformance(() => {
      const { store, reopen } = candidate();
      return { reopen, store: withChaos(store, { random: () => 0.999 }) };
    }))
      test(name, run);
  });
});

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
const bytes = (...list: number[]) => [Uint8Array.from(list)];
const about = (extra: Partial<About> = {}): About => ({
  began: performance.timeOrigin + performance.now(),
  until: Number.POSITIVE_INFINITY,
  tags: [],
  maxEntries: undefined,
  ...extra,
});
/** Two processes, as the server sees it. */
function two(options: Parameters<typeof redisStore>[0] = {}) {
  const prefix = `p${++prefixes}:`;
  return [open({ prefix, ...options }), open({ prefix, ...options })] as const;
}
/** A call to `changed` that can be asked about. */
function witness() {
  const calls = { count: 0, changed: () => void calls.count++ };
  return calls;
}
async function lease(store: Store, cause: LeaseCause = "miss"): Promise<{ token: string }> {
  const leased = await store.lease?.(A, cause);
  if (leased?.token === undefined) throw new Error(`Expected a token, got ${JSON.stringify(leased)}`);
  return leased;
}

described("the lease", () => {
  test("is one's, and the others get what it brings", async () => {
    const [one, other] = two();
    const { token } = await lease(one);
    const waiting = other.lease?.(A, "miss");
    expect(await Promise.race([waiting, pause(100)])).toBe(undefined);
    expect(await one.set(A, bytes(1), about({ token }))).toBe(true);
    expect(await waiting).toEqual({ bytes: Uint8Array.of(1) });
  });

  test("goes to the next when there is no result", async () => {
    const [one, other] = two();
    const { token } = await lease(one);
    const waiting = other.lease?.(A, "miss");
    await one.release?.(A, token);
    expect((await waiting)?.token).toMatch(/^\d+\.\d+$/);
  });

  test("is asked for again when its holder is dead, and not before", async () => {
    const [one, other] = two({ lease: 1000 });
    await lease(one);
    const began = performance.now();
    const waiting = lease(other);
    await pause(1500);
    // It lives, and says so.
    one.close();
    await waiting;
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(1600);
    expect(took).toBeLessThan(30_000);
  });

  test("is waited for no longer than `patience`; the later run counts", async () => {
    const [one, other] = two({ patience: 200 });
    const first = await lease(one);
    const second = await lease(other);
    expect(await other.set(A, bytes(2), about(second))).toBe(true);
    expect(await one.set(A, bytes(1), about(first))).toBe(false);
    expect(await one.get(A)).toEqual(Uint8Array.of(2));
  });

  test("behind: one, and the others need not wait", async () => {
    const [one, other] = two();
    const { token } = await lease(one);
    await one.set(A, bytes(1), about({ token }));
    const again = await lease(one, "behind");
    expect(await other.lease?.(A, "behind")).toBe(undefined);
    await one.set(A, bytes(2), about(again));
    await lease(other, "behind");
  });

  test("refresh: at once, and what was begun before is refused", async () => {
    const [one, other] = two();
    const before = await lease(one);
    const after = await lease(other, "refresh");
    expect(await one.set(A, bytes(1), about(before))).toBe(false);
    const waiting = one.lease?.(A, "miss");
    await other.set(A, bytes(2), about(after));
    expect(await waiting).toEqual({ bytes: Uint8Array.of(2) });
  });

  test.each<[string, Which]>([
    ["call", { site: A.site, key: A.key }],
    ["function", { site: A.site }],
    ["tag", { tag: "t" }],
    ["everything", {}],
  ])("what was cleared during the run is refused: %s", async (_, which) => {
    const [one, other] = two();
    const { token } = await lease(one);
    await other.remove(which);
    expect(await one.set(A, bytes(1), about({ token, tags: ["t"] }))).toBe(false);
    expect(await other.get(A)).toBe(undefined);
    const next = await lease(other);
    expect(await other.set(A, bytes(2), about({ ...next, tags: ["t"] }))).toBe(true);
    expect(await one.get(A)).toEqual(Uint8Array.of(2));
  });

  test("nobody waits for what could not be written", async () => {
    const proxy = await startProxy(server.port);
    const prefix = `p${++prefixes}:`;
    const one = open({ url: proxy.url, prefix, timeout: 200, lease: 60_000 });
    const { token } = await lease(one);
    await one.lease?.({ ...A, key: "another, so that it lives" }, "miss");
    proxy.refuse();
    await expect(Promise.resolve(one.set(A, bytes(1), about({ token })))).rejects.toThrow();
    proxy.heal();
    const began = performance.now();
    await lease(open({ prefix }));
    expect(performance.now() - began).toBeLessThan(30_000);
    one.close();
    await proxy.end();
  });

  test("a token that was used is worth nothing", async () => {
    const [one] = two();
    const { token } = await lease(one);
    await one.set(A, bytes(1), about({ token }));
    await one.remove({});
    expect(await one.set(A, bytes(1), about({ token }))).toBe(false);
  });
});

described("what others change is told", () => {
  test("once, to who has read it or written it, and to nobody else", async () => {
    const [one, other] = two();
    const [reads, writes, misses, elsewhere] = [witness(), witness(), witness(), witness()];
    await one.get(A, misses.changed);
    await one.set(A, bytes(1), about(), writes.changed);
    await other.get(A, reads.changed);
    await other.get({ ...A, key: "n2" }, elsewhere.changed);
    expect(misses.count).toBe(0);
    await other.set(A, bytes(2), about());
    await other.set(A, bytes(3), about());
    await pause(50);
    expect([writes.count, elsewhere.count]).toEqual([1, 0]);
    // Its own doing it knows of.
    expect(reads.count).toBe(0);
  });

  test.each<[string, Which]>([
    ["call", { site: A.site, key: A.key }],
    ["function", { site: A.site }],
    ["tag", { tag: "t" }],
    ["everything", {}],
  ])("when it was cleared: %s", async (_, which) => {
    const [one, other] = two();
    const [mine, spared] = [witness(), witness()];
    await other.set(A, bytes(1), about({ tags: ["t", "u"] }));
    await other.set({ ...A, site: "src/b.ts#b" }, bytes(1), about());
    await one.get(A, mine.changed);
    await one.get({ ...A, site: "src/b.ts#b" }, spared.changed);
    await other.remove(which);
    await pause(50);
    expect([mine.count, spared.count]).toEqual([1, Object.keys(which).length === 0 ? 1 : 0]);
  });

  test("when the server has dropped it: at its end, by hand, all of it", async () => {
    const [one, other] = two();
    const prefix = `p${prefixes}:`;
    const [ended, deleted, flushed] = [witness(), witness(), witness()];
    await other.set({ ...A, key: "1" }, bytes(1), about({ until: Date.now() + 1000 }));
    await other.set({ ...A, key: "2" }, bytes(1), about());
    await other.set({ ...A, key: "3" }, bytes(1), about());
    await one.get({ ...A, key: "1" }, ended.changed);
    await one.get({ ...A, key: "2" }, deleted.changed);
    await one.get({ ...A, key: "3" }, flushed.changed);
    const [key = ""] = server.cli("KEYS", `${prefix}e:*${digestOf("2")}`).split("\n");
    server.cli("DEL", key);
    for (let tries = 0; tries < 100 && ended.count === 0; tries++) await pause(50);
    expect([ended.count, deleted.count, flushed.count]).toEqual([1, 1, 0]);
    server.cli("FLUSHALL");
    await pause(50);
    expect(flushed.count).toBe(1);
    expect(await one.get({ ...A, key: "3" })).toBe(undefined);
  });

  test("when the connection was lost: at once where it is back, else within `staleness`", async () => {
    const proxy = await startProxy(server.port);
    const prefix = `p${++prefixes}:`;
    const store = open({ url: proxy.url, prefix, staleness: 600, timeout: 300 });
    await store.set(A, bytes(1), about());
    const [dropped, cut] = [witness(), witness()];
    await store.get(A, dropped.changed);
    proxy.drop();
    await pause(500);
    expect(dropped.count).toBe(1);
    expect(await store.get(A, cut.changed)).toEqual(Uint8Array.of(1));
    await pause(300);
    expect(cut.count).toBe(0);
    proxy.cut();
    await pause(650);
    expect(cut.count).toBe(1);
    store.close();
    await proxy.end();
  });
});

described("a server that is away", () => {
  test("is found out once: calls fail at once, until it is back", async () => {
    const proxy = await startProxy(server.port);
    const prefix = `p${++prefixes}:`;
    const store = open({ url: proxy.url, prefix, timeout: 200, staleness: 1000 });
    await store.set(A, bytes(1), about());
    proxy.cut();
    const took: number[] = [];
    for (let times = 0; times < 3; times++) {
      const began = performance.now();
      await expect(Promise.resolve(store.get(A))).rejects.toThrow("answer");
      took.push(performance.now() - began);
    }
    expect(took[0]).toBeGreaterThan(150);
    expect(Math.max(...took.slice(1))).toBeLessThan(10_000);
    proxy.heal();
    await pause(100);
    expect(await store.get(A)).toEqual(Uint8Array.of(1));
    store.close();
    await proxy.end();
  });

  test("learns of clears when it is back, before it is asked anything", async () => {
    const proxy = await startProxy(server.port);
    const prefix = `p${++prefixes}:`;
    const store = open({ url: proxy.url, prefix });
    const direct = open({ prefix });
    for (const key of ["1", "2"]) await store.set({ ...A, key }, bytes(1), about());
    proxy.refuse();
    await expect(Promise.resolve(store.remove({ site: A.site, key: "1" }))).rejects.toThrow();
    proxy.heal();
    await pause(300);
    expect(await direct.get({ ...A, key: "1" })).toBe(undefined);
    expect(await direct.get({ ...A, key: "2" })).toEqual(Uint8Array.of(1));
    store.close();
    await proxy.end();
  });

  test("never was there: fails soon, and closes", async () => {
    const faults: unknown[] = [];
    const store = redisStore({ url: "redis://127.0.0.1:1", onFault: (error) => faults.push(error) });
    await expect(Promise.resolve(store.get(A))).rejects.toThrow("no connection");
    await expect(Promise.resolve(store.lease?.(A, "miss"))).rejects.toThrow("no connection");
    store.close();
    await expect(Promise.resolve(store.get(A))).rejects.toThrow("closed");
    expect(faults).toHaveLength(1);
  });
});

described("what is read", () => {
  const evaluations = () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(server.cli("INFO", "commandstats"))?.[1] ?? 0);
  const reads = () => Number(/cmdstat_hmget:calls=(\d+)/.exec(server.cli("INFO", "commandstats"))?.[1] ?? 0);

  test("takes one plain question, where nothing was cleared", async () => {
    const [one, other] = two();
    for (let n = 0; n < 20; n++) await one.set({ ...A, key: `${n}` }, bytes(n), about({ tags: ["same"] }));
    await other.get({ ...A, key: "0" });
    const [before, asked] = [evaluations(), reads()];
    for (let n = 0; n < 20; n++) expect(await other.get({ ...A, key: `${n}` })).toEqual(Uint8Array.of(n));
    expect([evaluations() - before, reads() - asked]).toEqual([0, 20]);
  });

  test("takes one question also where each has a tag of its own", async () => {
    const [one, other] = two();
    for (let n = 0; n < 50; n++) await one.set({ ...A, key: `${n}` }, bytes(n), about({ tags: [`tag ${n}`] }));
    for (let n = 0; n < 20; n++) await other.get({ ...A, key: `${n}` });
    const before = evaluations();
    for (let n = 20; n < 50; n++) expect(await other.get({ ...A, key: `${n}` })).toEqual(Uint8Array.of(n));
    expect(evaluations() - before).toBe(30);
    const told = witness();
    await other.get({ ...A, key: "30" }, told.changed);
    await one.remove({ tag: "tag 30" });
    expect(await other.get({ ...A, key: "30" })).toBe(undefined);
    expect(await other.get({ ...A, key: "31" })).toEqual(Uint8Array.of(31));
    await pause(20);
    expect(told.count).toBe(1);
  });

  test("never is what was cleared before the question, while others clear and write without end", async () => {
    const [one, other] = two();
    const [third] = [open({ prefix: `p${prefixes}:` })];
    let version = 0;
    let cleared = -1;
    let over = false;
    const writer = (async () => {
      while (!over) {
        version++;
        const token = await lease(one, "refresh");
        await one.set(A, bytes(version & 255), about({ ...token, tags: ["t", `${version}`] }));
        const which: Which[] = [{ tag: "t" }, { site: A.site }, { site: A.site, key: A.key }, { tag: `${version}` }];
        await third.remove(which[version % 4] as Which);
        cleared = version;
      }
    })();
    try {
      for (let times = 0; times < 1500; times++) {
        const before = cleared;
        const found = await other.get(A, () => {});
        if (found === undefined) continue;
        // Versions are told apart by a byte, and what is read is never one that was cleared when it was asked for.
        const behind = ((before & 255) - (found[0] as number) + 256) % 256;
        expect(behind).toBeGreaterThan(200);
      }
    } finally {
      over = true;
    }
    await writer;
    await pause(50);
    expect(await other.get(A)).toBe(undefined);
  });
});

described("what the server holds", () => {
  test("no text of arguments, under the prefix alone, each with an end", async () => {
    const prefix = `p${++prefixes}:`;
    const store = open({ prefix });
    await store.set({ ...A, key: "s6:secret" }, bytes(1), about({ tags: ["tag of user"] }));
    await store.remove({ tag: "tag of user" });
    const keys = server.cli("KEYS", "*").split("\n");
    const own = keys.filter((key) => key.startsWith(prefix));
    expect(own.join()).toContain(`${prefix}e:src/a.ts#load:`);
    for (const key of own) {
      expect(key).not.toMatch(/secret|user/);
      if (/:[er]:/.test(key)) expect(Number(server.cli("TTL", key))).toBeGreaterThan(0);
    }
    const held = own.filter((key) => /:[eg]/.test(key)).map((key) => server.cli("HGETALL", key));
    expect(held.join()).not.toMatch(/secret|user/);
  });

  test("one more clear than it remembers forgets everything, and serves nothing that was cleared", async () => {
    const [one, other] = two();
    const prefix = `p${prefixes}:`;
    await one.set(A, bytes(1), about());
    await one.remove({ tag: "t" });
    expect(await other.get(A)).toEqual(Uint8Array.of(1));
    server.cli("EVAL", `for i = 1, 1000000 do redis.call('HSET', '${prefix}g', 't:' .. i, '1') end`, "0");
    await one.remove({ tag: "u" });
    expect(server.cli("HLEN", `${prefix}g`)).toBe("1");
    expect(await other.get(A)).toBe(undefined);
    expect((await other.lease?.(A, "miss"))?.token).toBeDefined();
  });

  test("whoever deletes its memory of clears clears everything", async () => {
    const [one, other] = two();
    await one.set(A, bytes(1), about());
    const { token } = await lease(one, "refresh");
    server.cli("DEL", `p${prefixes}:g`);
    expect(await other.get(A)).toBe(undefined);
    expect(await one.set(A, bytes(1), about({ token }))).toBe(false);
  });

  test("scripts that were thrown away are sent again", async () => {
    const [one] = two();
    await one.set(A, bytes(1), about());
    server.cli("SCRIPT", "FLUSH");
    expect(await one.get(A)).toEqual(Uint8Array.of(1));
  });

  test("large ones are compressed, in a thread, unless they don't get smaller; others' compression is read", async () => {
    const [one, other] = two({ compression: "brotli" });
    const prefix = `p${prefixes}:`;
    const text = new TextEncoder().encode("row of a table, ".repeat(40_000));
    const noise = new Uint8Array(randomBytes(600_000));
    await one.set({ ...A, key: "1" }, [text], about());
    await one.set({ ...A, key: "2" }, [noise], about());
    const size = (key: string) =>
      Number(server.cli("HSTRLEN", `${prefix}e:${A.site}:${digestOf(key)}`, digestOf(A.code)));
    expect(size("1")).toBeLessThan(10_000);
    expect(size("2")).toBe(600_001);
    const deflating = open({ prefix, compression: "deflate" });
    const found = [await deflating.get({ ...A, key: "1" }), await other.get({ ...A, key: "2" })];
    expect(found.map((each, at) => Buffer.compare(each as Uint8Array, [text, noise][at] as Uint8Array))).toEqual([
      0, 0,
    ]);
  });

  test("what can't be read here is as good as not there, and can be computed", async () => {
    const [one] = two();
    const prefix = `p${prefixes}:`;
    await one.set(A, bytes(1), about());
    server.cli("HSET", `${prefix}e:${A.site}:${digestOf(A.key)}`, digestOf(A.code), "\u0009garbage");
    expect(await one.get(A)).toBe(undefined);
    await lease(one);
  });

  test("a password, and a socket in the file system", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kept-redis-"));
    const path = join(folder, "socket");
    const guarded = await startServer("--unixsocket", path, "--requirepass", "secret");
    try {
      const store = open({ url: undefined, clientOptions: { socket: { path, tls: false }, password: "secret" } });
      await store.set(A, bytes(1), about());
      expect(await store.get(A)).toEqual(Uint8Array.of(1));
      const stranger = open({ url: guarded.url.replace("//", "//default:wrong@") });
      const refused = await Promise.resolve(stranger.get(A)).catch((error) => error);
      expect(String(refused.cause)).toContain("WRONGPASS");
      expect(() => redisStore({ timeout: 0 })).toThrow("timeout is a number of ms above 0");
    } finally {
      await guarded.kill();
      rmSync(folder, { recursive: true });
    }
  });

  test("a client's own options are taken: the database, the name", async () => {
    const client = createClient({ url: server.url, database: 3, name: "mine" });
    const store = redisStore({ client });
    stores.push(store);
    await store.set(A, bytes(1), about());
    expect(server.cli("-n", "3", "DBSIZE")).not.toBe("0");
    expect(server.cli("CLIENT", "LIST")).toContain("name=mine");
  });
});
