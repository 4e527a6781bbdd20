import { isDeepStrictEqual } from "node:util";
import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { copyable } from "../../fixtures/values.ts";
import { keep } from "../copy.ts";
import { registerType } from "../types.ts";
import { joined } from "./bytes.ts";
import { Damage, Unstorable } from "./codec.ts";
import { readTree, readValue } from "./codec-read.ts";
import { writeValue } from "./codec-write.ts";

const bytesOf = (value: unknown) => joined(writeValue(value)).slice();
const trip = (value: any): any => readValue(bytesOf(value));

describe("a value that was written and read", () => {
  test("is equal, for random values of everything that can be copied, and so is its copy", () => {
    fc.assert(
      fc.property(copyable, (value) => {
        expect(isDeepStrictEqual(trip(value), value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  class Money {
    readonly #amount: number;
    readonly parts: unknown[];
    constructor(amount: number, parts: unknown[] = []) {
      this.#amount = amount;
      this.parts = parts;
    }
    get amount(): number {
      return this.#amount;
    }
  }
  registerType(Money, { name: "Money", encode: (m) => [m.amount, m.parts], decode: ([a, p]) => new Money(a, p) });

  const bare = Object.assign(Object.create(null), { a: 1 });
  const named = Object.assign([1, 2], { note: "x" });
  const sparse = [1, 2, 3];
  delete sparse[1];
  const table: readonly [string, unknown][] = [
    [
      "primitives",
      [undefined, null, true, false, 0, -0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 53, 1.5, Number.NaN, Infinity],
    ],
    ["text", ["", "abc", "é", "ÿ", "Ā", "😀", "\ud800", "\udc00x", "x".repeat(5000), "ž".repeat(5000)]],
    ["bigints", [0n, 1n, -1n, 2n ** 200n, -(2n ** 64n)]],
    ["objects without prototype", bare],
    ["an object with a property __proto__", JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "toString": 3}')],
    ["arrays with names", named],
    ["arrays with holes", sparse],
    ["long arrays of numbers", Array.from({ length: 100 }, (_, i) => (i === 50 ? -0 : i / 4))],
    ["long arrays with a hole", Object.assign(new Array(100), { 3: 1, 99: 2 })],
    ["dates", [new Date(0), new Date(-1), Object.assign(new Date(5), { zone: "x" })]],
    ["regular expressions", Object.assign(/a\/b/gi, { lastIndex: 3 })],
    ["maps and sets", new Map<unknown, unknown>([[{ a: 1 }, new Set([1, "1", new Map()])]])],
    ["errors", new TypeError("no", { cause: new RangeError("deep") })],
    ["errors with properties", Object.assign(new Error("no"), { code: "E", name: "Mine" })],
    ["aggregate errors", new AggregateError([new Error("a"), 1], "both")],
    ["URLs", [new URL("http://a/b?c#d"), new URLSearchParams("a=1&a=2")]],
    ["typed arrays", [new Float64Array([1, -0, Number.NaN]), new BigInt64Array([1n]), new Uint8ClampedArray(3)]],
    ["Buffers and views", [Buffer.from("hi"), new DataView(new ArrayBuffer(5), 1, 3), new ArrayBuffer(0)]],
    ["empty views at odd places", new Uint8Array(new ArrayBuffer(9), 9, 0)],
    ["boxed primitives", [Object(1), Object("text"), Object(false), Object(1n), Object.assign(Object("ab"), { x: 1 })]],
    ["hidden properties", Object.defineProperty({ a: 1 }, "b", { value: [2], enumerable: false })],
    ["shared memory", [new SharedArrayBuffer(3), new Int16Array(new SharedArrayBuffer(8), 2, 2)]],
    ["rows", Array.from({ length: 50 }, (_, id) => ({ id, name: `n${id}`, tags: ["a"] }))],
    ["objects of many shapes", Array.from({ length: 20 }, (_, i) => ({ [`a${i % 3}`]: i, b: 1 }))],
  ];
  test.each(table)("is equal: %s", (_, value) => {
    expect(isDeepStrictEqual(trip(value), value)).toBe(true);
  });

  test("keeps what is hidden in errors", () => {
    const error = new TypeError("no", { cause: 1 });
    const read = trip(error) as Error;
    expect(read.stack).toBe(error.stack);
    expect(Object.keys(read)).toEqual([]);
    expect(Object.getOwnPropertyDescriptor(read, "cause")).toMatchObject({ value: 1, enumerable: false });
  });

  test("keeps what is hidden in objects, and memory that can grow", () => {
    const hidden = Object.defineProperty({ a: 1 }, "b", { value: [2], configurable: true, writable: true });
    expect(Object.getOwnPropertyDescriptors(trip(hidden))).toEqual(Object.getOwnPropertyDescriptors(hidden));
    const grows = new (ArrayBuffer as any)(4, { maxByteLength: 64 });
    expect(trip(grows)).toMatchObject({ byteLength: 4, maxByteLength: 64, resizable: true });
  });

  test("keeps cycles and shared references, among objects and among views of a buffer", () => {
    const part = { n: 1 };
    const cycle: any = { part, again: [part], map: new Map() };
    cycle.self = cycle;
    cycle.map.set(cycle, cycle.map);
    const read = trip(cycle);
    expect(read.self).toBe(read);
    expect(read.again[0]).toBe(read.part);
    expect(read.map.get(read)).toBe(read.map);
    const buffer = new ArrayBuffer(64);
    const views = trip({ a: new Uint8Array(buffer, 3, 8), b: new Float64Array(buffer, 8, 2) });
    expect(views.a.buffer).toBe(views.b.buffer);
    views.a[5] = 7;
    expect(new Uint8Array(views.b.buffer, views.b.byteOffset, 1)[0]).toBe(7);
  });

  test("brings registered types back by their own words, shared ones as one", () => {
    const ten = new Money(10, [1, { a: 2 }]);
    const read = trip([ten, ten]);
    expect(read[0]).toBeInstanceOf(Money);
    expect(read[0].amount).toBe(10);
    expect(read[0].parts).toEqual([1, { a: 2 }]);
    expect(read[1]).toBe(read[0]);
  });

  test("sets no prototype", () => {
    const read = trip(JSON.parse('{"__proto__": {"isAdmin": true}}'));
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(read.isAdmin).toBeUndefined();
  });

  test("has nothing in common with the bytes, nor the bytes with the value once they are joined", () => {
    const value = {
      a: new Uint8Array([1, 2, 3]),
      b: Buffer.from("abc"),
      c: new Float64Array(100),
      d: new ArrayBuffer(8),
    };
    const bytes = bytesOf(value);
    const before = bytes.slice();
    const read = readValue(bytes) as typeof value;
    for (const view of [read.a, read.b, read.c]) view.fill(9);
    new Uint8Array(read.d).fill(9);
    expect(bytes).toEqual(before);
    expect(readValue(bytes)).toEqual(value);
    value.c.fill(5);
    expect(bytes).toEqual(before);
  });

  test("does not move what large arrays hold", () => {
    const column = new Float64Array(100_000);
    expect(writeValue({ column }).some((piece) => piece.buffer === column.buffer)).toBe(true);
  });

  test("writes nothing of a buffer that no view shows", () => {
    const pool = new Uint8Array(400).fill(0x53);
    const value = [new Uint8Array(pool.buffer, 1, 2), new Uint8Array(pool.buffer, 300, 4)];
    const bytes = bytesOf(value);
    expect(bytes.filter((byte) => byte === 0x53)).toHaveLength(6);
    expect(readValue(bytes)).toEqual(value);
  });
});

describe("a value that was read is known to be a tree of usual objects", () => {
  const part = { a: 1 };
  const buffer = new ArrayBuffer(16);
  test.each<[string, unknown, boolean]>([
    [
      "rows",
      [
        { a: 1, b: [new Date(1), new Map([[1, new Set([2])]])] },
        { a: 2, b: [] },
      ],
      true,
    ],
    ["columns", { a: new Float64Array(3), b: Buffer.from("x"), c: [1, 2, 3] }, true],
    ["a part met twice", [part, part], false],
    ["two views of a buffer", [new Uint8Array(buffer), new Uint8Array(buffer, 8)], false],
    ["holes", [Object.assign(new Array(3), { 1: 1 })], false],
    ["no prototype", [Object.assign(Object.create(null), { a: 1 })], false],
    ["additional properties", [Object.assign(new Date(1), { a: 1 })], false],
    ["hidden properties", [Object.defineProperty({}, "a", { value: 1 })], false],
    ["an error", [new Error("no")], false],
    ["a part that is closed", [Object.freeze({ a: 1 })], false],
  ])("%s", (_, value, isTree) => {
    expect(readTree(bytesOf(value), 0).isTree).toBe(isTree);
  });
});

test("what is closed to changes is closed as far again", () => {
  const inner = { a: 1 };
  const value = [Object.freeze([inner]), Object.seal({ inner }), Object.preventExtensions([inner]), inner];
  const read = readValue(bytesOf(value)) as typeof value;
  expect(read).toEqual(value);
  expect(read.map(Object.isFrozen)).toEqual([true, false, false, false]);
  expect(read.map(Object.isSealed)).toEqual([true, true, false, false]);
  expect(read.map(Object.isExtensible)).toEqual([false, false, false, true]);
});

test("a symbol of the global registry is that symbol again", () => {
  const value = { $$typeof: Symbol.for("react.transitional.element"), all: [Symbol.for("\u{1f600}")] };
  expect(readValue(bytesOf(value))).toEqual(value);
});

describe("what can't be written", () => {
  class Plain {}
  class Copied {}
  registerType(Copied, { copy: (value) => value });
  test.each<[string, unknown, string]>([
    ["a function", [() => 1], "a function"],
    ["a symbol", { a: Symbol("x") }, "a symbol"],
    ["an instance", new Plain(), "an instance of Plain"],
    ["a type that has no words for stores", new Copied(), "an instance of Copied"],
    ["a name that is a symbol", { [Symbol.for("a")]: 1 }, "symbol"],
    ["a promise", Promise.resolve(1), "Promise"],
    ["a weak map", new WeakMap(), "WeakMap"],
  ])("is named: %s", (_, value, what) => {
    expect(() => writeValue(value)).toThrow(Unstorable);
    expect(() => writeValue(value)).toThrow(what);
  });
});

describe("hostile bytes", () => {
  afterAll(() => expect(({} as { polluted?: unknown }).polluted).toBeUndefined());

  const readOrDamage = (bytes: Uint8Array): void => {
    try {
      readValue(bytes);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
    }
  };

  test("are a value or damage, never another error, never out of memory: random changes of what was written", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(copyable, changes, (value, changed) => {
        const bytes = bytesOf(value);
        for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
        readOrDamage(bytes);
      }),
      { numRuns: 700 },
    );
  });

  test("are a value or damage: random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (tail) => {
        const bytes = new Uint8Array(8 + tail.length);
        new DataView(bytes.buffer).setUint32(0, tail.length, true);
        bytes.set(tail, 8);
        readOrDamage(bytes);
        readOrDamage(tail);
      }),
      { numRuns: 1000 },
    );
  });

  test("are damage when they nest without end", () => {
    const deep = new Uint8Array(8 + 400_000);
    new DataView(deep.buffer).setUint32(0, 400_000, true);
    for (let at = 8; at < deep.length; at += 2) deep.set([10, 1], at);
    expect(() => readValue(deep)).toThrow(Damage);
  });

  test("are damage at every length but the whole", () => {
    const bytes = bytesOf({ a: [1, "two", new Map([[1, new Uint8Array([1, 2])]])], b: new Date(5) });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readValue(bytes.subarray(0, length))).toThrow(Damage);
    }
  });

  test("name a type that is not registered here: damage", () => {
    class Local {}
    registerType(Local, { name: "Local", encode: () => 1, decode: () => new Local() });
    const bytes = bytesOf(new Local());
    registerType(Local, { name: "Renamed", encode: () => 1, decode: () => new Local() });
    expect(() => readValue(bytes)).toThrow("Local");
  });
});

test("an invalid date stays one", () => {
  expect(trip(new Date(Number.NaN)).getTime()).toBeNaN();
});

test("everything that `copy` accepts can be written", () => {
  fc.assert(
    fc.property(copyable, (value) => {
      const copied = keep(value, "copy", { id: "src/a.ts#f" }).keeper.give();
      expect(() => trip(copied)).not.toThrow();
    }),
    { numRuns: 200 },
  );
});
