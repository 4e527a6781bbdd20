/**
 * A faithful private copy of any value that can be copied, with its shared references and cycles: what an entry keeps.
 * Everything is looked at here, once, and what can't be copied is refused with its place.
 */
import { type Kind, kindOf } from "./copy-kinds.ts";
import { copyBuffer, viewOf } from "./copy-leaves.ts";
import { type Refusal, UncopyableResultError } from "./errors.ts";
import { close, integrityOf } from "./integrity.ts";
import { builtIn, hasOnlyElements, isIndexed, namesBesides } from "./kinds.ts";
import { type Step, spell } from "./path.ts";
import { refuseAccessor, refuseCopied, refuseCopy, refuseDepth, refuseFreeze, refusePretender } from "./refusals.ts";

const { getOwnPropertyDescriptor, getOwnPropertyNames, getOwnPropertySymbols, getPrototypeOf } = Object;
const { hasOwn, keys: namesOf } = Object;

/** Deeper is refused, so that a hit, wherever it is called, has stack enough to copy again. */
const MAX_DEPTH = 2000;

/** What a copy is made for. */
export interface Purpose {
  /** Whose result it is, for the words of an error. */
  readonly site: string;
  readonly mode: "copy" | "freeze";
}

type Buffers = ReadonlySet<ArrayBufferLike>;

/** One look at one value. */
export class Graph {
  readonly copy: unknown;
  /** True if an object was met twice (a shared part, a cycle): copies must keep the two one. */
  shared = false;
  /** True if something stands in the value that a plan (copy-plan.ts) would lose. */
  unusual = false;
  /** An estimate of the memory that the copy takes. */
  bytes = 0;

  /** From each object to its copy. */
  private readonly copies = new Map<object, object>();
  /** Buffers that stand in the value more than once, in views or by themselves: so must their copies. */
  private readonly whole: Buffers;
  private readonly viewed = new Set<ArrayBufferLike>();
  private readonly viewedAgain = new Set<ArrayBufferLike>();
  /** Copies of objects that are closed to changes: closed in turn when all have got their properties. */
  private closed: { readonly copy: object; readonly integrity: number }[] | undefined = undefined;
  private readonly steps: Step[] = [];
  private depth = 0;
  private readonly purpose: Purpose;

  /**
   * @param whole buffers known to stand in the value more than once
   * @throws UncopyableResultError
   */
  static of(value: unknown, purpose: Purpose, whole: Buffers = new Set()): Graph {
    const graph = new Graph(value, purpose, whole);
    // Views were copied one by one before it was seen that they show one buffer: once more, knowing it.
    return graph.viewedAgain.size === 0 ? graph : new Graph(value, purpose, graph.viewedAgain);
  }

  private constructor(value: unknown, purpose: Purpose, whole: Buffers) {
    this.purpose = purpose;
    this.whole = whole;
    try {
      this.copy = this.value(value);
      for (const { copy, integrity } of this.closed ?? []) close(copy, integrity);
    } catch (error) {
      const overflow = this.depth > MAX_DEPTH / 20 && (error as { name?: unknown } | null)?.name === "RangeError";
      throw overflow ? this.refusal(refuseDepth(this.depth, "copy"), this.depth) : error;
    }
  }

  /** What {@link of} needs to be told when it copies {@link copy}. */
  get wholeCopies(): Buffers {
    return new Set([...this.whole].map((buffer) => this.copies.get(buffer) as ArrayBufferLike));
  }

  /** Freezes the copy, and every object in it. */
  freeze(): void {
    for (const copy of this.copies.values()) Object.freeze(copy);
  }

  private value(value: unknown): unknown {
    switch (typeof value) {
      case "object":
        return value === null ? null : this.object(value);
      case "symbol":
        // The same in every process, as `$$typeof` of a React element is.
        if (Symbol.keyFor(value) !== undefined) return value;
        throw this.refusal(refuseCopy(value), this.depth);
      case "function":
        throw this.refusal(refuseCopy(value), this.depth);
      case "string":
        this.bytes += textBytes(value);
        return value;
      default:
        return value;
    }
  }

  private inside(step: Step, value: unknown): unknown {
    this.steps[this.depth - 1] = step;
    return this.value(value);
  }

  private object(value: object): object {
    const known = this.copies.get(value);
    if (known !== undefined) {
      this.shared = true;
      return known;
    }
    const kind = kindOf(value);
    if (kind === undefined) throw this.refusal(refuseCopy(value), this.depth);
    if (this.purpose.mode === "freeze" && !isFreezable(value, kind)) {
      throw this.refusal(refuseFreeze(kind.name), this.depth);
    }
    if (this.depth === MAX_DEPTH) throw this.refusal(refuseDepth(MAX_DEPTH, "copy"), this.depth);
    this.depth++;
    const copy = this.content(value, kind);
    this.depth--;
    if (kind.by === undefined && !Object.isExtensible(value)) this.noteClosed(copy, integrityOf(value));
    return copy;
  }

