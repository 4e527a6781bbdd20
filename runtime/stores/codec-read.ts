/** Bytes → the value. Holds nothing of the bytes, trusts none of them. */
import { builtIn, GROUPS } from "../kinds.ts";
import { typeNamed } from "../types.ts";
import { BUFFER, Damage, TAG, VIEWS } from "./codec.ts";

interface NodeBuffer {
  latin1Slice(from: number, to: number): string;
}

/**
 * @returns what {@link writeValue} was given: an equal value with nothing in common with it or with the bytes
 * @throws Damage if it is not exactly what was written, or names a registered type that is not here
 */
export function readValue(bytes: Uint8Array): unknown {
  return readTree(bytes).value;
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
 */
export function readTree(bytes: Uint8Array): Read {
  try {
    const reader = new Reader(bytes);
    const value = reader.all();
    return { value, isTree: reader.isTree, isPlain: !reader.hasTypes };
  } catch (error) {
    throw error instanceof Damage ? error : new Damage("it can't be read", { cause: error });
  }
}

/** Names of properties, and whether assigning to all of them does nothing but that. */
interface Shape {
  readonly names: readonly string[];
  readonly isUsual: boolean;
}

class Reader {
  isTree = true;
  hasTypes = false;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly latin1: NodeBuffer | undefined;
  private at = 8;
  private end: number;
  private readonly seen: unknown[] = [];
  private readonly shapes: Shape[] = [];
  /** Buffers that something has referred to. */
  private readonly shown = new Set<number>();
  private buffers: readonly { readonly buffer: ArrayBuffer; readonly from: number }[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
    const { Buffer } = globalThis as {
      Buffer?: { from(buffer: ArrayBufferLike, at: number, length: number): unknown };
    };
    this.latin1 = Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as NodeBuffer | undefined;
  }

  all(): unknown {
    const structure = 8 + this.view.getUint32(0, true);
    if (structure > this.bytes.length) throw new Damage("the structure is cut off");
    this.readBuffers(structure, this.view.getUint32(4, true));
    this.end = structure;
    const value = this.value();
    if (this.at !== this.end) throw new Damage("there is more than one value");
    return value;
  }

  private readBuffers(structure: number, many: number): void {
    this.at = structure;
    if (many > this.end - this.at) throw new Damage("more buffers than bytes");
    const parts = Array.from({ length: many }, () => {
      const [from, length, kind] = [this.count(), this.count(), this.count()];
      return { from, length, kind, limit: kind >= BUFFER.resizable ? this.count() : length };
    });
    this.buffers = parts.map(({ from, length, kind, limit }) => {
      if (length > this.end - this.at) throw new Damage("a buffer is cut off");
      // Not `subarray`, and not the `slice` of a Buffer: nothing of the stored bytes may be shared.
      const buffer = makeBuffer(kind, length, limit);
      new Uint8Array(buffer).set(this.bytes.subarray(this.at, this.at + length));
      this.at += length;
      return { buffer, from };
    });
    if (this.at !== this.end) throw new Damage("there are bytes left over");
    this.at = 8;
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
        const names: string[] = [];
        for (let left = this.many(2); left > 0; left--) names.push(this.text());
        const shape = { names, isUsual: !names.some((name) => name in Object.prototype) };
        this.shapes.push(shape);
        return this.shaped(shape);
      }
      case TAG.object: {
        const shape = this.shapes[this.count()];
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
      default:
        return this.builtIn(tag);
    }
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
    this.seen.push(object);
    return object;
  }

  private text(): string {
    const tag = this.byte();
    const length = this.count();
    const { at } = this;
    if (tag === TAG.latin1) {
      this.skip(length);
      return this.latin1?.latin1Slice(at, at + length) ?? this.units(length, (i) => this.bytes[at + i] as number);
    }
    if (tag !== TAG.utf16) throw new Damage("text expected");
    this.skip(2 * length);
    return this.units(length, (i) => this.view.getUint16(at + 2 * i, true));
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
    let count = 0;
    for (let scale = 1; ; scale *= 128) {
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
