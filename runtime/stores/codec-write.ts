/** A value → bytes. The tags stand in codec.ts. */
import { integrityOf } from "../integrity.ts";
import { builtInName, hasOnlyElements, isPlain, isPlainArray, namesBesides } from "../kinds.ts";
import { findType } from "../types.ts";
import { BUFFER, HEAD, MANY_NUMBERS, TAG, Unstorable, VIEWS } from "./codec.ts";

const { getPrototypeOf, getOwnPropertyNames, getOwnPropertySymbols, hasOwn, keys: namesOf } = Object;

/**
 * @returns pieces to be written one after the other: the structure first, then what buffers hold. That is not moved: the
 *   pieces are views of the value, which must not change until they are written.
 * @throws Unstorable
 */
export function writeValue(value: unknown): Uint8Array[] {
  const writer = new Writer();
  writer.value(value);
  return writer.end();
}

/** A buffer, and which parts of it are looked at. */
interface Viewed {
  readonly buffer: ArrayBufferLike;
  readonly parts: [from: number, to: number][];
}

class Writer {
  private bytes = new Uint8Array(512);
  private view = new DataView(this.bytes.buffer);
  private at = HEAD;
  /** True if something has come again. */
  private refers = false;
  private readonly seen = new Map<object, number>();
  private readonly shapes = new Map<string, number>();
  /** The shape that was written last: rows come one after the other. */
  private names: readonly string[] = [];
  private shape = -1;
  private readonly buffers = new Map<ArrayBufferLike, Viewed & { readonly number: number }>();

