/** The disk above a Redis, with a real server: what other machines clear, and a server that is cut off. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createClient } from "redis";
import { asyncData, freshId } from "../../fixtures/by-hand.ts";
import { withEntries } from "../../fixtures/entry-store.ts";
import { sleep } from "../../fixtures/puppet-store.ts";
import { noServer, startProxy, startServer } from "../../scripts/faults/redis-server.js";
import { clearMemory } from "../clear.ts";
import { on } from "../events.ts";
import { caches, clear, configure } from "../index.ts";
import { conformance, type Store } from "./conformance.ts";
import { diskStore } from "./disk.ts";
import { guarded } from "./guard.ts";
import { redisStore } from "./redis.ts";
import { Seal } from "./seal.ts";
import { tiered } from "./tiers.ts";

if (noServer !== undefined) console.warn(`Tiers with Redis are not tested: ${noServer}`);
const described = noServer === undefined ? describe : describe.skip;

const GUARD = { timeout: 2000, failures: 5, within: 1000, pause: 50, maxPause: 100 };
const SECRET = "correct horse battery staple";
const top = mkdtempSync(join(tmpdir(), "kept-tiers-redis-"));
let server: Awaited<ReturnType<typeof startServer>>;
const opened: Store[] = [];
let made = 0;
beforeAll(async () => {
  if (noServer === undefined) server = await startServer();
});
afterAll(async () => {
  for (const store of opened) await store.close();
  await server?.kill();
  rmSync(top, { recursive: true, force: true });
});
let codes: string[] = [];
let deaf = () => {};
beforeEach(() => {
  codes = [];
  deaf = on("fault", ({ code }) => codes.push(code));
});
afterEach(() => {
  deaf();
  clearMemory();
  configure({ stores: undefined, secret: undefined });
});

function redis(options: Parameters<typeof redisStore>[0] = {}): Store {
  const store = redisStore({ url: server.url, prefix: `t${++made}:`, ...options });
  opened.push(store);
  return store;
}
const disk = () => diskStore({ dir: join(top, `${++made}`) });

described("conformance", () => {
  const seal = new Seal([SECRET]);
  const CANDIDATES: Readonly<Record<string, () => () => Store>> = {
    "disk and redis": () => {
      const prefix = `t${++made}:`;
      return () => tiered([{ store: guarded(disk(), GUARD) }, { store: guarded(redis({ prefix }), GUARD) }]);
    },
    "redis and disk": () => {
      const prefix = `t${++made}:`;
      return () => tiered([{ store: guarded(redis({ prefix }), GUARD) }, { store: guarded(disk(), GUARD) }]);
    },
    "redis, guarded and sealed": () => {
      const prefix = `t${++made}:`;
      return () => guarded(seal.around(redis({ prefix })), GUARD);
    },
  };
  describe.each(Object.entries(CANDIDATES))("%s", (what, make) => {
    // Another one, as another machine has it: with a disk of its own. (Where the disk comes first, what another machine
    // does is known when the server's message is there, and not before: see below.)
    const candidate = () => {
      const open = make();
      const store = withEntries(open());
      return what === "disk and redis" ? { store } : { store, reopen: () => withEntries(open()) };
    };
    for (const { name, run } of conformance(candidate)) test(name, run);
  });
});

described("a cached function on disk and in Redis", () => {
  function counted() {
    let runs = 0;
    const id = freshId();
    const fn = asyncData({ persist: "disk", id }, async (n: number) => {
      await null;
      return { n, run: ++runs };
    });
    return { id, fn, runs: () => runs };
  }
  const settle = () => sleep(60);

  test("hears what another process clears, on its disk, too", async () => {
    const prefix = `t${++made}:`;
    const here = redis({ prefix });
    const elsewhere = redis({ prefix });
    configure({ stores: [disk(), here] });
    const { id, fn, runs } = counted();
    await fn(1);
    await caches.close();
    expect((await fn(1)).run).toBe(1);
    await elsewhere.remove({ site: id });
    await settle();
    expect((await fn(1)).run).toBe(2);
    expect(runs()).toBe(2);
  });

  test("believes nothing on disk that others may have cleared while it did not run", async () => {
    const prefix = `t${++made}:`;
    const folder = disk();
    configure({ stores: [folder, redis({ prefix })] });
    const { id, fn } = counted();
    await fn(1);
    await caches.close();
    await redis({ prefix }).remove({ site: id });
    // As a new process has it: the same folder, and nothing that anyone has vouched for.
    configure({ stores: [folder, redis({ prefix })] });
    expect((await fn(1)).run).toBe(2);
  });

  test.each([undefined, SECRET])(
    "goes on while the server is cut off, in time and right (secret: %p)",
    async (secret) => {
      const proxy = await startProxy(server.port);
      const here = redis({ url: proxy.url, timeout: 150, staleness: 300 });
      const one = { store: here, timeout: 0.2, pause: 0.05, maxPause: 0.1 };
      configure({ stores: [disk(), one], secret });
      const { fn } = counted();
      const before = (await fn(1)).run;
      await caches.close();
      expect((await fn(1)).run).toBe(before);
      proxy.cut();
      let slowest = 0;
      clear(fn);
      for (let i = 0; i < 40; i++) {
        const began = performance.now();
        expect((await fn(1)).run).toBeGreaterThan(before);
        slowest = Math.max(slowest, performance.now() - began);
        if (i % 3 === 0) clearMemory();
        await sleep(10);
      }
      expect(slowest).toBeLessThan(10_000);
      proxy.heal();
      await sleep(300);
      for (let i = 0; i < 20; i++) {
        clearMemory();
        expect((await fn(1)).run).toBeGreaterThan(before);
        await sleep(20);
      }
      // And is kept again.
      const { run } = await fn(1);
      clearMemory();
      expect((await fn(1)).run).toBe(run);
      await here.close();
      await proxy.end();
    },
  );

  test("with a secret, tells the server no names, and believes nobody else", async () => {
    const prefix = `t${++made}:`;
    configure({ stores: [redis({ prefix, compressAbove: Number.POSITIVE_INFINITY })], secret: SECRET });
    const fn = asyncData(
      { persist: "disk", id: "src/confidential.ts#salaryOf", code: "h1:c0dec0de", tags: ["employee:ada"] },
      async (who: string) => `salary of ${who.length}`,
    );
    await fn("ada.lovelace@example.org");
    await caches.close();
    const client = await createClient({ url: server.url }).connect();
    await client.sendCommand(["CONFIG", "SET", "rdbcompression", "no"]);
    const keys = (await client.keys(`${prefix}*`)) as string[];
    const all = await Promise.all(keys.map(async (key) => key + (await client.dump(key))));
    expect(all.join()).toContain("KSL1");
    expect(all.join()).not.toMatch(/confidential|salaryOf|c0dec0de|lovelace|employee/);
    client.destroy();
    clearMemory();
    configure({ secret: "another secret, just as long" });
    let ran = 0;
    const other = asyncData(
      { persist: "disk", id: "src/confidential.ts#salaryOf", code: "h1:c0dec0de" },
      async () => ++ran,
    );
    expect(await (other as (who: string) => Promise<number>)("ada.lovelace@example.org")).toBe(1);
    expect(codes).toEqual([]);
  });
});
