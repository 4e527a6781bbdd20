import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { asyncData, data, freshId } from "../fixtures/by-hand.ts";
import { copyable } from "../fixtures/values.ts";
import { clearMemory } from "./clear.ts";
import { configure } from "./config.ts";
import type { SiteSpec } from "./contract.ts";
import { type FaultEvent, on } from "./events.ts";
import { caches, cacheTag, clear, clearAll, clearTag, has, peek, refresh, registerType, withSession } from "./index.ts";
import { element } from "./replay.ts";
import { memoryStore, type Store, withChaos } from "./stores/conformance.ts";
import { embedDisk } from "./stores/embedded.ts";

const top = mkdtempSync(join(tmpdir(), "kept-persist-"));
let made = 0;
let faults: FaultEvent[] = [];
let deaf = () => {};
beforeEach(() => {
  configure({ dir: join(top, `${++made}`) });
  faults = [];
  deaf = on("fault", (event) => faults.push(event));
});
afterEach(() => {
  deaf();
  clearMemory();
  configure({ dir: undefined, store: undefined, maxDiskBytes: undefined });
});
afterAll(() => rmSync(top, { recursive: true, force: true }));
embedDisk();

const codes = () => faults.map(({ code }) => code);
const files = (): string[] => {
  const root = join(top, `${made}`);
  try {
    return (readdirSync(root, { recursive: true, encoding: "utf8" }) as string[])
      .map((path) => join(root, path))
      .filter((path) => /[0-9a-f]{32}-[0-9a-f]{32}$/.test(path) && statSync(path).isFile());
  } catch {
    return [];
  }
};

/** What a new process with the same code has: all of it but memory. */
async function restart(): Promise<void> {
  await caches.close();
}

type Extra = Partial<SiteSpec>;
function counted(extra: Extra = {}, give: (n: number) => unknown = (n) => ({ n })) {
  let runs = 0;
  const id = extra.id ?? freshId();
  const body = (n: number) => {
    runs++;
    return give(n);
  };
  return { id, fn: data({ persist: "disk", id, ...extra }, body) as (n: number) => any, runs: () => runs };
}
function countedAsync(extra: Extra = {}) {
  let runs = 0;
  const fn = asyncData({ persist: "disk", id: freshId(), ...extra }, async (n: number) => {
    await null;
    runs++;
    return { n };
  });
  return { fn, runs: () => runs };
}

