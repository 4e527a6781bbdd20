/** Entries too large to be held twice: read in parts, given away at the first hit, kept from the second on. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { asyncData, data, freshId } from "../../fixtures/by-hand.ts";
import { copyable } from "../../fixtures/values.ts";
import { clearMemory } from "../clear.ts";
import type { SiteSpec } from "../contract.ts";
import { caches, clear, clearTag, configure, on, peek, registerType, stats } from "../index.ts";
import { joined, readEntryFrom, type Stored, sourceOf, writeEntry } from "./bytes.ts";
import { Damage } from "./codec.ts";
import { withChaos } from "./conformance.ts";
import { diskStore } from "./disk.ts";
import { embedDisk } from "./embedded.ts";

const top = mkdtempSync(join(tmpdir(), "kept-source-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const entry: Stored = {
  site: "src/a.ts#load",
  code: "h1:1",
  key: "n1",
  began: 1_700_000_000_000.25,
  expires: Number.POSITIVE_INFINITY,
  until: Number.POSITIVE_INFINITY,
  cost: 12.5,
  tags: ["é", "😀"],
  value: { a: new Float64Array([1, -0, Number.NaN]), b: [new Uint8Array([1, 2, 3]), "x"], c: new Uint8Array(0) },
  replay: [{ element: "line", args: [new Int16Array([5])] }],
};

describe("an entry that is read in parts", () => {
  const bytes = joined(writeEntry(entry)).slice();

  test("is that entry", () => {
    expect(readEntryFrom(sourceOf(bytes), entry)).toEqual({ ...entry, isTree: true, isPlain: true });
  });

  test("is any value, with nothing in common with the bytes", () => {
    fc.assert(
      fc.property(copyable, (value) => {
        const stored = joined(writeEntry({ ...entry, value })).slice();
        const { value: read } = readEntryFrom(sourceOf(stored), entry);
        stored.fill(255);
        expect(read).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });

  test("is damage with any one bit flipped, at any other length, under another name", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readEntryFrom(sourceOf(flipped), entry)).toThrow(Damage);
    }
    for (let length = 0; length < bytes.length; length++)
      expect(() => readEntryFrom(sourceOf(bytes.subarray(0, length)), entry)).toThrow(Damage);
    expect(() => readEntryFrom(sourceOf(Uint8Array.from([...bytes, 0])), entry)).toThrow(Damage);
    for (const part of ["site", "code", "key"])
      expect(() => readEntryFrom(sourceOf(bytes), { ...entry, [part]: "other" })).toThrow(Damage);
  });

  test("asks no registered type before all of it is known to be undamaged", () => {
    class Money {
      readonly amount: number;
      constructor(amount: number) {
        this.amount = amount;
      }
    }
    let decoded = 0;
    const decode = (amount: number) => {
      decoded++;
      return new Money(amount);
    };
    registerType(Money, { name: "SourceMoney", encode: ({ amount }) => amount, decode });
    const stored = joined(writeEntry({ ...entry, value: [new Money(1), new Uint8Array(100)] })).slice();
    expect(readEntryFrom(sourceOf(stored), entry).isPlain).toBe(false);
    expect(decoded).toBe(1);
    stored[stored.length - 1]! ^= 1;
    expect(() => readEntryFrom(sourceOf(stored), entry)).toThrow(Damage);
    expect(decoded).toBe(1);
  });
});

describe("a large result on disk", () => {
  let dir = "";
  let made = 0;
  let faults: string[] = [];
  let deaf = () => {};
  beforeEach(() => {
    dir = join(top, `${++made}`);
    configure({ dir });
    faults = [];
    deaf = on("fault", ({ code }) => faults.push(code));
  });
  afterEach(() => {
    deaf();
    clearMemory();
    configure({ dir: undefined, store: undefined });
  });
  embedDisk();

  const LENGTH = 10_000;
  const columns = (n: number) => ({ n, a: new Float64Array(LENGTH).fill(n), b: new Int32Array(LENGTH).fill(n + 1) });
  /** The test runner's own comparison takes 100 ms for it. */
  const isRight = (value: any, n: number) =>
    value.n === n &&
    [value.a, value.b].every(({ length }) => length === LENGTH) &&
    value.a.every((x: number) => x === n) &&
    value.b.every((x: number) => x === n + 1);
  function counted(extra: Partial<SiteSpec> = {}, give: (n: number) => unknown = columns) {
    let runs = 0;
    const id = freshId();
    const body = (n: number) => {
      runs++;
      return give(n);
    };
    const fn = data({ persist: "disk", id, ...extra }, body) as (n: number) => any;
    return { id, fn, runs: () => runs };
  }
  const file = () => {
    const all = readdirSync(dir, { recursive: true, encoding: "utf8" }) as string[];
    return all.map((path) => join(dir, path)).find((path) => statSync(path).size > LENGTH) as string;
  };

  test("is each caller's own, from the first hit on", async () => {
    const { fn, runs, id } = counted();
    fn(1);
    await caches.close();
    const hits = () => stats()[id]?.hits;
    const before = hits() ?? 0;
    for (let call = 0; call < 4; call++) {
      const value = fn(1);
      expect(isRight(value, 1)).toBe(true);
      expect(value.a.buffer.byteLength).toBe(8 * LENGTH);
      value.a.fill(-1);
      value.n = -1;
    }
    expect(runs()).toBe(1);
    expect((hits() ?? 0) - before).toBe(4);
    expect(faults).toEqual([]);
  });

  test("is in memory from the second hit on, and not before", async () => {
    const { fn, runs } = counted();
    fn(1);
    await caches.close();
    fn(1);
    fn(1);
    rmSync(file());
    expect(isRight(fn(1), 1)).toBe(true);
    expect(runs()).toBe(1);
    await caches.close();
    fn(1);
    await caches.close();
    fn(1);
    rmSync(file());
    fn(1);
    expect(runs()).toBe(3);
  });

  test("is what stands on disk now, where another process has replaced it since the first hit", async () => {
    let version = 1;
    const { fn, id } = counted({}, (n) => ({ ...columns(n), version }));
    fn(1);
    await caches.close();
    expect(fn(1).version).toBe(1);
    const old = readFileSync(file());
    version = 2;
    clear(id);
    fn(1);
    await caches.close();
    const [path, young] = [file(), readFileSync(file())];
    writeFileSync(path, old);
    expect(fn(1).version).toBe(1);
    writeFileSync(path, young);
    expect([fn(1).version, fn(1).version]).toEqual([2, 2]);
  });

  test("is gone when it is cleared between two hits, by name or by tag", async () => {
    const { fn, runs } = counted({ tags: ["large"] });
    fn(1);
    for (const act of [() => clear(fn), () => clearTag("large")]) {
      await caches.close();
      const before = runs();
      fn(1);
      expect(runs()).toBe(before);
      act();
      fn(1);
      expect(runs()).toBe(before + 1);
    }
  });

  test("is served stale, and replaced behind", async () => {
    const { fn, runs } = counted({ ttl: 1, staleFor: 60_000 });
    fn(1);
    await caches.close();
    await new Promise((done) => setTimeout(done, 5));
    expect(isRight(fn(1), 1)).toBe(true);
    while (runs() < 2) await new Promise((done) => setTimeout(done, 1));
  });

  test("is one frozen value with copy: freeze, and seen by `peek`", async () => {
    const rows = (n: number) => Array.from({ length: 5000 }, (_, id) => ({ id, n, name: `row ${id}` }));
    const frozen = counted({ copy: "freeze" }, rows);
    frozen.fn(1);
    await caches.close();
    expect(frozen.fn(1)).toBe(frozen.fn(1));
    expect(peek(frozen.fn, 1)).toEqual(rows(1));
    expect(frozen.runs()).toBe(1);
  });

  test("is an async function's, too", async () => {
    let runs = 0;
    const fn = asyncData({ persist: "disk", id: freshId() }, async (n: number) => {
      runs++;
      return columns(n);
    });
    await fn(1);
    await caches.close();
    const all = await Promise.all([fn(1), fn(1), fn(1)]);
    expect(all.map((value) => isRight(value, 1))).toEqual([true, true, true]);
    expect(new Set(all.map(({ a }: any) => a.buffer)).size).toBe(3);
    expect(runs).toBe(1);
  });

  test("is a miss where its file is cut off, longer or garbled, wherever that is", async () => {
    const { fn, runs } = counted();
    fn(1);
    await caches.close();
    const [path, good] = [file(), readFileSync(file())];
    const places = Array.from({ length: 60 }, (_, at) => Math.floor((good.length * at) / 60));
    const flip = (at: number) => {
      const bad = Buffer.from(good);
      bad[at]! ^= 1 << (at & 7);
      writeFileSync(path, bad);
    };
    const cut = (at: number) => {
      writeFileSync(path, good);
      truncateSync(path, at);
    };
    const harms = [flip, cut];
    for (const harm of harms) {
      for (const at of [...places, good.length - 1]) {
        harm(at);
        const before = runs();
        expect(isRight(fn(1), 1)).toBe(true);
        expect(runs()).toBe(before + 1);
        await caches.close();
      }
    }
    writeFileSync(path, Buffer.concat([good, Buffer.alloc(1)]));
    expect(isRight(fn(1), 1)).toBe(true);
    expect(runs()).toBe(harms.length * 61 + 2);
    expect(new Set(faults)).toEqual(new Set(["entry-damaged"]));
  });

  test("is never wrong from a store that tears and fails", async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    const chaos = { errors: 0.2, tornReads: 0.3, tornWrites: 0.2, lostWrites: 0.1, random };
    configure({ store: withChaos(diskStore({ dir }), chaos) });
    const { fn, runs } = counted();
    for (let round = 0; round < 150; round++) {
      expect(isRight(fn(round % 4), round % 4)).toBe(true);
      if (round % 2 === 0) clearMemory();
    }
    expect(runs()).toBeLessThan(150);
    expect(faults).toContain("entry-damaged");
  });
});
