/** Two processes that share a store: this one, and another that is played by a second store on the same server. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { asyncData, data, freshId } from "../fixtures/by-hand.ts";
import { noServer, startProxy, startServer } from "../scripts/faults/redis-server.js";
import { configure } from "./config.ts";
import type { SiteSpec } from "./contract.ts";
import { type FaultEvent, on } from "./events.ts";
import { caches, cacheTag, clear, clearAll, clearTag, has, peek, refresh, stats } from "./index.ts";
import { keyText } from "./key.ts";
import { redisStore } from "./stores/redis.ts";
import type { Store } from "./stores/store.ts";

if (noServer !== undefined) console.warn(`leases are not tested: ${noServer}`);
/** On a busy machine. */
jest.setTimeout(30_000);
const described = noServer === undefined ? describe : describe.skip;

let server: Awaited<ReturnType<typeof startServer>>;
let proxy: Awaited<ReturnType<typeof startProxy>>;
let mine: Store;
let other: Store;
let faults: FaultEvent[] = [];
let deaf = () => {};
let prefixes = 0;
beforeAll(async () => {
  if (noServer !== undefined) return;
  server = await startServer();
  proxy = await startProxy(server.port);
});
beforeEach(() => {
  if (noServer !== undefined) return;
  const options = { prefix: `p${++prefixes}:`, staleness: 1000, timeout: 400, lease: 1000, patience: 3000 };
  mine = redisStore({ url: proxy.url, ...options });
  other = redisStore({ url: server.url, ...options });
  configure({ store: mine });
  faults = [];
  deaf = on("fault", (event) => faults.push(event));
});
afterEach(async () => {
  deaf();
  await caches.close();
  configure({ store: undefined });
  mine?.close();
  other?.close();
});
afterAll(async () => {
  await proxy?.end();
  await server?.kill();
});

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 200) throw new Error("It never did");
    await pause(10);
  }
}

/** What bodies wait at until the test lets them go on. */
function door() {
  let open = () => {};
  const passed = new Promise<void>((done) => {
    open = done;
  });
  return { passed, open: () => open() };
}

function counted(extra: Partial<SiteSpec> = {}, body: (n: number, run: number) => unknown = (n, run) => ({ n, run })) {
  const id = freshId();
  let runs = 0;
  const fn = asyncData({ persist: "disk", id, ...extra }, async (n: number): Promise<any> => body(n, ++runs));
  const name = { site: id, code: extra.code ?? "h1:00000000000000000000000000000000", key: keyText(1) };
  return { id, fn, name, runs: () => runs };
}
const leased = async (name: Parameters<Store["get"]>[0]) => (await other.lease?.(name, "miss"))?.token;

described("a call", () => {
  test("computes once, and is what the other process gets", async () => {
    const { fn, name, runs } = counted();
    const all = await Promise.all([fn(1), fn(1), fn(1)]);
    expect(all.map(({ run }) => run)).toEqual([1, 1, 1]);
    await caches.close();
    expect((await other.lease?.(name, "miss"))?.bytes).toBeInstanceOf(Uint8Array);
    expect(await fn(1)).toEqual({ n: 1, run: 1 });
    expect(runs()).toBe(1);
    expect(faults).toEqual([]);
  });

  test("waits for the other process to compute, and takes what it has", async () => {
    const { fn, name, runs } = counted();
    await fn(1);
    const bytes = (await other.get(name)) as Uint8Array;
    clear(fn);
    await pause(50);
    const token = await leased(name);
    const waiting = Promise.all([fn(1), fn(1)]);
    await pause(100);
    expect(runs()).toBe(1);
    await other.set(name, [bytes], {
      began: Date.now(),
      until: Number.POSITIVE_INFINITY,
      tags: [],
      maxEntries: undefined,
      token,
    });
    expect((await waiting).map(({ run }) => run)).toEqual([1, 1]);
    expect(runs()).toBe(1);
    expect(stats()[name.site]?.misses).toBe(1);
  });

  test.each<[string, Partial<SiteSpec>, (n: number) => unknown]>([
    ["fails", {}, () => Promise.reject(new Error("no"))],
    ["is given up", {}, () => Promise.reject(Object.assign(new Error("stop"), { name: "AbortError" }))],
    ["is not kept: ttl 0", { ttl: 0 }, (n) => n],
    ["can't be written down", {}, () => new (class Odd {})()],
  ])("leaves the lease to others if it %s", async (_, spec, body) => {
    const { fn, name } = counted(spec, body);
    await fn(1).catch(() => {});
    expect(await leased(name)).toBeDefined();
    expect(await other.get(name)).toBe(undefined);
  });

  test.each<[string, (fn: (n: number) => Promise<unknown>) => void]>([
    ["call", (fn) => clear(fn, 1)],
    ["function", (fn) => clear(fn)],
    ["tag", () => clearTag("t")],
    ["everything", () => clearAll()],
  ])("cleared during the run: is handed over, and kept nowhere: %s", async (_, clears) => {
    const gate = door();
    const { fn, name, runs } = counted({}, async (n, run) => {
      cacheTag("t");
      await gate.passed;
      return { n, run };
    });
    const first = fn(1);
    await until(() => runs() === 1);
    clears(fn);
    gate.open();
    expect(await first).toEqual({ n: 1, run: 1 });
    await pause(20);
    expect(await other.get(name)).toBe(undefined);
    expect(await fn(1)).toEqual({ n: 1, run: 2 });
  });

  test("cleared by the other process during the run: memory lets go of it as well", async () => {
    const gate = door();
    const { fn, name, runs } = counted({}, async (n, run) => {
      await gate.passed;
      return { n, run };
    });
    const first = fn(1);
    await until(() => runs() === 1);
    await other.remove({ site: name.site });
    gate.open();
    expect(await first).toEqual({ n: 1, run: 1 });
    await until(() => !has(fn, 1));
    expect(await fn(1)).toEqual({ n: 1, run: 2 });
    expect(runs()).toBe(2);
  });

  test("looking holds up nobody", async () => {
    const { fn, name } = counted();
    expect(peek(fn, 1)).toBe(undefined);
    expect(has(fn, 1)).toBe(false);
    await pause(20);
    expect(await leased(name)).toBeDefined();
  });

  test("of a function that can't wait is refused, with the reason", () => {
    const fn = data({ persist: "disk" }, (n: number) => n);
    expect(() => fn(1)).toThrow(/redis/);
  });
});

