/**
 * Any value as canonical text: equal where `assert.deepStrictEqual` finds the values equal, different where it does
 * not. Every part is framed by a tag and, where it has a length, by that; nothing is escaped and nothing is sampled.
 *
 *     u  undefined       _  null          t f  true, false
 *     n12  integer       d…  other number, by its bits      N I J Z  NaN, Infinity, -Infinity, -0
 *     b12  bigint        s3:abc  string   y3:abc  Symbol.for("abc")
 *     [nn…]  array       h3{…}  array with holes or with names of its own
 *     v100…  array of 64 numbers and more, by a digest of them as 64-bit floats
 *     {1:a1:b|n1t}       plain object: its names sorted (long: a digest of them), then its values
 *     ^2  the object two levels above: a cycle
 *     #…  (or %…) the digest of an object's text, in place of a text that is long
 *
 * Built-in types have tags of their own (key-builtins.ts), as have classes that are registered or that identify
 * themselves. It is a storage format: a change here is a new version of the code hash's scheme.
 */
import { digestText } from "./digest.ts";
import type { Refusal } from "./errors.ts";
import { encoderOf } from "./key-builtins.ts";
import { encodeNumber, encodeNumbers, encodeString, frame } from "./key-text.ts";
import { hasOnlyElements, isPlain, isPlainArray } from "./kinds.ts";
import type { Step } from "./path.ts";
import { refuseDepth, refuseKey } from "./refusals.ts";
import { shapeOf } from "./shapes.ts";
import { disown } from "./thenable.ts";
import { IDENTITY, sourceName } from "./types.ts";

/** Deeper is refused: an endless proxy, which would otherwise end in an overflow of the stack. */
export const MAX_DEPTH = 1000;

/** An object's text that is longer than this is replaced by its digest, so that no text grows with the data. */
const LONG = 16_384;
/** Arrays of as many numbers are read as bytes: 100,000 numbers in 1 ms instead of 14. */
const MANY_NUMBERS = 64;
/**
 * A part that is met in many places is read in each, and shared parts in shared parts double the work level by level. So
 * after this many objects, texts that stand for many others are remembered.
 */
const MANY_OBJECTS = 10_000;
const WORTH_REMEMBERING = 256;

const { getPrototypeOf, getOwnPropertySymbols, keys: namesOf, values: valuesOf, hasOwn } = Object;
const { isArray } = Array;

/** Thrown inside, caught by key.ts, which knows the site and the parameter. */
export class Refused {
  readonly refusal: Refusal;
  readonly path: readonly Step[];
  constructor(refusal: Refusal, path: readonly Step[]) {
    this.refusal = refusal;
    this.path = path;
  }
}

/** What identifies a cached function that is passed as an argument: its code hash, and what it takes from around it. */
type FunctionKey = (
  fn: (...args: never) => unknown,
) => { readonly code: string; readonly captures: (() => unknown[]) | undefined } | undefined;

let functionKey: FunctionKey = () => undefined;

/** Set by the registry, which knows the functions; undefined for a function that is not cached. */
export function setFunctionKey(ask: FunctionKey): void {
  functionKey = ask;
}

export class Encoder {
  /** The objects around the one that is being encoded, and the step from each to the next. */
  private readonly around: (object | undefined)[] = [];
  private readonly steps: Step[] = [];
  private depth = 0;
  /** Objects seen, to know what a remembered text is worth. */
  private seen = 0;
  /** The outermost object that a cycle led back to since this was last reset. */
  private outermost = MAX_DEPTH;
  private remembered: Map<object, string> | undefined = undefined;

  /** Between two calls: nothing of the arguments is held. */
  reset(): void {
    this.seen = 0;
    this.remembered = undefined;
    this.outermost = MAX_DEPTH;
    if (this.depth === 0) return;
    // A throw left it in the middle.
    this.depth = 0;
    this.around.length = 0;
    this.steps.length = 0;
  }

  value(value: unknown): string {
    switch (typeof value) {
      case "string":
        return encodeString(value);
      case "number":
        return encodeNumber(value);
      case "boolean":
        return value ? "t" : "f";
      case "undefined":
        return "u";
      case "object":
        return value === null ? "_" : this.object(value);
      case "bigint":
        return `b${value}`;
      case "symbol":
        return this.symbol(value);
      default:
        return this.callable(value as (...args: never) => unknown);
    }
  }

  /** The value found one step inside the object that is being encoded. */
  inside(step: Step, value: unknown): string {
    this.steps[this.depth - 1] = step;
    return this.value(value);
  }

  object(value: object): string {
    const { around, depth } = this;
    for (let level = depth - 1; level >= 0; level--) {
      if (around[level] !== value) continue;
      if (level < this.outermost) this.outermost = level;
      return `^${depth - level}`;
    }
    if (depth === MAX_DEPTH) throw this.refuse(refuseDepth(MAX_DEPTH, "key"));
    if (++this.seen > MANY_OBJECTS) return this.remembering(value);
    const text = this.content(value);
    return text.length > LONG ? digestText(text) : text;
  }

