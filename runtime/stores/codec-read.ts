/** Bytes → the value. Holds nothing of the bytes, trusts none of them. */
import { close } from "../integrity.ts";
import { builtIn, GROUPS } from "../kinds.ts";
import { typeNamed } from "../types.ts";
import { BUFFER, Damage, HEAD, TAG, VIEWS } from "./codec.ts";

/** What is in the buffers of a value, where it doesn't follow in the same bytes. */
export interface Rest {
  readonly length: number;
  /** Fills `into` with what comes next. */
  fill(into: Uint8Array): void;
}

/**
 * @returns what {@link writeValue} was given: an equal value with nothing in common with it or with the bytes
 * @throws Damage if it is not exactly what was written, or names a registered type that is not here
 */
export function readValue(bytes: Uint8Array): unknown {
  return readTree(bytes, 0).value;
}

export interface Read {
  readonly value: unknown;
  readonly isTree: boolean;
  /** No registered type was asked: reading it again gives the same again. */
  readonly isPlain: boolean;
}

/**
 * The same, and whether it is a tree of usual objects: none met twice, none with hidden or additional properties, no
 * holes, no errors.
 *
 * @param from where the value begins
 * @param rest what is in the buffers, if the bytes end before them
 * @param verify called when everything has been read, and before anything is made of it
 */
export function readTree(bytes: Uint8Array, from: number, rest?: Rest, verify?: () => void): Read {
  try {
    const reader = new Reader(bytes, from);
    reader.readBuffers(rest);
    verify?.();
    const value = reader.all();
    return { value, isTree: reader.isTree, isPlain: !reader.hasTypes };
  } catch (error) {
    throw error instanceof Damage ? error : new Damage("it can't be read", { cause: error });
  }
}

/** One memory, looked at in three ways. */
interface Memory {
  readonly buffer: ArrayBufferLike;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where there are Node's Buffers. */
  readonly text: { latin1Slice(from: number, to: number): string } | undefined;
}

/** The last small one: Node's small Buffers come several from one memory, and each view is as dear as ten values. */
let last: Memory | undefined;
const SMALL = 64 * 1024;

function memoryOf(buffer: ArrayBufferLike): Memory {
  if (last?.buffer === buffer) return last;
  const { Buffer } = globalThis as { Buffer?: { from(buffer: ArrayBufferLike): unknown } };
  const text = Buffer?.from(buffer) as Memory["text"];
  const memory = { buffer, bytes: new Uint8Array(buffer), view: new DataView(buffer), text };
  if (buffer.byteLength <= SMALL) last = memory;
  return memory;
}

/**
 * The names of shapes that were read before, by their bytes. One object after the other gets properties of these names, so
 * they are the engine's own strings for them: with fresh ones, each read would look them up again.
 */
const familiar = new Map<string, readonly string[]>();
const MOST_FAMILIAR = 1000;

function internal(name: string): string {
  return Object.keys({ [name]: 0 })[0] as string;
}

/** Names of properties, and whether assigning to all of them does nothing but that. */
interface Shape {
  readonly names: readonly string[];
  readonly isUsual: boolean;
}

/** V8 copies a part of a string that is shorter; longer ones would hold on to the whole. */
const SHORT = 13;
/** Characters that are made from bytes at a time. */
const WINDOW = 8192;

class Reader {
  isTree = true;
  hasTypes = false;
  private readonly memory: Memory;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at: number;
  private end: number;
  /** Where the bytes end. */
  private readonly until: number;
  /** Where the table of buffers ends. */
  private readonly front: number;
  /** True if something comes again, so that objects need numbers. */
  private readonly refers: boolean;
  private readonly seen: unknown[] = [];
  private shapes: Shape[] | undefined = undefined;
  /** What is written next, as characters of one byte each: many short texts are parts of it. */
  private chars = "";
  private charsAt = 0;
  /** Buffers that something has referred to. */
  private shown: Set<number> | undefined = undefined;
  private buffers: readonly { readonly buffer: ArrayBuffer; readonly from: number }[] = NONE;

