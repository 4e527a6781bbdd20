/**
 * What an object is, whichever realm made it: plain, an array, or an instance of a built-in class. Jest, vm contexts
 * and iframes hand over objects whose prototypes are not ours, so nothing here asks `instanceof`.
 */
import { builtin } from "./platform.ts";

const { getPrototypeOf, getOwnPropertySymbols, hasOwn, keys: namesOf, prototype: ObjectPrototype } = Object;

/** `Object.prototype` is the prototype that has none itself and defines `isPrototypeOf`. */
export function isPlain(prototype: object | null): boolean {
  if (prototype === ObjectPrototype || prototype === null) return true;
  return getPrototypeOf(prototype) === null && hasOwn(prototype, "isPrototypeOf");
}

/** `Array.prototype` is an array itself; the prototype of a subclass is not. */
export function isPlainArray(prototype: object | null): boolean {
  if (prototype === Array.prototype) return true;
  return Array.isArray(prototype) && isPlain(getPrototypeOf(prototype) as object | null);
}

const ERRORS = ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];
const TYPED_ARRAYS = [
  ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
  ...["Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"],
];
const INTL = [
  ...["Collator", "DateTimeFormat", "DisplayNames", "DurationFormat", "ListFormat", "Locale", "NumberFormat"],
  ...["PluralRules", "RelativeTimeFormat", "Segmenter"],
];
const TEMPORAL = [
  ...["Duration", "Instant", "PlainDate", "PlainDateTime", "PlainMonthDay", "PlainTime", "PlainYearMonth"],
  "ZonedDateTime",
];

/** Built-in classes by what they have in common: how their instances are keyed and copied. */
export const GROUPS = {
  error: [...ERRORS, "AggregateError"],
  typedArray: TYPED_ARRAYS,
  boxed: ["Number", "String", "Boolean", "BigInt", "Symbol"],
  intl: INTL.map((name) => `Intl.${name}`),
  temporal: TEMPORAL.map((name) => `Temporal.${name}`),
  other: [
    ...["Date", "RegExp", "Map", "Set", "ArrayBuffer", "SharedArrayBuffer", "DataView", "Buffer"],
    ...["URL", "URLSearchParams", "Headers", "FormData", "DOMException", "Blob", "File"],
  ],
} as const;

const NAMES: readonly string[] = Object.values(GROUPS).flat();
const byPrototype = new WeakMap<object, string>();

/**
 * `Date`, `Float64Array`, `Temporal.PlainDate`: the built-in class that has this very prototype. A subclass is none.
 * Asked by value, not from a table made at the start: polyfills and fake timers put other classes in their place later.
 */
export function builtInName(prototype: object): string | undefined {
  const known = byPrototype.get(prototype);
  if (known !== undefined) return known;
  const name = NAMES.find((name) => builtIn(name)?.prototype === prototype) ?? foreignName(prototype);
  if (name !== undefined) byPrototype.set(prototype, name);
  return name;
}

/** The class of this name, where the host has it. */
export function builtIn(name: string): { readonly prototype: object } | undefined {
  let found: unknown = globalThis;
  for (const part of name.split(".")) found = (found as Record<string, unknown> | undefined)?.[part];
  return typeof found === "function" ? found : undefined;
}

/** Another realm's class: native code under a name that we know. */
function foreignName(prototype: object): string | undefined {
  const type = hasOwn(prototype, "constructor") ? prototype.constructor : undefined;
  if (typeof type !== "function" || type.prototype !== prototype) return undefined;
  if (!Function.prototype.toString.call(type).endsWith("{ [native code] }")) return undefined;
  return NAMES.find((name) => name === type.name || name.endsWith(`.${type.name}`));
}

/** Typed arrays and `String` objects list their elements among their properties. */
export function isIndexed(value: object): value is { readonly length: number } {
  return ArrayBuffer.isView(value) ? "length" in value : Object.prototype.toString.call(value) === "[object String]";
}

/** Fewer elements than this are listed; more are not, where the host can tell at once that there is nothing besides. */
const MANY = 256;

/**
 * Whether an array has as many own enumerable properties as elements, and no symbols. (A hole that is made up for by a
 * name of the array's own is not seen here: whoever reads the elements meets it.)
 */
export function hasOnlyElements(value: readonly unknown[]): boolean {
  if (getOwnPropertySymbols(value).length > 0) return false;
  if (value.length > MANY && hasNothingBesides(value)) return true;
  return namesOf(value).length === value.length;
}

/** Names of own enumerable properties besides the elements of a typed array, or the characters of a `String` object. */
export function namesBesides(value: { readonly length: number }): string[] {
  if (value.length > MANY && hasNothingBesides(value)) return [];
  return namesOf(value).slice(value.length);
}

/**
 * The language lists the elements of an array only together with its names, at 6 ns each: more than hashing them
 * takes. Node's `inspect` alone asks V8 for the names without the elements; its answer is believed only where it is
 * exactly the one for an array with nothing besides, so that another format in another version costs time, no truth.
 */
function hasNothingBesides(value: object): boolean {
  if (util === null) util = builtin<typeof import("node:util")>("node:util");
  // What inspect says of a proxy is said of its target.
  if (util === undefined || util.types.isProxy(value)) return false;
  return BARE.test(util.inspect(value, BRIEF));
}

let util: typeof import("node:util") | undefined | null = null;
const BARE = /^(?:\w+\(\d+\) )?(?:\[\w+\] )?\[ \.\.\. \d+ more items? \]$/;
const BRIEF = { maxArrayLength: 0, maxStringLength: 0, depth: 0, customInspect: false, breakLength: Infinity };
