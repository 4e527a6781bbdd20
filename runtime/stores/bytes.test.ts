import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { crc32, joined, portableCrc32, readEntry, readHeader, type Stored, writeEntry } from "./bytes.ts";
import { Damage } from "./codec.ts";

const entry: Stored = {
  site: "src/rides.ts#loadRides",
  code: "h1:0123456789abcdef0123456789abcdef",
  key: "n7s1:x",
  began: 1_700_000_000_000.25,
  expires: Number.POSITIVE_INFINITY,
  until: Number.POSITIVE_INFINITY,
  cost: 12.5,
  tags: ["rides", "é"],
  value: { rows: [1, 2], at: new Date(5) },
  replay: [{ element: "line", args: ["a", { b: 1 }] }],
};
const bytes = joined(writeEntry(entry)).slice();

describe("the bytes of an entry", () => {
  test("are that entry again", () => {
    expect(readEntry(bytes, entry)).toEqual({ ...entry, isTree: true, isPlain: true });
    const plain: Stored = { ...entry, expires: 5, until: 6, tags: [], replay: undefined, value: undefined };
    expect(readEntry(joined(writeEntry(plain)), plain)).toEqual({ ...plain, isTree: true, isPlain: true });
  });

  test("say in their first part what may be thrown away", () => {
    const { value: _value, replay: _replay, ...header } = entry;
    expect(readHeader(bytes.subarray(0, 200))).toEqual(header);
  });

  test("are damage with any one bit flipped", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readEntry(flipped, entry)).toThrow(Damage);
    }
  });

  test("are damage at every other length, shorter and longer", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readEntry(bytes.subarray(0, length), entry)).toThrow(Damage);
    }
    expect(() => readEntry(Uint8Array.from([...bytes, 0]), entry)).toThrow(Damage);
  });

  test.each(["site", "code", "key"] as const)("are damage for another %s", (part) => {
    expect(() => readEntry(bytes, { ...entry, [part]: "other" })).toThrow(Damage);
  });

  test("are damage where another format, codec or byte order wrote them", () => {
    for (const at of [8, 9, 10]) {
      const other = bytes.slice();
      other[at]! += 1;
      expect(() => readEntry(other, entry)).toThrow("version");
    }
  });

  test("are damage and nothing else when two of them are spliced", () => {
    const second = joined(writeEntry({ ...entry, value: { rows: [3, 4], at: new Date(6) } }));
    for (let at = 1; at < Math.min(bytes.length, second.length); at++) {
      const spliced = Uint8Array.from([...bytes.subarray(0, at), ...second.subarray(at)]);
      let read: Stored | undefined;
      try {
        read = readEntry(spliced, entry);
      } catch (error) {
        expect(error).toBeInstanceOf(Damage);
      }
      if (read !== undefined) expect([1, 3]).toContain((read.value as { rows: number[] }).rows[0]);
    }
  });
});

test("the checksum is the same with the host's help and without, in one go and in parts", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 200 }), (data, cut) => {
      const whole = crc32(data, 0);
      expect(portableCrc32(data, 0)).toBe(whole);
      expect(portableCrc32(data.subarray(cut), crc32(data.subarray(0, cut), 0))).toBe(whole);
    }),
    { numRuns: 200 },
  );
  expect(crc32(new TextEncoder().encode("123456789"), 0)).toBe(0xcbf43926);
});