  private content(value: any, kind: Kind): object {
    switch (kind.group) {
      case "plain":
        return this.plain(value);
      case "array":
        return this.array(value);
      case "map":
        return this.map(value);
      case "set":
        return this.set(value);
      case "error":
        return this.error(value, kind);
      case "view":
        return this.view(value, kind);
      case "leaf":
        return this.leaf(value, kind);
    }
  }

  /** Notes a copy before its parts are made, so that a cycle finds it. */
  private note<T extends object>(value: object, copy: T, bytes: number): T {
    this.copies.set(value, copy);
    this.bytes += bytes;
    return copy;
  }

  private noteClosed(copy: object, integrity: number): void {
    this.unusual = true;
    (this.closed ??= []).push({ copy, integrity });
  }

  private plain(value: Record<string, unknown>): object {
    const names = namesOf(value);
    const nested: string[] = [];
    for (const name of names) {
      const child = this.own(value, name).value as unknown;
      if (isNested(child)) nested.push(name);
      else if (typeof child === "string") this.bytes += textBytes(child);
      else if (typeof child === "number" && !Number.isInteger(child)) this.bytes += 16;
    }
    // Spread keeps the shape, and an own `__proto__`; what is nested is replaced.
    const bare = getPrototypeOf(value) === null;
    const content = bare ? Object.assign(Object.create(null) as typeof value, value) : { ...value };
    const copy = this.note(value, content, 24 + 8 * names.length);
    for (const name of nested) copy[name] = this.inside(name, value[name]);
    if (bare) this.unusual = true;
    const all = getOwnPropertyNames(value);
    const hidden = all.length === names.length ? [] : all.filter((name) => !names.includes(name));
    return this.named(value, copy, hidden);
  }

  private array(value: readonly unknown[]): object {
    const { length } = value;
    const copy = this.note<unknown[]>(value, [], 32 + 8 * length);
    for (let i = 0; i < length; i++) {
      const child = value[i];
      if (child === undefined && !hasOwn(value, i)) return this.sparse(value, copy);
      copy.push(isNested(child) || typeof child === "string" ? this.inside(i, child) : child);
    }
    return hasOnlyElements(value) ? copy : this.named(value, copy, namesBesides(value));
  }

  /** With holes: by the names that there are. */
  private sparse(value: readonly unknown[], copy: unknown[]): object {
    this.unusual = true;
    copy.length = 0;
    copy.length = value.length;
    return this.named(value, copy, namesOf(value));
  }

  private map(value: Map<unknown, unknown>): object {
    const size = this.real("Map", () => sizeOf(Map, value));
    const copy = this.note(value, new Map<unknown, unknown>(), 64 + 48 * size);
    Map.prototype.forEach.call(value, (child, key) => {
      const keyCopy = this.inside({ method: "keys", argument: copy.size }, key);
      copy.set(keyCopy, isNested(child) ? this.inside({ method: "get", argument: key }, child) : this.value(child));
    });
    return this.named(value, copy, namesOf(value));
  }

  private set(value: Set<unknown>): object {
    const size = this.real("Set", () => sizeOf(Set, value));
    const copy = this.note(value, new Set<unknown>(), 64 + 32 * size);
    Set.prototype.forEach.call(value, (member) => {
      copy.add(this.inside({ method: "values", argument: copy.size }, member));
    });
    return this.named(value, copy, namesOf(value));
  }

  private error(value: Error, { name: type }: Kind): object {
    this.unusual = true;
    if (Object.prototype.toString.call(value) !== "[object Error]") throw this.pretender(type);
    const Type = builtIn(type) as unknown as new (errors?: unknown[]) => Error;
    const copy = this.note(value, type === "AggregateError" ? new Type([]) : new Type(), 200);
    // It was born with a stack of its own making.
    for (const name of getOwnPropertyNames(copy)) delete copy[name as keyof Error];
    const names = getOwnPropertyNames(value);
    // An accessor in some engines; a string in all.
    if (names.includes("stack")) define(copy, "stack", this.inside("stack", value.stack), false);
    return this.named(
      value,
      copy,
      names.filter((name) => name !== "stack"),
    );
  }

  private view(value: ArrayBufferView, { name, copy: alone }: Kind): object {
    if (!ArrayBuffer.isView(value)) throw this.pretender(name);
    const { buffer } = value;
    if (this.whole.has(buffer)) {
      this.shared = true;
      const room = this.copies.get(buffer) ?? this.note(buffer, copyBuffer(buffer), buffer.byteLength);
      return this.besides(value, this.note(value, viewOf(room as ArrayBuffer, value, name), 120));
    }
    if (!isPooled(value)) this.see(buffer);
    return this.besides(value, this.note(value, alone!(value) as object, 120 + value.byteLength));
  }

