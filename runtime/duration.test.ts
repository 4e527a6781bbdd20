import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Duration, parseDuration } from "./duration.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each<[number | string, number]>([
  [3600, HOUR],
  [0.25, 250],
  [0, 0],
  [-1, -1000],
  ["500ms", 500],
  ["90s", 90 * SECOND],
  ["5m", 5 * MINUTE],
  ["1h", HOUR],
  ["1d", DAY],
  ["1w", 7 * DAY],
  ["1h30m", 90 * MINUTE],
  ["1h 30m", 90 * MINUTE],
  ["1 hour, 30 minutes", 90 * MINUTE],
  ["1.5 days", 36 * HOUR],
  [".5h", 30 * MINUTE],
  ["2 weeks", 14 * DAY],
  [" 10s ", 10 * SECOND],
  ["10 S", 10 * SECOND],
  ["00:05:00", 5 * MINUTE],
  ["01:30:15.5", HOUR + 30 * MINUTE + 15_500],
  ["1 day 02:00:00", 26 * HOUR],
  ["P1DT2H", 26 * HOUR],
  ["PT0.5S", 500],
  ["P2W", 14 * DAY],
  ["1500us", 1.5],
  ["1500µs", 1.5],
  ["0s", 0],
])("%j is %d ms", (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 6);
});

test("Infinity stays", () => {
  expect(parseDuration(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  "",
  " ",
  "10",
  "1.5",
  "1 month",
  "1mo",
  "1M",
  "5 M",
  "1 year",
  "1y",
  "h",
  "1 h 2",
  "1h1h",
  "60m 1 min",
  "-1h",
  "+1h",
  "1e3s",
  "1,5h",
  ", 1h",
  "1:2",
  "00:60:00",
  "00:00:61",
  "P",
  "PT",
  "P1M",
  "P1Y",
  "1H2",
  "forever",
  "٣s",
  "1 s e c",
  Number.NaN,
])("%j is no duration", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

describe("properties", () => {
  const units = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY } as const;
  const names = Object.keys(units) as (keyof typeof units)[];
  const parts = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.nat(10_000)), {
    minLength: 1,
    selector: ([unit]) => unit,
  });
  const spaces = fc.constantFrom("", " ", "  ");

  test("parts add up, in whatever order and spacing", () => {
    fc.assert(
      fc.property(parts, spaces, spaces, (list, between, inside) => {
        const text = list.map(([unit, n]) => `${n}${inside}${unit}`).join(between);
        const sum = list.reduce((total, [unit, n]) => total + n * units[unit], 0);
        expect(parseDuration(text)).toBe(sum);
      }),
    );
  });

  test("a number is as many seconds", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (n) => {
        expect(parseDuration(n)).toBe(n * SECOND);
      }),
    );
  });

  test("a unit given twice, or text around, is no duration", () => {
    fc.assert(
      fc.property(parts, fc.constantFrom("x", "/", "-", "1", "::", "M"), (list, junk) => {
        const text = list.map(([unit, n]) => `${n}${unit}`).join(" ");
        const [first] = list as [[string, number]];
        expect(parseDuration(`${text} ${first[1]}${first[0]}`)).toBeUndefined();
        expect(parseDuration(`${text} ${junk}`)).toBeUndefined();
        expect(parseDuration(`${junk} ${text}`)).toBeUndefined();
      }),
    );
  });

  test("it never throws, is never NaN, and takes no time over any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.:PTWDHMSmshdw ,]*$/)), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || ms >= 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
    // Were the time quadratic in the length, each would take minutes.
    for (const part of ["1", "1 ", " ", "1h ", "P"]) expect(parseDuration(part.repeat(1_000_000))).toBeUndefined();
  });

  test("the type takes what the grammar takes, as far as types go", () => {
    const right: Duration[] = [1, "1s", "1.5 days", "1h30m", "00:05:00", "P1DT2H"];
    for (const each of right) expect(parseDuration(each)).toBeGreaterThan(0);
    // @ts-expect-error No unit.
    const unitless: Duration = "10";
    // @ts-expect-error No length.
    const month: Duration = "1 month";
    // @ts-expect-error
    const empty: Duration = "";
    expect([unitless, month, empty].map(parseDuration)).toEqual([undefined, undefined, undefined]);
  });
});
