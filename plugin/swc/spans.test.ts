import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { offsetsOf } from "./spans.ts";

/** What SWC sees: the source without its BOM, lone surrogates replaced. */
const bytesBefore = (source: string, offset: number): number =>
  Buffer.byteLength(source.slice(0, offset).replace(/^\ufeff/, ""), "utf8");

test.each([
  ["ASCII", "const a = 1;"],
  ["two, three and four bytes", "é漢💥 a é漢💥"],
  ["BOM", "\ufeffconst a = 1;"],
  ["BOM and emoji", "\ufeff💥 a 💥"],
  ["a BOM inside", "a\ufeffb"],
  ["CRLF and hashbang", "#!/usr/bin/env node é\r\na\r\n"],
  ["lone surrogates", "a\ud83db\udca5c\ud83d"],
  ["only wide characters", "💥💥💥"],
  ["nothing", ""],
])("%s", (_, source) => {
  for (const base of [1, 1000]) {
    const offset = offsetsOf(source, base);
    const from = source.startsWith("\ufeff") ? 1 : 0;
    for (let at = from; at <= source.length; at++)
      if (!insidePair(source, at)) expect([at, offset(base + bytesBefore(source, at))]).toEqual([at, at]);
  }
});

const insidePair = (source: string, at: number): boolean =>
  /^[\udc00-\udfff]/.test(source.slice(at)) && /[\ud800-\udbff]$/.test(source.slice(0, at));

describe("any source", () => {
  const units = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd800, max: 0xdfff }), fc.nat(127)),
  );
  test("every boundary of a character is found again", () => {
    fc.assert(
      fc.property(units, fc.nat(1e6), (codes, base) => {
        const source = String.fromCharCode(...codes);
        const offset = offsetsOf(source, base);
        for (let at = source.startsWith("\ufeff") ? 1 : 0; at <= source.length; at++)
          if (!insidePair(source, at)) expect(offset(base + bytesBefore(source, at))).toBe(at);
      }),
      { numRuns: 500 },
    );
  });
});