  value(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.text(value);
        break;
      case "number":
        this.number(value);
        break;
      case "boolean":
        this.byte(value ? TAG.true : TAG.false);
        break;
      case "undefined":
        this.byte(TAG.undefined);
        break;
      case "bigint":
        this.byte(TAG.bigint);
        this.text(value < 0n ? `-${(-value).toString(16)}` : value.toString(16));
        break;
      case "object":
        if (value === null) this.byte(TAG.null);
        else this.object(value);
        break;
      case "symbol": {
        const name = Symbol.keyFor(value);
        if (name === undefined) throw new Unstorable("a symbol");
        this.byte(TAG.symbol);
        this.text(name);
        break;
      }
      default:
        throw new Unstorable(`a ${typeof value}`);
    }
  }

  /** Structure, then where each buffer begins and how long it is, then what is in them. */
  end(): Uint8Array[] {
    const structure = this.at;
    const blobs: Uint8Array[] = [];
    for (const viewed of this.buffers.values()) {
      const { from, blob } = content(viewed);
      this.count(from);
      this.count(blob.length);
      this.memory(viewed.buffer);
      if (blob.length > 0) blobs.push(blob);
    }
    this.view.setUint32(0, structure, true);
    this.view.setUint32(4, this.at, true);
    this.bytes[8] = this.refers ? 1 : 0;
    return [this.bytes.subarray(0, this.at), ...blobs];
  }

  private object(value: object): void {
    const number = this.seen.get(value);
    if (number !== undefined) {
      this.refers = true;
      this.byte(TAG.seen);
      this.count(number);
      return;
    }
    this.seen.set(value, this.seen.size);
    const prototype = getPrototypeOf(value) as object | null;
    if (!Object.isExtensible(value) && !isOfUser(prototype)) {
      this.byte(TAG.closed);
      this.byte(integrityOf(value));
    }
    if (Array.isArray(value) && isPlainArray(prototype)) this.array(value);
    else if (Array.isArray(value) || !isPlain(prototype)) this.instance(value, prototype as object);
    else this.ownObject(value, prototype);
  }

  private ownObject(value: object, prototype: object | null): void {
    const names = namesOf(value);
    const all = getOwnPropertyNames(value);
    const hidden = all.length === names.length ? [] : all.filter((name) => !names.includes(name));
    if (hidden.length > 0) this.byte(TAG.hidden);
    if (prototype !== null) {
      this.plain(value, names);
    } else {
      this.byte(TAG.bareObject);
      this.properties(value, names);
    }
    if (hidden.length > 0) this.properties(value, hidden);
  }

  private array(value: readonly unknown[]): void {
    const { length } = value;
    if (!hasOnlyElements(value) || hasHoles(value)) {
      this.sparse(value);
    } else if (length >= MANY_NUMBERS && hasOnlyNumbers(value)) {
      this.byte(TAG.numbers);
      this.count(length);
      this.room(8 * length);
      for (let i = 0; i < length; i++, this.at += 8) this.view.setFloat64(this.at, value[i] as number, true);
    } else {
      this.byte(TAG.array);
      this.count(length);
      for (let i = 0; i < length; i++) this.value(value[i]);
    }
  }

  private sparse(value: readonly unknown[]): void {
    this.byte(TAG.sparse);
    this.count(value.length);
    this.properties(value, namesOf(value));
  }

  private plain(value: object, names: readonly string[]): void {
    if (getOwnPropertySymbols(value).length > 0) throw new Unstorable("a property whose name is a symbol");
    if (this.shape >= 0 && isSame(names, this.names)) {
      this.byte(TAG.object);
      this.count(this.shape);
    } else {
      const shape = names.map((name) => `${name.length}:${name}`).join("");
      const known = this.shapes.get(shape);
      this.names = names;
      this.shape = known ?? this.shapes.size;
      if (known !== undefined) {
        this.byte(TAG.object);
        this.count(known);
      } else {
        this.shapes.set(shape, this.shape);
        this.byte(TAG.shape);
        this.room(4);
        const start = this.at;
        this.at += 4;
        this.count(names.length);
        for (const name of names) this.text(name);
        this.view.setUint32(start, this.at - start - 4, true);
      }
    }
    for (let i = 0; i < names.length; i++) this.value((value as Record<string, unknown>)[names[i] as string]);
  }

  /** Names and values, one after the other. */
  private properties(value: object, names: readonly string[]): void {
    if (getOwnPropertySymbols(value).length > 0) throw new Unstorable("a property whose name is a symbol");
    this.count(names.length);
    for (const name of names) {
      this.text(name);
      this.value((value as Record<string, unknown>)[name]);
    }
  }

  private instance(value: object, prototype: object): void {
    const registered = findType(prototype);
    const name = builtInName(prototype);
    if (name !== undefined && registered?.prototype !== prototype) {
      this.builtIn(name, value);
      return;
    }
    if (registered?.encode === undefined) {
      const type: unknown = prototype.constructor;
      throw new Unstorable(`an instance of ${typeof type === "function" && type.name ? type.name : "a class"}`);
    }
    this.byte(TAG.registered);
    this.text(registered.name);
    this.value(registered.encode(value));
  }

  private builtIn(name: string, value: any): void {
    switch (name) {
      case "Date":
        this.byte(TAG.date);
        this.double(Date.prototype.getTime.call(value));
        break;
      case "RegExp":
        this.byte(TAG.regexp);
        this.text(value.source);
        this.text(value.flags);
        this.value(value.lastIndex);
        break;
      case "Map":
        this.byte(TAG.map);
        this.count(value.size);
        Map.prototype.forEach.call(value, (child, key) => {
          this.value(key);
          this.value(child);
        });
        break;
      case "Set":
        this.byte(TAG.set);
        this.count(value.size);
        Set.prototype.forEach.call(value, (member) => this.value(member));
        break;
      case "URL":
        this.byte(TAG.url);
        this.text(value.href);
        return;
      case "URLSearchParams":
        this.byte(TAG.searchParams);
        this.text(String(value));
        return;
      case "DOMException":
        this.byte(TAG.domException);
        this.text(value.name);
        this.text(value.message);
        return;
      case "ArrayBuffer":
      case "SharedArrayBuffer":
        this.byte(TAG.buffer);
        this.count(this.viewed(value, 0, value.byteLength));
        break;
      default:
        if ((VIEWS as readonly string[]).includes(name)) this.viewOf(name, value);
        else if (name.startsWith("Temporal.")) {
          this.byte(TAG.temporal);
          this.text(name.slice("Temporal.".length));
          this.text(String(value));
          return;
        } else if (name.endsWith("Error")) this.error(name, value);
        else if (["Number", "String", "Boolean", "BigInt"].includes(name)) {
          this.byte(TAG.boxed);
          this.value(value.valueOf());
        } else throw new Unstorable(`an instance of ${name}`);
    }
    const indexed = (ArrayBuffer.isView(value) && "length" in value) || name === "String";
    this.properties(value, indexed ? namesBesides(value) : namesOf(value));
  }

  /** Message, stack and cause are not enumerable. */
  private error(name: string, error: Error): void {
    const names = getOwnPropertyNames(error).filter((each) => !Object.prototype.propertyIsEnumerable.call(error, each));
    this.byte(TAG.error);
    this.text(name);
    this.properties(error, names);
  }

  private viewOf(name: string, value: ArrayBufferView): void {
    const { buffer, byteOffset, byteLength } = value;
    this.byte(TAG.view);
    this.count((VIEWS as readonly string[]).indexOf(name));
    this.count(this.viewed(buffer, byteOffset, byteOffset + byteLength));
    this.count(byteOffset);
    this.count("length" in value ? (value.length as number) : byteLength);
  }

  /** @returns the number of the buffer */
  private viewed(buffer: ArrayBufferLike, from: number, to: number): number {
    let viewed = this.buffers.get(buffer);
    if (viewed === undefined) {
      viewed = { buffer, parts: [], number: this.buffers.size };
      this.buffers.set(buffer, viewed);
    }
    viewed.parts.push(memoryOf(buffer).kind === BUFFER.plain ? [from, to] : [0, buffer.byteLength]);
    return viewed.number;
  }

  private memory(buffer: ArrayBufferLike): void {
    const { kind, limit } = memoryOf(buffer);
    this.count(kind);
    if (kind >= BUFFER.resizable) this.count(limit);
  }

  private number(value: number): void {
    // -0 is no integer here.
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.byte(TAG.integer);
      this.count(value < 0 ? -2 * value - 1 : 2 * value);
    } else {
      this.byte(TAG.double);
      this.double(value);
    }
  }

  private text(text: string): void {
    const { length } = text;
    this.room(2 * length + 12);
    let at = this.at;
    const { bytes } = this;
    bytes[at++] = TAG.latin1;
    at = putCount(bytes, at, length);
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 255) {
        this.wide(text);
        return;
      }
      bytes[at++] = unit;
    }
    this.at = at;
  }

  private wide(text: string): void {
    const { bytes, view } = this;
    bytes[this.at++] = TAG.utf16;
    this.at = putCount(bytes, this.at, text.length);
    for (let i = 0; i < text.length; i++, this.at += 2) view.setUint16(this.at, text.charCodeAt(i), true);
  }

  private double(value: number): void {
    this.room(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  private byte(byte: number): void {
    this.room(1);
    this.bytes[this.at++] = byte;
  }

  private count(count: number): void {
    this.room(8);
    this.at = putCount(this.bytes, this.at, count);
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.at + bytes));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Of a registered class: what it is made into again is for its `decode` to say. */
const isOfUser = (prototype: object | null): boolean => prototype !== null && findType(prototype) !== undefined;

/**
 * Of a buffer, what lies between the first view and the last. What no view shows is zero: in Node's pool of small
 * Buffers, anyone's data lies beside.
 */
function content({ buffer, parts }: Viewed): { from: number; blob: Uint8Array } {
  const [first, ...rest] = parts.toSorted((a, b) => a[0] - b[0]) as [[number, number], ...[number, number][]];
  // Views begin at a multiple of what they hold, in the part as in the whole.
  const from = first[0] - (first[0] % 8);
  let covered = first[1];
  let gaps = first[0] !== from;
  for (const [start, to] of rest) {
    gaps ||= start > covered;
    covered = Math.max(covered, to);
  }
  if (!gaps) return { from, blob: new Uint8Array(buffer, from, covered - from) };
  const blob = new Uint8Array(covered - from);
  for (const [start, to] of parts) blob.set(new Uint8Array(buffer, start, to - start), start - from);
  return { from, blob };
}

function hasHoles(value: readonly unknown[]): boolean {
  for (let i = 0; i < value.length; i++) if (value[i] === undefined && !hasOwn(value, i)) return true;
  return false;
}

function hasOnlyNumbers(value: readonly unknown[]): value is number[] {
  for (let i = 0; i < value.length; i++) if (typeof value[i] !== "number") return false;
  return true;
}

/** A varint: seven bits a byte, the least first. */
function putCount(bytes: Uint8Array, at: number, count: number): number {
  let rest = count;
  while (rest > 127) {
    bytes[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}

function isSame(names: readonly string[], others: readonly string[]): boolean {
  if (names.length !== others.length) return false;
  for (let i = 0; i < names.length; i++) if (names[i] !== others[i]) return false;
  return true;
}

function memoryOf(buffer: ArrayBufferLike): { readonly kind: number; readonly limit: number } {
  const { resizable, growable, maxByteLength } = buffer as {
    readonly resizable?: boolean;
    readonly growable?: boolean;
    readonly maxByteLength?: number;
  };
  const limit = maxByteLength ?? buffer.byteLength;
  if (Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]")
    return { kind: growable ? BUFFER.growable : BUFFER.shared, limit };
  return { kind: resizable ? BUFFER.resizable : BUFFER.plain, limit };
}
