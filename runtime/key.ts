/**
 * The key of a call: what its entries are found by. Two argument lists share a key if and only if
 * `assert.deepStrictEqual` finds them equal, with these exceptions, all but the first towards a miss:
 *
 * - an object without a prototype equals a plain one (and a plain one of another realm);
 * - what Node compares by nothing is compared by what it holds: URLSearchParams, Headers, FormData, Intl and Temporal;
 * - where Node's own answer has changed, the newer one holds: cycles are equal if they close at the same depth, invalid
 *   dates are equal (both since 24), and a `cause` of undefined is a cause (since 22).
 */
import type { SiteSpec } from "./contract.ts";
import { digestText, isWellFormed } from "./digest.ts";
import { UnhashableArgumentError } from "./errors.ts";
import { Encoder, type Refused } from "./key-encoder.ts";
import { encodeNumber, encodeString } from "./key-text.ts";
import { type Step, spell } from "./path.ts";
import { refuseCircle } from "./refusals.ts";

export { setFunctionKey } from "./key-encoder.ts";

/**
 * Safe in a `Map`, and equal (SameValueZero) exactly where the argument lists are. A lone number, bigint, boolean,
 * null, undefined or short string is its own key; everything else is text that begins with NUL, which no string that
 * is its own key does. {@link keyText} has it as text.
 */
export type Key = string | number | bigint | boolean | undefined | null;

/** What a site says about the slots of its key, for the words of an error. */
export type SiteNames = Pick<SiteSpec, "id" | "hashed" | "captured" | "rest">;

/** Longer texts become a digest, also to keep arguments out of sight in stores. */
const LONGEST = 256;
/** Its text has a frame. */
const LONGEST_STRING = 250;
const ENCODED = "\0";

/**
 * The key of one call's keyed values.
 *
 * @param slots bound parameters (a rest parameter element by element), then captures
 * @throws UnhashableArgumentError naming the parameter, the path inside it, and what to write instead
 */
export function encodeKey(slots: readonly unknown[], site: SiteNames): Key {
  // Short, so that it is inlined into the call of a cached function: a hit by one number is 12 ns instead of 16.
  if (slots.length === 1) {
    const only = slots[0];
    if (typeof only === "string") {
      if (only.length <= LONGEST_STRING && only.charCodeAt(0) !== 0) return only;
    } else if (typeof only === "number" && only !== 0) return only;
  }
  return encodeSlots(slots, site);
}

function encodeSlots(slots: readonly unknown[], site: SiteNames): Key {
  if (slots.length === 1) {
    const only = slots[0];
    switch (typeof only) {
      case "number":
        // -0 is another argument than 0, and the same key of a Map.
        return Object.is(only, -0) ? `${ENCODED}Z` : only;
      case "boolean":
      case "undefined":
      case "bigint":
        return only;
      case "object":
        if (only === null) return null;
    }
  }
  let text = ENCODED;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i];
    if (typeof slot === "string") text += encodeString(slot);
    else if (typeof slot === "number") text += encodeNumber(slot);
    else text += encodeSlot(slot, i, slots.length, site);
  }
  return text.length <= LONGEST ? text : ENCODED + digestText(text.slice(1));
}

/**
 * The same key as text, the same in every process, and well-formed so that UTF-8 keeps it apart from all others. What
 * is long is a digest already.
 */
export function keyText(key: Key): string {
  const text = typeof key === "string" && key.startsWith(ENCODED) ? key.slice(1) : scalarText(key);
  // A lone bigint may be as long as it likes in memory.
  return text.length <= LONGEST && isWellFormed(text) ? text : digestText(text);
}

function scalarText(key: Key): string {
  return new Encoder().value(key);
}

/** One is enough for nearly all calls; a second is needed where a user's own `key` function calls a cached function. */
let idle: Encoder | undefined = new Encoder();
/** Keys that are being found, each for the sake of the one before: more of them are a circle. */
const MOST_NESTED = 100;
let nested = 0;
/** Ends them all: an `async` function tells it only by a promise, behind which a getter may go round again. */
let circle: UnhashableArgumentError | undefined;

function encodeSlot(slot: unknown, at: number, count: number, site: SiteNames): string {
  if (slot === undefined) return "u";
  if (slot === null) return "_";
  if (circle !== undefined) throw circle;
  const encoder = idle ?? new Encoder();
  idle = undefined;
  nested++;
  try {
    if (nested > MOST_NESTED) throw encoder.refuse(refuseCircle());
    return encoder.value(slot);
  } catch (error) {
    const refused = encoder.refusedBy(error);
    if (refused === undefined) throw error;
    if (nested > MOST_NESTED) circle = unhashable(refused, at, count, site);
    throw circle ?? unhashable(refused, at, count, site);
  } finally {
    if (--nested === 0) circle = undefined;
    encoder.reset();
    idle = encoder;
  }
}

function unhashable({ refusal, path }: Refused, at: number, count: number, site: SiteNames): UnhashableArgumentError {
  const { parameter, index, captured } = slotName(at, count, site);
  const steps: Step[] = index === undefined ? [...path] : [index, ...path];
  return new UnhashableArgumentError({ site: site.id, parameter, path: parameter + spell(steps), captured }, refusal);
}

/** The name of a slot; elements of a rest parameter share one. */
function slotName(at: number, count: number, { hashed, rest, captured = 0 }: SiteNames) {
  const spread = rest === undefined ? 0 : count - (hashed.length - 1);
  const inRest = rest !== undefined && at >= rest && at < rest + spread;
  const name = inRest ? rest : rest !== undefined && at >= rest + spread ? at - spread + 1 : at;
  return {
    parameter: hashed[name] ?? `argument ${at + 1}`,
    index: inRest ? at - rest : undefined,
    captured: name >= hashed.length - captured,
  };
}
