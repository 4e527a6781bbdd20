import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { asyncData, data, freshId } from "../fixtures/by-hand.ts";
import { type Mood, type Puppet, puppet, sleep } from "../fixtures/puppet-store.ts";
import { clearMemory } from "./clear.ts";
import type { SiteSpec } from "./contract.ts";
import { type FaultEvent, on } from "./events.ts";
import {
  caches,
  cacheTag,
  clear,
  clearAll,
  clearTag,
  configure,
  element,
  KeptError,
  refresh,
  withSession,
} from "./index.ts";
import { memoryStore, type Store, withChaos } from "./stores/conformance.ts";
import { embedDisk } from "./stores/embedded.ts";

embedDisk();
const top = mkdtempSync(join(tmpdir(), "kept-backing-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
const SECRET = "correct horse battery staple";
let made = 0;
let faults: FaultEvent[] = [];
let deaf = () => {};
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(() => {
  configure({ dir: join(top, `${++made}`) });
  faults = [];
  deaf = on("fault", (event) => faults.push(event));
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  deaf();
  clearMemory();
  configure({ dir: undefined, stores: undefined, secret: undefined });
  process.off("unhandledRejection", note);
  expect(unhandled.splice(0)).toEqual([]);
});
const codes = () => faults.map(({ code }) => code);
const files = (): string[] =>
  (readdirSync(join(top, `${made}`), { recursive: true, encoding: "utf8" }) as string[])
    .map((path) => join(top, `${made}`, path))
    .filter((path) => statSync(path).isFile());
const entries = () => files().filter((path) => /[0-9a-f]{32}-[0-9a-f]{32}$/.test(path));
const restart = () => caches.close();

type Extra = Partial<SiteSpec>;
function counted(extra: Extra = {}, give: (n: number) => unknown = (n) => ({ n })) {
  let runs = 0;
  const body = (n: number) => {
    runs++;
    return give(n);
  };
  const id = extra.id ?? freshId();
  return { id, fn: data({ persist: "disk", id, ...extra }, body) as (n: any) => any, runs: () => runs };
}
function countedAsync(extra: Extra = {}, give: (n: number) => unknown = (n) => ({ n })) {
  let runs = 0;
  const fn = asyncData({ persist: "disk", id: freshId(), ...extra }, async (n: number) => {
    await null;
    runs++;
    return give(n);
  });
  return { fn: fn as (n: any) => Promise<any>, runs: () => runs };
}

describe("what is configured", () => {
  const refused = (configuration: object): string => {
    try {
      configure(configuration);
    } catch (error) {
      expect(error).toBeInstanceOf(KeptError);
      return (error as Error).message;
    }
    throw new Error("it was taken");
  };

  test.each([
    [{ stores: [] }, "a list of stores"],
    [{ stores: memoryStore() }, "a list of stores"],
    [{ stores: ["disk", "disk"] }, "each of them once"],
    [{ stores: ["tape"] }, '"disk" or a store'],
    [{ stores: [{ store: "disk", timeOut: 1 }] }, "Did you mean `timeout`?"],
    [
      { stores: [memoryStore(), { store: puppet(), timeout: "1" }] },
      "`timeout` in `configure: stores[1]` must be seconds",
    ],
    [{ stores: [{ store: puppet(), failures: 0 }] }, "a whole number from 1"],
    [{ stores: [{ store: { ...puppet(), can: {} }, ttl: 1 }] }, "can't forget by itself"],
    [{ store: memoryStore(), stores: ["disk"] }, "left out where `stores` is given"],
    [{ storess: ["disk"] }, "Did you mean"],
    [{ secrets: SECRET }, "Did you mean `secret`?"],
  ] as const)("%p is refused", (configuration, words) => {
    expect(refused(configuration)).toContain(words);
  });

  test("a secret that is too short is refused, and not printed", () => {
    for (const secret of [
      "hunter2",
      ["correct horse battery staple", "hunter2"],
      [],
      new Uint8Array(15),
      5,
      { hunter2: 1 },
    ]) {
      const message = refused({ secret });
      expect(message).toContain("16 or more characters or bytes");
      expect(message).not.toContain("hunter2");
    }
  });

  test("undefined brings the disk back; what is left out stays", async () => {
    const store = memoryStore();
    configure({ stores: [store] });
    configure({ maxRefreshes: 16 });
    const { fn, runs } = counted();
    fn(1);
    await restart();
    configure({ store: undefined });
    fn(1);
    expect(runs()).toBe(2);
    configure({ store });
    await restart();
    fn(1);
    expect(runs()).toBe(2);
  });
});

describe("several stores", () => {
  test("are asked in order; what the second has, the first gets", async () => {
    const second = puppet();
    configure({ stores: ["disk", second] });
    const { fn, runs } = countedAsync();
    await fn(1);
    await restart();
    expect(await fn(1)).toEqual({ n: 1 });
    expect(second.count("get")).toBe(1);
    for (const path of entries()) rmSync(path);
    await restart();
    expect(await fn(1)).toEqual({ n: 1 });
    await restart();
    expect(entries()).toHaveLength(1);
    expect([runs(), second.count("get")]).toEqual([1, 2]);
  });

  test("functions that can't wait use those that need not be waited for, and no other", async () => {
    const second = puppet();
    configure({ stores: ["disk", second] });
    const { fn, runs } = counted({ tags: ["t"] });
    fn(1);
    await restart();
    fn(1);
    expect(runs()).toBe(1);
    expect([second.count("get"), second.count("set")]).toEqual([0, 0]);
    clearTag("t");
    expect(second.count("remove")).toBe(1);
    fn(1);
    expect(runs()).toBe(2);
  });

  test("where all must be waited for, such a function is refused at its first call", () => {
    configure({ stores: [puppet(), puppet(memoryStore(), "second")] });
    const { fn, runs } = counted();
    expect(() => fn(1)).toThrow("async function f");
    expect(() => fn(1)).toThrow("puppet, second");
    expect(runs()).toBe(0);
  });

  test("what is cleared is cleared in all, in each way", async () => {
    const [first, second] = [memoryStore(), puppet()];
    configure({ stores: [first, second] });
    const { fn, runs } = countedAsync({ tags: ["t"] });
    for (const [at, wipe] of [() => clear(fn, 1), () => clear(fn), () => clearTag("t"), () => clearAll()].entries()) {
      await fn(1);
      await restart();
      wipe();
      await fn(1);
      expect(runs()).toBe(at + 2);
    }
  });

  test("an outage: what was cleared meanwhile is not served afterwards", async () => {
    const store = puppet();
    configure({ stores: [{ store, timeout: 0.03, pause: 0.03, maxPause: 0.05 }] });
    let version = 1;
    const { fn } = countedAsync({}, () => version);
    expect(await fn(1)).toBe(1);
    await restart();
    store.moods = { all: "hang" };
    await fn(2);
    version = 2;
    clear(fn);
    store.moods = {};
    for (let i = 0; i < 12; i++) {
      clearMemory();
      expect(await fn(1)).toBe(2);
      await sleep(10);
    }
    expect(codes().filter((code) => code !== "store-failed")).toEqual(["store-suspended", "store-resumed"]);
    expect(await fn(1)).toBe(2);
  });

  test("what is computed anew while the store is being read is not replaced by what it had", async () => {
    const store = puppet();
    configure({ store });
    let version = 1;
    const { fn } = countedAsync({}, () => version);
    await fn(1);
    await restart();
    store.moods = { get: { after: 30 } };
    const reading = fn(1);
    await sleep(5);
    version = 2;
    expect(await refresh(fn, 1)).toBe(2);
    await reading;
    expect(await fn(1)).toBe(2);
  });

  test("a store is kept from what it was not told of, also when it is configured anew", async () => {
    const store = puppet();
    const stores = () => [{ store, timeout: 0.03, pause: 0.02, maxPause: 0.03 }];
    configure({ stores: stores() });
    const { fn, runs } = countedAsync();
    await fn(1);
    await restart();
    store.moods = { all: "reject" };
    clear(fn);
    await sleep(5);
    configure({ stores: stores() });
    store.moods = {};
    for (let i = 0; i < 6; i++) {
      clearMemory();
      await fn(1);
      await sleep(10);
    }
    expect(runs()).toBeGreaterThan(1);
    expect(store.count("remove")).toBeGreaterThan(1);
  });
});

describe("real chaos: no wrong value, no exception, and every call in time", () => {
  const TIMEOUT = 50;
  const late: Mood = { after: 90, fails: true };
  const garbage = (inner: Store): Store => {
    const store = puppet(inner);
    const answers: unknown[] = [
      "text",
      7,
      null,
      {},
      [],
      new Uint8Array(3),
      Uint8Array.from({ length: 500 }, (_, i) => i),
    ];
    let at = 0;
    return { ...store, get: async () => answers[at++ % answers.length] as never };
  };
  const broken: Readonly<Record<string, () => Store>> = {
    "never answers": () => moody({ all: "hang" }),
    "never answers a read": () => moody({ get: "hang" }),
    "never answers a write": () => moody({ set: "hang" }),
    "throws instead of rejecting": () => moody({ all: "throw" }),
    "rejects long after its time": () => moody({ all: late }),
    "answers long after its time": () => moody({ all: { after: 90 } }),
    "gives anything but its bytes": () => garbage(memoryStore()),
    "does some of everything": () => {
      let seed = 11;
      const random = () => {
        seed = (seed * 48271) % 2147483647;
        return seed / 2147483647;
      };
      const mischief = { errors: 0.1, tornReads: 0.2, tornWrites: 0.2, lostWrites: 0.2, hangs: 0.05, delay: 8 };
      return withChaos(puppet(), { ...mischief, random });
    },
  };
  function moody(moods: Puppet["moods"]): Puppet {
    const store = puppet();
    store.moods = moods;
    return store;
  }

  for (const [what, make] of Object.entries(broken)) {
    test.each(["alone", "above another", "below another", "sealed"])(`a store that ${what}, %s`, async (place) => {
      const one = { store: make(), timeout: TIMEOUT / 1000, pause: 0.02, maxPause: 0.1 };
      const stores =
        place === "above another" ? [one, memoryStore()] : place === "below another" ? [memoryStore(), one] : [one];
      configure({ stores, secret: place === "sealed" ? SECRET : undefined });
      const { fn } = countedAsync();
      let slowest = 0;
      for (let round = 0; round < 60; round++) {
        const n = round % 5;
        const began = performance.now();
        expect(await fn(n)).toEqual({ n });
        slowest = Math.max(slowest, performance.now() - began);
        if (round % 2 === 0) clearMemory();
        if (round % 17 === 0) clear(fn, n);
      }
      const began = performance.now();
      await caches.close();
      expect(performance.now() - began).toBeLessThan(5 * TIMEOUT + 20_000);
      expect(slowest).toBeLessThan(TIMEOUT + 10_000);
    });
  }
});

describe("with a secret", () => {
  test("results outlive the process, for who knows it", async () => {
    configure({ secret: SECRET });
    const shown: unknown[] = [];
    const show = element("sealed-show", (line: unknown) => void shown.push(line));
    const { fn, runs } = counted({ tags: ["t"] }, (n) => {
      show(`line ${n}`);
      return { n, list: [new Date(n)], bytes: new Float64Array([n]) };
    });
    const value = fn(1);
    await restart();
    expect(fn(1)).toEqual(value);
    expect(runs()).toBe(1);
    expect(shown).toEqual(["line 1", "line 1"]);
    await restart();
    configure({ secret: "another secret, just as long" });
    fn(1);
    expect(runs()).toBe(2);
    await restart();
    configure({ secret: ["the newest secret of them all", SECRET] });
    expect(fn(1)).toEqual(value);
    expect(runs()).toBe(2);
    await restart();
    configure({ secret: undefined });
    fn(1);
    expect(runs()).toBe(3);
    expect(codes()).toEqual([]);
  });

  test("tags clear what came from the store, and what was made of it", async () => {
    configure({ secret: SECRET });
    const inner = counted({ tags: ["static"] }, (n) => {
      cacheTag(`user:${n}`);
      return n;
    });
    const outer = counted({}, (n) => inner.fn(n));
    for (const tag of ["static", "user:1"]) {
      inner.fn(1);
      await restart();
      outer.fn(1);
      await restart();
      const before = [inner.runs(), outer.runs()];
      outer.fn(1);
      inner.fn(1);
      expect([inner.runs(), outer.runs()]).toEqual(before);
      clearTag(tag);
      outer.fn(1);
      inner.fn(1);
      expect([inner.runs(), outer.runs()]).toEqual(before.map((count) => count + 1));
    }
  });

  test("what others have changed, made up or moved is a miss, told, and gone", async () => {
    configure({ secret: SECRET });
    const { fn, runs } = counted({}, (n) => ({ n, admin: false }));
    fn(1);
    fn(2);
    await restart();
    const [one, two] = entries() as [string, string];
    const [good, other] = [readFileSync(one), readFileSync(two)];
    const forged = Buffer.from(good);
    const at = forged.indexOf("admin") + 1;
    expect(at).toBeGreaterThan(0);
    forged[at] = (forged[at] as number) ^ 1;
    const frame = good.indexOf("KSL1");
    const plain = Buffer.concat([good.subarray(0, frame), good.subarray(frame + 36)]);
    for (const bad of [forged, plain, Buffer.concat([good.subarray(0, frame), other.subarray(frame)])]) {
      writeFileSync(one, bad);
      const before = runs();
      faults = [];
      fn(1);
      fn(2);
      expect(codes()).toEqual(["entry-forged"]);
      expect(runs()).toBe(before + 1);
      await restart();
    }
  });

  test("nothing on disk tells of functions, code, keys or tags", async () => {
    configure({ secret: SECRET });
    const { fn } = counted({ id: "src/confidential-module.ts#salaryOf", code: "h1:c0dec0dec0de" }, () => {
      cacheTag("employee:ada");
      return 1;
    });
    fn("ada.lovelace@example.org");
    await restart();
    fn("ada.lovelace@example.org");
    await restart();
    const all = files()
      .map((path) => path + readFileSync(path, "latin1"))
      .join("\n");
    expect(all).toContain("KSL1");
    for (const text of ["confidential", "salaryOf", "c0dec0de", "lovelace", "employee", "example.org"]) {
      expect(all).not.toContain(text);
    }
  });
});

describe("what a store is given", () => {
  /** Everything, as text. */
  function recording() {
    const inner = memoryStore();
    const seen: string[] = [];
    const record = (...parts: unknown[]) =>
      seen.push(
        parts
          .map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString("latin1") : JSON.stringify(part)))
          .join(" "),
      );
    const store: Store = {
      ...inner,
      get(name) {
        record(name);
        return inner.get(name);
      },
      set(name, pieces, about) {
        record(name, about, Buffer.concat(pieces));
        return inner.set(name, pieces, about);
      },
      remove(which) {
        record(which);
        return inner.remove(which);
      },
    };
    configure({ store });
    return () => seen.join("\n");
  }

  test("has nothing of parameters that are left out, nor of a session", () => {
    const seen = recording();
    const excluded = data(
      { persist: "disk", params: ["n", "_token", "user"], excluded: ["user"] },
      (n: number, _token: string, _user: object) => n,
    );
    excluded(1, "TOKEN-MARK", { name: "USER-MARK" });
    clear(excluded, 1, "TOKEN-MARK");
    const scoped = counted({ scope: "session", tags: ["SESSION-TAG"] }, () => "SESSION-VALUE");
    withSession("SESSION-ID", () => scoped.fn("SESSION-ARGUMENT"));
    const outer = counted({}, () => 1);
    withSession("SESSION-ID", () => outer.fn(7));
    expect(seen().length).toBeGreaterThan(200);
    expect(seen()).not.toMatch(/MARK|SESSION/);
  });

  test("has no text of an argument above a short length: not in a name, not in the entry", () => {
    const seen = recording();
    const { fn, runs } = counted({}, () => 1);
    const long = [
      `secret document ${"x".repeat(260)}`,
      ["secret ", "z".repeat(300)],
      { "secret name": "y".repeat(300) },
      new Map([["secret", "w".repeat(300)]]),
      10n ** 400n + 7n,
      Uint8Array.from({ length: 300 }, () => 115),
      `secret ${"\ud800".repeat(200)}`,
    ];
    for (const each of long) fn(each);
    clearMemory();
    for (const each of long) fn(each);
    expect(runs()).toBe(long.length);
    for (const each of long) clear(fn, each);
    expect(seen()).not.toContain("secret");
    expect(seen()).not.toMatch(/x{20}|y{20}|z{20}|w{20}|s{20}|0{40}/);
    const keys = [...seen().matchAll(/"key":"((?:[^"\\]|\\.)*)"/g)].map(([, key]) => (key as string).length);
    expect(keys.length).toBeGreaterThan(10);
    expect(Math.max(...keys)).toBeLessThan(260);
  });
});