  private remembering(value: object): string {
    this.remembered ??= new Map();
    const known = this.remembered.get(value);
    if (known !== undefined) return known;
    const seenBefore = this.seen;
    const outermostBefore = this.outermost;
    this.outermost = MAX_DEPTH;
    const content = this.content(value);
    const text = content.length > LONG ? digestText(content) : content;
    // Only a text without a way out of the object means the same wherever the object stands.
    if (this.seen - seenBefore > WORTH_REMEMBERING && this.outermost >= this.depth) this.remembered.set(value, text);
    if (outermostBefore < this.outermost) this.outermost = outermostBefore;
    return text;
  }

  private content(value: object): string {
    const prototype = getPrototypeOf(value) as object | null;
    const array = isArray(value);
    if (!array && isPlain(prototype)) {
      const names = namesOf(value);
      // All values in one go: by name, one at a time, each would be looked up in an object of any shape.
      if (getOwnPropertySymbols(value).length === 0) return `${this.fields(value, names, valuesOf(value))}}`;
    }
    this.enter(value);
    let text: string;
    if (array) text = isPlainArray(prototype) ? this.array(value) : encoderOf(value, prototype!)(this, value);
    else
      text = isPlain(prototype) ? this.withSymbols(value, namesOf(value)) : encoderOf(value, prototype!)(this, value);
    this.leave();
    return text;
  }

  private enter(value: object): void {
    this.around[this.depth++] = value;
  }

  private leave(): void {
    this.around[--this.depth] = undefined;
  }

  /**
   * Names, then values in the order of the sorted names; not closed.
   *
   * @param value is entered for what it holds, where it holds more than scalars
   */
  private fields(value: object | undefined, listed: readonly string[], values: readonly unknown[]): string {
    const { header, names, order } = shapeOf(listed);
    let text = header;
    let entered = value === undefined;
    const level = entered ? this.depth - 1 : this.depth;
    try {
      for (let i = 0; i < order.length; i++) {
        const child = values[order[i]!];
        if (typeof child === "string") text += encodeString(child);
        else if (typeof child === "number") text += encodeNumber(child);
        else if (child === null) text += "_";
        else if (typeof child === "boolean") text += child ? "t" : "f";
        else {
          if (!entered) this.enter(value!);
          entered = true;
          text += this.inside(names[i]!, child);
        }
        if (text.length > LONG) text = digestText(text);
      }
    } catch (error) {
      disownMade(this.around[level]!, listed, values);
      throw error;
    }
    if (entered && value !== undefined) this.leave();
    return text;
  }

  private array(value: readonly unknown[]): string {
    const { length } = value;
    if (!hasOnlyElements(value)) return this.sparse(value);
    if (length >= MANY_NUMBERS) {
      const numbers = encodeNumbers(value);
      if (numbers !== undefined) return numbers;
    }
    const step = this.depth - 1;
    let text = "[";
    for (let i = 0; i < length; i++) {
      const child = value[i];
      if (typeof child === "string") text += encodeString(child);
      else if (typeof child === "number") text += encodeNumber(child);
      else {
        if (child === undefined && !hasOwn(value, i)) return this.sparse(value);
        this.steps[step] = i;
        text += this.value(child);
      }
      if (text.length > LONG) text = digestText(text);
    }
    return `${text}]`;
  }

  /** With holes, or with properties besides the elements: by what `Object.keys` lists, which holes are not in. */
  private sparse(value: readonly unknown[]): string {
    return `h${value.length}${this.properties(value, namesOf(value))}`;
  }

  /** These of an object's own properties, and those whose names are symbols. */
  properties(value: object, names: string[]): string {
    if (getOwnPropertySymbols(value).length > 0) return this.withSymbols(value, names);
    return `${this.fields(undefined, names, pick(value, names))}}`;
  }

  /** The parts of a Map or Set, whose order does not matter. */
  unordered(parts: string[]): string {
    let text = "";
    for (const part of parts.sort()) {
      text += part;
      if (text.length > LONG) text = digestText(text);
    }
    return text;
  }

  private withSymbols(value: object, names: string[]): string {
    // A plain object, too, may say itself what identifies it.
    if (hasOwn(value, IDENTITY)) return `k${this.identity(value)}`;
    const text = this.fields(undefined, names, pick(value, names));
    const parts: string[] = [];
    for (const name of getOwnPropertySymbols(value)) {
      if (!Object.prototype.propertyIsEnumerable.call(value, name)) continue;
      this.steps[this.depth - 1] = name;
      parts.push(this.symbol(name) + this.value((value as Record<symbol, unknown>)[name]));
    }
    // `arguments` and module namespaces differ from plain objects in nothing else.
    const tag = Object.prototype.toString.call(value);
    const kind = tag === "[object Object]" || tag === "[object Array]" ? "" : `T${frame(tag)}`;
    return parts.length === 0 ? `${kind}${text}}` : `${kind}${text}|${parts.sort().join("")}}`;
  }