described("memory", () => {
  test.each<[string, (name: Parameters<Store["get"]>[0]) => Promise<unknown>]>([
    ["the call", async ({ site, key }) => other.remove({ site, key })],
    ["the function", async ({ site }) => other.remove({ site })],
    ["the tag", async () => other.remove({ tag: "t" })],
    ["everything", async () => other.remove({})],
  ])("follows the other process: it has cleared %s", async (_, clears) => {
    const { fn, name, runs } = counted({ tags: ["t"] });
    await fn(1);
    await pause(20);
    expect(has(fn, 1)).toBe(true);
    await clears(name);
    await until(() => !has(fn, 1));
    expect(await fn(1)).toEqual({ n: 1, run: 2 });
    // And what was read from there, too.
    await caches.close();
    expect(await fn(1)).toEqual({ n: 1, run: 2 });
    await clears(name);
    await until(() => !has(fn, 1));
    await fn(1);
    expect(runs()).toBe(3);
  });

  test("is not believed for longer than `staleness` when the connection is cut, and calls go on", async () => {
    const { fn, runs } = counted();
    await fn(1);
    await pause(20);
    proxy.cut();
    const began = performance.now();
    await until(() => !has(fn, 1));
    const took = performance.now() - began;
    expect(took).toBeLessThan(20_000);
    expect(took).toBeGreaterThan(400);
    expect(await fn(1)).toEqual({ n: 1, run: 2 });
    // Nobody knows of that one, so it has an end, too.
    expect(has(fn, 1)).toBe(true);
    await until(() => !has(fn, 1));
    proxy.heal();
    await fn(1);
    expect(runs()).toBeGreaterThan(2);
  });
});

described("a refresh", () => {
  test("by hand does not wait, and what the other one computes meanwhile is refused", async () => {
    const { fn, name } = counted();
    await fn(1);
    const bytes = (await other.get(name)) as Uint8Array;
    clear(fn);
    await pause(50);
    const token = await leased(name);
    expect(await refresh(fn, 1)).toEqual({ n: 1, run: 2 });
    await pause(20);
    const about = { began: Date.now(), until: Number.POSITIVE_INFINITY, tags: [], maxEntries: undefined, token };
    expect(await other.set(name, [bytes], about)).toBe(false);
    expect(has(fn, 1)).toBe(true);
    await caches.close();
    expect(await fn(1)).toEqual({ n: 1, run: 2 });
  });

  test("that fails leaves what there was, and no lease", async () => {
    let fails = false;
    const { fn, name } = counted({}, (n) => (fails ? Promise.reject(new Error("no")) : n));
    await fn(1);
    fails = true;
    await expect(Promise.resolve(refresh(fn, 1))).rejects.toThrow("no");
    expect(await fn(1)).toBe(1);
    expect((await other.lease?.(name, "behind"))?.token).toBeDefined();
  });

  test("behind a stale hit is made by one process", async () => {
    const { fn, name, runs } = counted({ ttl: 50, staleFor: 60_000 });
    await fn(1);
    await pause(100);
    const theirs = await other.lease?.(name, "behind");
    expect(await fn(1)).toEqual({ n: 1, run: 1 });
    await pause(100);
    expect(await fn(1)).toEqual({ n: 1, run: 1 });
    expect(runs()).toBe(1);
    await other.release?.(name, theirs?.token as string);
    // It asks again after a while: the other one might have died.
    await pause(1000);
    expect(await fn(1)).toEqual({ n: 1, run: 1 });
    await until(() => runs() === 2);
    await until(() => peek<any>(fn, 1) !== undefined);
    expect(runs()).toBe(2);
  });
});