  constructor({ buffer, byteOffset, length }: Uint8Array, from: number) {
    const memory = memoryOf(buffer);
    this.memory = memory;
    this.bytes = memory.bytes;
    this.view = memory.view;
    const start = byteOffset + from;
    this.until = byteOffset + length;
    if (start + HEAD > this.until) throw new Damage("the structure is cut off");
    this.at = start + HEAD;
    this.end = start + this.view.getUint32(start, true);
    this.front = start + this.view.getUint32(start + 4, true);
    this.refers = this.bytes[start + 8] !== 0;
    if (this.end < this.at || this.front < this.end || this.front > this.until)
      throw new Damage("the structure is cut off");
  }

  all(): unknown {
    const value = this.value();
    if (this.at !== this.end) throw new Damage("there is more than one value");
    return value;
  }

  /** @param rest what is in them; without, it follows in the bytes */
  readBuffers(rest: Rest | undefined): void {
    const { at, end, front } = this;
    let left = rest?.length ?? this.until - front;
    if (front === end && left === 0) return;
    this.at = end;
    this.end = front;
    const parts: { from: number; length: number; kind: number; limit: number }[] = [];
    while (this.at < front) {
      const [from, length, kind] = [this.count(), this.count(), this.count()];
      parts.push({ from, length, kind, limit: kind >= BUFFER.resizable ? this.count() : length });
      left -= length;
    }
    if (left !== 0) throw new Damage("its buffers are not what it has");
    this.at = at;
    this.end = end;
    let next = front;
    this.buffers = parts.map(({ from, length, kind, limit }) => {
      // Not `subarray`, and not the `slice` of a Buffer: nothing of the stored bytes may be shared.
      const buffer = makeBuffer(kind, length, limit);
      const into = new Uint8Array(buffer);
      if (rest === undefined) into.set(this.bytes.subarray(next, next + length));
      else rest.fill(into);
      next += length;
      return { buffer, from };
    });
  }