describe('persist: "disk"', () => {
  test("outlives the process, for functions that are async and for those that are not", async () => {
    const sync = counted();
    const later = countedAsync();
    const [one, two] = [sync.fn(1), await later.fn(2)];
    await restart();
    expect(sync.fn(1)).toEqual(one);
    expect(await later.fn(2)).toEqual(two);
    expect(sync.fn(1)).not.toBe(sync.fn(1));
    expect([sync.runs(), later.runs()]).toEqual([1, 1]);
    expect(faults).toEqual([]);
  });

  test("asks memory first, and fills it from disk", async () => {
    const { fn, runs } = counted();
    fn(1);
    await restart();
    fn(1);
    for (const path of files()) rmSync(path);
    fn(1);
    expect(runs()).toBe(1);
  });

  test("writes nothing without `persist`", async () => {
    const { fn } = counted({});
    const { fn: plain } = counted({ persist: undefined as never });
    plain(1);
    await restart();
    expect(files()).toEqual([]);
    fn(1);
    await restart();
    expect(files()).toHaveLength(1);
  });

  test("finds nothing of other code, and its own again", async () => {
    const id = freshId();
    const old = counted({ id, code: "h1:old" });
    old.fn(1);
    await restart();
    const other = counted({ id, code: "h1:new" });
    other.fn(1);
    expect(other.runs()).toBe(1);
    await restart();
    const back = counted({ id, code: "h1:old" });
    back.fn(1);
    expect(back.runs()).toBe(0);
  });

  test("keeps undefined, null, primitives, and a body's error not at all", async () => {
    const values = [undefined, null, 0, "text", 1n, Number.NaN];
    const { fn, runs } = counted({}, (n) => values[n]);
    for (const n of values.keys()) fn(n);
    await restart();
    expect(values.map((_, n) => fn(n))).toEqual(values);
    expect(runs()).toBe(values.length);
    const failing = counted({}, () => {
      throw new Error("no");
    });
    expect(() => failing.fn(1)).toThrow("no");
    await restart();
    expect(() => failing.fn(1)).toThrow("no");
    expect(failing.runs()).toBe(2);
  });

  test("gives each caller a private copy, of what came from disk too", async () => {
    const { fn } = counted({}, () => ({ list: [1], bytes: new Uint8Array([1]) }));
    fn(1);
    await restart();
    const first = fn(1);
    first.list.push(2);
    first.bytes[0] = 9;
    expect(fn(1)).toEqual({ list: [1], bytes: new Uint8Array([1]) });
    await restart();
    expect(fn(1)).toEqual({ list: [1], bytes: new Uint8Array([1]) });
  });

  test("gives one frozen value with copy: freeze", async () => {
    const { fn } = counted({ copy: "freeze" }, () => ({ a: [1] }));
    fn(1);
    await restart();
    expect(fn(1)).toBe(fn(1));
    expect(Object.isFrozen(fn(1).a)).toBe(true);
  });

  test("brings back random values of all kinds", async () => {
    const samples = fc.sample(copyable, { numRuns: 60, seed: 7 });
    const { fn, runs } = counted({}, (n) => samples[n]);
    const before = samples.map((_, n) => fn(n));
    await restart();
    expect(samples.map((_, n) => fn(n))).toEqual(before);
    expect(runs()).toBe(samples.length);
  });

  test("leaves what can't be written down in memory, and says so", async () => {
    class Local {
      readonly n = 1;
    }
    registerType(Local, { copy: (value) => value });
    const { fn, runs } = counted({}, () => new Local());
    fn(1);
    fn(1);
    expect(runs()).toBe(1);
    expect(codes()).toEqual(["unstorable"]);
    await restart();
    fn(1);
    expect(runs()).toBe(2);
  });
});

describe("the time that an entry has", () => {
  const clock = { wall: 0, performance: performance.now.bind(performance) };
  beforeEach(() => {
    clock.wall = 0;
    performance.now = () => clock.performance() + clock.wall;
  });
  afterEach(() => {
    performance.now = clock.performance;
  });
  const pass = (ms: number) => {
    clock.wall += ms;
  };

  test("goes on over the end of the process: `ttl` from the write", async () => {
    const { fn, runs } = counted({ ttl: 10_000 });
    fn(1);
    pass(6000);
    await restart();
    fn(1);
    expect(runs()).toBe(1);
    pass(3900);
    fn(1);
    expect(runs()).toBe(1);
    pass(200);
    fn(1);
    expect(runs()).toBe(2);
    await restart();
    pass(10_001);
    fn(1);
    expect(runs()).toBe(3);
  });

  test("is shortened by a `ttl` that is shorter by now, and never made longer", async () => {
    const id = freshId();
    counted({ id, ttl: 100_000 }).fn(1);
    await restart();
    pass(2000);
    const shorter = counted({ id, ttl: 1000 });
    shorter.fn(1);
    expect(shorter.runs()).toBe(1);
    await restart();
    pass(2000);
    const longer = counted({ id, ttl: 100_000 });
    longer.fn(1);
    expect(longer.runs()).toBe(1);
  });

  test("is served stale after it, from disk too, while it is computed anew behind", async () => {
    const { fn, runs } = counted({ ttl: 1000, staleFor: 10_000 });
    fn(1);
    pass(2000);
    await restart();
    expect(fn(1)).toEqual({ n: 1 });
    expect(runs()).toBe(1);
    await new Promise((done) => setTimeout(done, 20));
    expect(runs()).toBe(2);
  });

  test("isn't written down where it is 0", async () => {
    const { fn } = counted({ ttl: 0 });
    fn(1);
    await restart();
    expect(files()).toEqual([]);
  });
});