  private leaf(value: object, { name, copy: make, by }: Kind): object {
    const copy: unknown = by === "user" ? make!(value) : this.real(name, () => make!(value) as unknown);
    if (by === "user" && !isSameClass(copy, value)) throw this.refusal(refuseCopied(value, copy), this.depth - 1);
    const isBuffer = name === "ArrayBuffer" || name === "SharedArrayBuffer";
    if (isBuffer) this.see(value as ArrayBuffer);
    this.note(value, copy as object, isBuffer ? 96 + (value as ArrayBuffer).byteLength : 96);
    return by === undefined ? this.besides(value, copy as object) : (copy as object);
  }

  private see(buffer: ArrayBufferLike): void {
    if (this.viewed.has(buffer)) this.viewedAgain.add(buffer);
    this.viewed.add(buffer);
  }

  /** Properties that a user has added to a built-in object. */
  private besides(value: object, copy: object): object {
    return this.named(value, copy, isIndexed(value) ? namesBesides(value) : namesOf(value));
  }

  /** Own properties that a plan does not know of. */
  private named(value: object, copy: object, names: readonly string[]): object {
    if (names.length > 0) this.unusual = true;
    for (const name of names) {
      const { value: child, enumerable } = this.own(value, name);
      define(copy, name, this.inside(name, child), enumerable === true);
    }
    for (const symbol of getOwnPropertySymbols(value)) {
      if (!Object.prototype.propertyIsEnumerable.call(value, symbol)) continue;
      this.steps[this.depth - 1] = symbol;
      throw this.refusal(refuseCopy(symbol), this.depth);
    }
    return copy;
  }

  private own(value: object, name: string): PropertyDescriptor {
    const property = getOwnPropertyDescriptor(value, name)!;
    if (property.get === undefined && property.set === undefined) return property;
    this.steps[this.depth - 1] = name;
    throw this.refusal(refuseAccessor(), this.depth);
  }

  /** What reads a built-in object throws a TypeError where there is its prototype alone, or a proxy. */
  private real<T>(name: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      // By name: it may be another realm's.
      throw (error as { name?: unknown } | null)?.name === "TypeError" ? this.pretender(name) : error;
    }
  }

  private pretender(name: string): UncopyableResultError {
    return this.refusal(refusePretender(name, "copy"), this.depth - 1);
  }

  private refusal(refusal: Refusal, levels: number): UncopyableResultError {
    const path = `result${spell(this.steps.slice(0, levels))}`;
    return new UncopyableResultError({ path, ...this.purpose }, refusal);
  }
}

function isNested(value: unknown): boolean {
  return (typeof value === "object" && value !== null) || typeof value === "function" || typeof value === "symbol";
}

function isSameClass(copy: unknown, value: object): boolean {
  return typeof copy === "object" && copy !== null && getPrototypeOf(copy) === getPrototypeOf(value);
}

/** What can't change once it is frozen. */
function isFreezable(value: object, { name, group, by }: Kind): boolean {
  if (group === "plain" || group === "array" || group === "error") return true;
  if (group === "view") return (value as ArrayBufferView).byteLength === 0;
  if (by === "user") return Object.isFrozen(value);
  if (name === "RegExp") return !(value as RegExp).global && !(value as RegExp).sticky;
  return FROZEN_LEAVES.has(name) || name.startsWith("Temporal.");
}

const FROZEN_LEAVES = new Set(["Number", "String", "Boolean", "BigInt", "Symbol", "Blob", "File", "DOMException"]);

/** A small Buffer, which shows a part of the memory that Node keeps for all small ones (a little more than it says). */
function isPooled(view: ArrayBufferView): boolean {
  const type = (globalThis as { Buffer?: typeof Buffer }).Buffer;
  if (type?.isBuffer(view) !== true || view.byteLength >= type.poolSize / 2) return false;
  const beyond = view.buffer.byteLength - type.poolSize;
  return beyond >= 0 && beyond <= 64;
}

function sizeOf(Type: MapConstructor | SetConstructor, value: object): number {
  return getOwnPropertyDescriptor(Type.prototype, "size")!.get!.call(value) as number;
}

function define(object: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, name, { value, enumerable, configurable: true, writable: true });
}

/** One byte a character, or two where one is beyond Latin-1. */
function textBytes(text: string): number {
  const { length } = text;
  return 16 + (length > 16 && BEYOND_LATIN1.test(text) ? length * 2 : length);
}

const BEYOND_LATIN1 = /[^\0-\xff]/;
