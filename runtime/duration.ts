/** How long: the one grammar of durations, read at build time (`ttl`) and at run time (`cacheTtl`). */

type Unit =
  | "ms"
  | "s"
  | "sec"
  | "second"
  | "seconds"
  | "m"
  | "min"
  | "minute"
  | "minutes"
  | "h"
  | "hour"
  | "hours"
  | "d"
  | "day"
  | "days"
  | "w"
  | "week"
  | "weeks";

/**
 * A number is **seconds**, as in Streamlit's `ttl=3600`. A string needs a unit: `"500ms" "90s" "5m" "1h" "1d" "1w"
 * "1h30m" "1.5 days" "00:05:00" "P1DT2H"`. `"10"`, `"1 month"` and `""` are refused: a bare number in a string meant
 * nanoseconds in Streamlit, and months have no length.
 */
export type Duration =
  | number
  | `${number}${Unit}`
  | `${number} ${Unit}`
  | `${number}${Unit}${number}${Unit}`
  | `${number}:${number}:${number}`
  | `P${string}`;

const SECOND = 1000;
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: SECOND,
  sec: SECOND,
  secs: SECOND,
  second: SECOND,
  seconds: SECOND,
  m: 60 * SECOND,
  min: 60 * SECOND,
  mins: 60 * SECOND,
  minute: 60 * SECOND,
  minutes: 60 * SECOND,
  h: 3600 * SECOND,
  hr: 3600 * SECOND,
  hrs: 3600 * SECOND,
  hour: 3600 * SECOND,
  hours: 3600 * SECOND,
  d: 86400 * SECOND,
  day: 86400 * SECOND,
  days: 86400 * SECOND,
  w: 604800 * SECOND,
  week: 604800 * SECOND,
  weeks: 604800 * SECOND,
};
const CLOCK = /(?:^|\s)(\d+):([0-5]?\d):([0-5]?\d(?:\.\d+)?)$/;
const ISO =
  /^P(?=.)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=.)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Milliseconds, or `undefined` where the text is no duration. Negative numbers are kept: they mean "always a miss". */
export function parseDuration(value: number | string): number | undefined {
  if (typeof value === "number") return Number.isNaN(value) ? undefined : value * SECOND;
  const text = value.trim();
  const iso = ISO.exec(text);
  if (iso) {
    const [, w = 0, d = 0, h = 0, m = 0, s = 0] = iso;
    return (((Number(w) * 7 + Number(d)) * 24 + Number(h)) * 60 + Number(m)) * 60 * SECOND + Number(s) * SECOND;
  }
  let rest = text;
  let total = 0;
  const clock = CLOCK.exec(text);
  if (clock) {
    total = ((Number(clock[1]) * 60 + Number(clock[2])) * 60 + Number(clock[3])) * SECOND;
    rest = text.slice(0, clock.index).trim();
    if (!rest) return total;
  }
  const part = /\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-zµμ]+)\s*,?/iy;
  let last = 0;
  const seen = new Set<number>();
  while (last < rest.length) {
    part.lastIndex = last;
    const match = part.exec(rest);
    if (!match) return undefined;
    const word = match[2] as string;
    // A capital M is a month elsewhere; nobody should have to guess.
    const unit = word === "M" ? undefined : UNITS[word.toLowerCase()];
    if (unit === undefined || seen.has(unit)) return undefined;
    seen.add(unit);
    total += Number(match[1]) * unit;
    last = part.lastIndex;
  }
  return last === 0 ? undefined : total;
}