describe("what clears memory clears the disk", () => {
  test("a function, all of it or one call", async () => {
    const a = counted();
    const b = counted();
    for (const n of [1, 2]) {
      a.fn(n);
      b.fn(n);
    }
    await restart();
    clear(a.fn, 1);
    a.fn(1);
    a.fn(2);
    expect(a.runs()).toBe(3);
    await restart();
    clear(a.fn);
    a.fn(1);
    a.fn(2);
    b.fn(1);
    b.fn(2);
    expect([a.runs(), b.runs()]).toEqual([5, 2]);
  });

  test("a function by its id, also one that this process does not know", async () => {
    const id = freshId();
    counted({ id }).fn(1);
    await restart();
    clear(id);
    clear(`${id}Unknown`);
    const again = counted({ id });
    again.fn(1);
    expect(again.runs()).toBe(1);
  });

  test("tags, of the options and of the run", async () => {
    const a = counted({ tags: ["a"] });
    const b = counted({}, (n) => {
      cacheTag(`b${n}`);
      return n;
    });
    a.fn(1);
    b.fn(1);
    b.fn(2);
    await restart();
    clearTag("a", "b1");
    a.fn(1);
    b.fn(1);
    b.fn(2);
    expect([a.runs(), b.runs()]).toEqual([2, 3]);
    await restart();
    a.fn(1);
    b.fn(1);
    expect([a.runs(), b.runs()]).toEqual([2, 3]);
  });

  test("a tag of what was read from disk, in memory", async () => {
    const a = counted({ tags: ["a"] });
    a.fn(1);
    await restart();
    a.fn(1);
    clearTag("a");
    a.fn(1);
    expect(a.runs()).toBe(2);
  });

  test("everything, but not for resources alone, and not at the end of the program", async () => {
    const { fn, runs } = counted();
    fn(1);
    await restart();
    clearAll("resource");
    fn(1);
    expect(runs()).toBe(1);
    clearAll();
    fn(1);
    expect(runs()).toBe(2);
    await restart();
    clearAll("data");
    fn(1);
    expect(runs()).toBe(3);
  });

  test("a run that began before is not written down", async () => {
    let open = () => {};
    let runs = 0;
    const fn = asyncData({ persist: "disk" }, async () => {
      runs++;
      await new Promise<void>((resolve) => (open = resolve));
      return runs;
    });
    const first = fn();
    await new Promise((done) => setImmediate(done));
    clear(fn);
    open();
    expect(await first).toBe(1);
    await restart();
    expect(files()).toEqual([]);
  });
});

test("`refresh` writes the new one over the old", async () => {
  let version = 1;
  const { fn } = counted({}, () => version);
  fn(1);
  version = 2;
  refresh(fn, 1);
  await restart();
  expect(fn(1)).toBe(2);
});

test("`has` and `peek` see what is on disk, without running", async () => {
  const { fn, runs } = counted();
  fn(1);
  await restart();
  expect([has(fn, 1), has(fn, 2)]).toEqual([true, false]);
  expect(peek(fn, 1)).toEqual({ n: 1 });
  expect(runs()).toBe(1);
});

test("`maxEntries` bounds the disk, too", async () => {
  const { fn } = counted({ maxEntries: 2 });
  for (const n of [1, 2, 3, 4]) {
    fn(n);
    await restart();
  }
  expect(files()).toHaveLength(2);
});

test("effects are played from disk; without their element it is as if there were no entry", async () => {
  const shown: unknown[] = [];
  const show = element("persist-show", (line: unknown) => void shown.push(line));
  const { fn, runs } = counted({}, (n) => {
    show({ n });
    return n;
  });
  fn(1);
  await restart();
  fn(1);
  fn(1);
  expect(shown).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
  expect(runs()).toBe(1);
  await restart();
  show[Symbol.dispose]();
  element("persist-other", () => {});
  fn(1);
  expect(runs()).toBe(2);
});

test("what belongs to a session, or is made of inputs, is never written, and that is said once", async () => {
  const { fn, id } = counted({ scope: "session" });
  withSession("ada", () => fn(1));
  withSession("bob", () => fn(1));
  await restart();
  expect(files()).toEqual([]);
  expect(faults).toEqual([{ type: "fault", code: "unpersisted", error: undefined, site: id }]);
});