  /** What `value[Symbol.for("kept.key")]()` gives; the object itself means its own enumerable properties. */
  identity(value: object): string {
    const asked = value as { [IDENTITY](): unknown };
    return this.identifiedBy(value, asked[IDENTITY](), '[Symbol.for("kept.key")]');
  }

  identifiedBy(value: object, key: unknown, by: string): string {
    if (key === value) return `${this.fields(undefined, namesOf(value), valuesOf(value))}}`;
    try {
      return this.inside({ method: by, argument: undefined }, key);
    } catch (error) {
      disown(key);
      throw error;
    }
  }

  private symbol(value: symbol): string {
    const registered = Symbol.keyFor(value);
    if (registered !== undefined) return `y${frame(registered)}`;
    const wellKnown = WELL_KNOWN.get(value);
    if (wellKnown !== undefined) return `w${frame(wellKnown)}`;
    throw this.refuse(refuseKey(value));
  }

  /** Small, for the engine takes it into `value`: with all of its body there, short strings took half as long again. */
  private callable(value: (...args: never) => unknown): string {
    return this.named(value, functionKey(value));
  }

  /** @param cached where it is a cached function */
  private named(value: (...args: never) => unknown, cached: ReturnType<FunctionKey>): string {
    const names = cached && ownNames(value);
    if (cached !== undefined && cached.captures === undefined && names === undefined) return `F${frame(cached.code)}`;
    if (cached === undefined && typeof (value as unknown as Record<symbol, unknown>)[IDENTITY] !== "function") {
      throw this.refuse(refuseKey(value));
    }
    if (this.depth === MAX_DEPTH) throw this.refuse(refuseDepth(MAX_DEPTH, "key"));
    this.around[this.depth++] = value;
    let text: string;
    if (cached === undefined) text = this.said(value);
    else text = cached.captures ? this.closure(cached.code, cached.captures()) : `F${frame(cached.code)}`;
    if (names !== undefined) text += `+${this.properties(value, names)}`;
    this.around[--this.depth] = undefined;
    return text;
  }

  /** A function or class that says what identifies it; a class that inherits this is told apart from the one above. */
  private said(value: (...args: never) => unknown): string {
    return hasOwn(value, IDENTITY) ? `j${this.identity(value)}` : `V${frame(sourceName(value))}${this.identity(value)}`;
  }

  /** A cached function with what it captures. */
  private closure(code: string, captures: readonly unknown[]): string {
    const texts = captures.map((each, at) => this.inside({ method: "captured", argument: at }, each));
    return `C${frame(code)}${texts.join("")};`;
  }

  /** The caller's own stack may leave less room than {@link MAX_DEPTH} takes: the same refusal, from the overflow. */
  refusedBy(error: unknown): Refused | undefined {
    if (error instanceof Refused) return error;
    const overflow = this.depth > MAX_DEPTH / 20 && (error as { name?: unknown } | null)?.name === "RangeError";
    return overflow ? this.refuse(refuseDepth(this.depth, "key")) : undefined;
  }

  /** What to throw about a value found inside the object that is being encoded. */
  refuse(refusal: Refusal): Refused {
    return new Refused(refusal, this.steps.slice(0, this.depth));
  }

  /** What to throw about the object itself that is being encoded. */
  refuseThis(refusal: Refusal): Refused {
    return new Refused(refusal, this.steps.slice(0, this.depth - 1));
  }
}

/** Symbols that are the same in every process without being registered. Libraries add others to `Symbol`: not those. */
const WELL_KNOWN = new Map(
  (
    "asyncDispose asyncIterator dispose hasInstance isConcatSpreadable iterator match matchAll replace search species " +
    "split toPrimitive toStringTag unscopables"
  )
    .split(" ")
    .flatMap((name) => {
      const symbol = (Symbol as unknown as Record<string, unknown>)[name];
      return typeof symbol === "symbol" ? [[symbol, name] as const] : [];
    }),
);

/** What getters have made for a key that is refused: nobody else has it. */
function disownMade(holder: object, names: readonly string[], values: readonly unknown[]): void {
  for (const [at, value] of values.entries())
    if (Object.getOwnPropertyDescriptor(holder, names[at]!)?.get !== undefined) disown(value);
}

/** What a user has put on a function: `load.limit = 5`. */
function ownNames(value: object): string[] | undefined {
  const names = namesOf(value);
  return names.length > 0 || getOwnPropertySymbols(value).length > 0 ? names : undefined;
}

function pick(value: object, names: readonly string[]): unknown[] {
  return names.map((name) => (value as Record<string, unknown>)[name]);
}