  private value(): unknown {
    const tag = this.byte();
    switch (tag) {
      case TAG.undefined:
        return undefined;
      case TAG.null:
        return null;
      case TAG.true:
        return true;
      case TAG.false:
        return false;
      case TAG.integer: {
        const zigzag = this.count();
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      case TAG.double:
        return this.double();
      case TAG.bigint: {
        const text = this.text();
        return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
      }
      case TAG.latin1:
      case TAG.utf16:
        this.at--;
        return this.text();
      case TAG.seen: {
        this.isTree = false;
        const number = this.count();
        if (number >= this.seen.length || this.seen[number] === UNMADE) throw new Damage("a reference to nothing");
        return this.seen[number];
      }
      case TAG.symbol:
        return Symbol.for(this.text());
      default:
        return this.object(tag);
    }
  }

  private object(tag: number): unknown {
    switch (tag) {
      case TAG.array: {
        const array: unknown[] = this.made([]);
        for (let left = this.many(1); left > 0; left--) array.push(this.value());
        return array;
      }
      case TAG.numbers: {
        const array: number[] = this.made([]);
        for (let left = this.many(8); left > 0; left--) array.push(this.double());
        return array;
      }
      case TAG.sparse: {
        this.isTree = false;
        const array: unknown[] = this.made([]);
        const length = this.count();
        if (length > 2 ** 32 - 1) throw new Damage("no length of an array");
        array.length = length;
        return this.properties(array);
      }
      case TAG.shape: {
        const names = this.names();
        const shape = { names, isUsual: !names.some((name) => name in Object.prototype) };
        this.shapes ??= [];
        this.shapes.push(shape);
        return this.shaped(shape);
      }
      case TAG.object: {
        const shape = this.shapes?.[this.count()];
        if (shape === undefined) throw new Damage("no such shape");
        return this.shaped(shape);
      }
      case TAG.bareObject:
        this.isTree = false;
        return this.properties(this.made(Object.create(null) as object));
      case TAG.registered:
        return this.registered();
      case TAG.hidden: {
        const object = this.value();
        if (typeof object !== "object" || object === null) throw new Damage("nothing that could have properties");
        return this.hidden(object);
      }
      case TAG.closed: {
        this.isTree = false;
        const integrity = this.byte();
        const object = this.value();
        if (typeof object !== "object" || object === null || integrity > 3) throw new Damage("nothing to be closed");
        close(object, integrity);
        return object;
      }
      default:
        return this.builtIn(tag);
    }
  }

  private names(): readonly string[] {
    const length = this.view.getUint32(this.at, true);
    this.skip(4);
    const start = this.at;
    this.skip(length);
    const known = length < WINDOW ? familiar.get(this.latin1(start, length)) : undefined;
    if (known !== undefined) return known;
    this.at = start;
    const names: string[] = [];
    for (let left = this.many(2); left > 0; left--) names.push(internal(this.text()));
    if (this.at !== start + length) throw new Damage("its names are not as long as they are");
    if (length < WINDOW) {
      if (familiar.size >= MOST_FAMILIAR) familiar.clear();
      familiar.set(this.latin1(start, length), names);
    }
    return names;
  }

  private shaped({ names, isUsual }: Shape): object {
    const object: Record<string, unknown> = this.made({});
    if (isUsual) for (const name of names) object[name] = this.value();
    else for (const name of names) set(object, name, this.value());
    return object;
  }

  private properties<T extends object>(object: T): T {
    this.isTree &&= this.bytes[this.at] === 0;
    for (let left = this.many(3); left > 0; left--) set(object, this.text(), this.value());
    return object;
  }

  private registered(): unknown {
    const number = this.seen.push(UNMADE) - 1;
    const name = this.text();
    const type = typeNamed(name);
    this.hasTypes = true;
    if (type?.decode === undefined) throw new Damage(`the type ${name} is not registered here`);
    const value = type.decode(this.value());
    this.seen[number] = value;
    return value;
  }

  private builtIn(tag: number): unknown {
    switch (tag) {
      case TAG.date:
        return this.properties(this.made(new Date(this.double())));
      case TAG.regexp: {
        const number = this.seen.push(UNMADE) - 1;
        const regexp = new RegExp(this.text(), this.text());
        this.seen[number] = regexp;
        regexp.lastIndex = this.value() as number;
        return this.properties(regexp);
      }
      case TAG.map: {
        const map = this.made(new Map<unknown, unknown>());
        for (let left = this.many(2); left > 0; left--) map.set(this.value(), this.value());
        return this.properties(map);
      }
      case TAG.set: {
        const set = this.made(new Set<unknown>());
        for (let left = this.many(1); left > 0; left--) set.add(this.value());
        return this.properties(set);
      }
      case TAG.error:
        return this.error();
      case TAG.url:
        return this.made(new URL(this.text()));
      case TAG.searchParams:
        return this.made(new URLSearchParams(this.text()));
      case TAG.domException: {
        const name = this.text();
        return this.made(new DOMException(this.text(), name));
      }
      case TAG.temporal: {
        const type = builtIn(`Temporal.${this.text()}`) as { from?(text: string): object } | undefined;
        if (type?.from === undefined) throw new Damage("a Temporal type that is not here");
        return this.made(type.from(this.text()));
      }
      case TAG.buffer: {
        const number = this.seen.push(UNMADE) - 1;
        const { buffer } = this.buffer();
        this.seen[number] = buffer;
        return this.properties(buffer);
      }
      case TAG.view:
        return this.properties(this.made(this.readView()));
      case TAG.boxed: {
        const number = this.seen.push(UNMADE) - 1;
        const value = this.value();
        if (!["number", "string", "boolean", "bigint"].includes(typeof value)) throw new Damage("no boxed primitive");
        const boxed = Object(value) as object;
        this.seen[number] = boxed;
        return this.properties(boxed);
      }
      default:
        throw new Damage(`no tag: ${tag}`);
    }
  }

  private error(): Error {
    const name = this.text();
    if (!(GROUPS.error as readonly string[]).includes(name)) throw new Damage("no class of errors");
    const prototype = (builtIn(name) ?? Error).prototype as Error;
    const error = this.made(
      name === "AggregateError" ? new AggregateError([]) : new (prototype.constructor as ErrorConstructor)(),
    );
    // It was born with a stack of its own making.
    for (const part of Object.getOwnPropertyNames(error)) delete error[part as keyof Error];
    return this.properties(this.hidden(error));
  }

  private hidden<T extends object>(object: T): T {
    this.isTree = false;
    for (let left = this.many(3); left > 0; left--) {
      const name = this.text();
      const value = this.value();
      Object.defineProperty(object, name, { value, enumerable: false, configurable: true, writable: true });
    }
    return object;
  }

  private buffer() {
    const number = this.count();
    const found = this.buffers[number];
    if (found === undefined) throw new Damage("no such buffer");
    this.shown ??= new Set();
    if (this.shown.has(number)) this.isTree = false;
    this.shown.add(number);
    return found;
  }

  private readView(): object {
    const name = VIEWS[this.count()];
    const { buffer, from } = this.buffer();
    const offset = this.count() - from;
    const length = this.count();
    if (name === "Buffer") {
      const { Buffer } = globalThis as { Buffer?: typeof globalThis.Buffer };
      if (Buffer === undefined) throw new Damage("no Buffer here");
      return Buffer.from(buffer, offset, length);
    }
    const type = name === undefined ? undefined : builtIn(name);
    if (type === undefined) throw new Damage("no such kind of view");
    return new (type as unknown as new (buffer: ArrayBuffer, at: number, length: number) => object)(
      buffer,
      offset,
      length,
    );
  }

  /** Gives an object its number: whatever refers to it comes later. */
  private made<T>(object: T): T {
    if (this.refers) this.seen.push(object);
    return object;
  }

  private text(): string {
    const tag = this.byte();
    const length = this.count();
    const { at } = this;
    if (tag === TAG.latin1) {
      this.skip(length);
      return this.latin1(at, length);
    }
    if (tag !== TAG.utf16) throw new Damage("text expected");
    this.skip(2 * length);
    return this.units(length, (i) => this.view.getUint16(at + 2 * i, true));
  }

  private latin1(at: number, length: number): string {
    const { text } = this.memory;
    if (text === undefined) return this.units(length, (i) => this.bytes[at + i] as number);
    if (length >= SHORT) return text.latin1Slice(at, at + length);
    let start = at - this.charsAt;
    if (start + length > this.chars.length) {
      this.chars = text.latin1Slice(at, Math.min(at + WINDOW, this.end));
      this.charsAt = at;
      start = 0;
    }
    return this.chars.substring(start, start + length);
  }

  private units(length: number, unit: (i: number) => number): string {
    let text = "";
    for (let from = 0; from < length; from += 4096) {
      const part = Array.from({ length: Math.min(4096, length - from) }, (_, i) => unit(from + i));
      text += String.fromCharCode(...part);
    }
    return text;
  }

  private double(): number {
    const { at } = this;
    this.skip(8);
    return this.view.getFloat64(at, true);
  }

  private byte(): number {
    if (this.at >= this.end) throw new Damage("cut off");
    return this.bytes[this.at++] as number;
  }

  private count(): number {
    let count = this.byte();
    if (count < 128) return count;
    count &= 127;
    for (let scale = 128; ; scale *= 128) {
      const byte = this.byte();
      count += (byte & 127) * scale;
      if (byte < 128) break;
    }
    if (!Number.isSafeInteger(count)) throw new Damage("a number too large");
    return count;
  }

  /** A count of things that take at least so many bytes each: what is damaged must not ask for endless memory. */
  private many(least: number): number {
    const many = this.count();
    if (many * least > this.end - this.at) throw new Damage("more than there is");
    return many;
  }

  private skip(bytes: number): void {
    if (bytes > this.end - this.at) throw new Damage("cut off");
    this.at += bytes;
  }
}

const NONE: readonly never[] = [];

/** Holds the place of what is made from its parts, and can't be referred to from inside of them. */
const UNMADE: unique symbol = Symbol("unmade");

/** Never by assignment where that would do something else: `__proto__` is a name like all others. */
function set(object: object, name: string, value: unknown): void {
  if (!(name in object)) (object as Record<string, unknown>)[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Memory that grows may ask for more address space than there are bytes; nothing that is damaged should. */
const MOST_ROOM = 2 ** 32;

function makeBuffer(kind: number, length: number, limit: number): ArrayBuffer {
  if (limit < length || limit > MOST_ROOM) throw new Damage("no limit of a buffer");
  const options = kind >= BUFFER.resizable ? { maxByteLength: limit } : undefined;
  if (kind > BUFFER.growable) throw new Damage("no kind of buffer");
  const Type = kind === BUFFER.plain || kind === BUFFER.resizable ? ArrayBuffer : SharedArrayBuffer;
  return new (Type as unknown as new (length: number, options?: object) => ArrayBuffer)(length, options);
}