describe("what is damaged is a miss, and gone", () => {
  const start = async (give?: (n: number) => unknown) => {
    const site = counted({}, give);
    const value = site.fn(1);
    await restart();
    const [path] = files();
    return { ...site, value, path: path as string, good: readFileSync(path as string) };
  };

  test("every bit of a small entry flipped", async () => {
    const { fn, runs, path, good, value } = await start((n) => n);
    let misses = 0;
    for (let bit = 0; bit < good.length * 8; bit++) {
      const flipped = Buffer.from(good);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, flipped);
      const before = runs();
      expect(fn(1)).toBe(value);
      misses += runs() - before;
      await restart();
    }
    expect(misses).toBe(good.length * 8);
    expect(new Set(codes())).toEqual(new Set(["entry-damaged"]));
  });

  test("cut off at every length, replaced by garbage or by another function's entry", async () => {
    const { fn, runs, path, good, value } = await start();
    const other = counted();
    other.fn(1);
    await restart();
    const foreign = readFileSync(files().find((each) => each !== path) as string);
    const torn = Array.from({ length: good.length }, (_, length) => good.subarray(0, length));
    for (const bytes of [
      ...torn,
      Buffer.alloc(good.length, 65),
      Buffer.alloc(70_000),
      foreign,
      Buffer.concat([good, good]),
    ]) {
      writeFileSync(path, bytes);
      const before = runs();
      expect(fn(1)).toEqual(value);
      expect(runs()).toBe(before + 1);
      await restart();
    }
  });
});

describe("another store", () => {
  const slow = (store: Store): Store => ({
    ...store,
    name: "slow",
    can: { ...store.can, sync: false },
    get: async (name) => {
      await new Promise((done) => setTimeout(done, 5));
      return store.get(name);
    },
    set: async (name, pieces, about) => store.set(name, pieces, about),
    remove: async (which) => store.remove(which),
  });

  test("takes the place of the disk", async () => {
    configure({ store: memoryStore() });
    const { fn, runs } = counted();
    fn(1);
    await restart();
    fn(1);
    expect(runs()).toBe(1);
    expect(files()).toEqual([]);
  });

  test("that must be waited for is asked once by all who ask at a time", async () => {
    const inner = memoryStore();
    let asked = 0;
    const counting: Store["get"] = (name) => {
      asked++;
      return inner.get(name);
    };
    configure({ store: slow({ ...inner, get: counting }) });
    const { fn, runs } = countedAsync();
    expect(await Promise.all([fn(1), fn(1), fn(1)])).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect([runs(), asked]).toEqual([1, 1]);
    await restart();
    expect(await Promise.all([fn(1), fn(1), fn(1)])).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect([runs(), asked]).toEqual([1, 2]);
  });

  test("that must be waited for, and is cleared meanwhile, brings nothing back", async () => {
    configure({ store: slow(memoryStore()) });
    const { fn, runs } = countedAsync();
    await fn(1);
    await restart();
    const reading = fn(1);
    await null;
    clear(fn);
    await reading;
    expect(runs()).toBe(2);
  });

  test("that must be waited for is refused to functions that can't", () => {
    configure({ store: slow(memoryStore()) });
    const { fn, runs } = counted();
    expect(() => fn(1)).toThrow("async function f");
    expect(runs()).toBe(0);
  });

  test.each([
    ["fails", { errors: 0.5 }],
    ["tears what it reads", { tornReads: 0.7 }],
    ["tears what it writes", { tornWrites: 0.7 }],
    ["loses what it is given", { lostWrites: 0.5 }],
    ["does all of it", { errors: 0.2, tornReads: 0.3, tornWrites: 0.3, lostWrites: 0.2 }],
  ])("that %s gives no wrong value and throws nothing", async (_, chaos) => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    for (const make of [(store: Store) => store, slow]) {
      configure({ store: withChaos(make(memoryStore()), { ...chaos, random, delay: 1 }) });
      const { fn } = countedAsync();
      for (let round = 0; round < 120; round++) {
        const n = round % 7;
        if (make === slow && round > 40) break;
        expect(await fn(n)).toEqual({ n });
        if (round % 3 === 0) clearMemory();
        if (round % 50 === 0) clear(fn, n);
      }
    }
  });
});
