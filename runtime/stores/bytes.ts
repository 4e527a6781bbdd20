/**
 * An entry as bytes, the same for every store. All numbers are little-endian, those without a size are 64-bit floats.
 *
 *     0  "KEPT"     4  CRC-32 of all from here on
 *     8  version of this format (8 bits)   9  codec of the payload (8)   10  byte order of typed arrays (8)
 *    11  1 if effects were recorded, else 0 (8)
 *    12  where the payload begins (32)     16  length of all             24  length of all but large arrays
 *    32  began     40  cost     48  expires     56  until                64  number of tags (32)
 *    68  site id, code hash, full key, tags: each its length in UTF-16 units, doubled, and 1 more if each takes two bytes
 *        (32), then the text
 *     …  payload
 *
 * Whatever isn't exactly that is {@link Damage}: cut off, continued, flipped, another entry's, another version's.
 * The checksum is against accident. Every error in up to 32 adjacent bits is found, others but for one in 2^32. It is the
 * one that the host computes at 3 GB/s and more (`zlib.crc32`); SHA-256 would take as long as reading the file.
 */
import { builtin } from "../platform.ts";
import { CODEC, Damage } from "./codec.ts";
import { type Read, type Rest, readTree } from "./codec-read.ts";
import { writeValue } from "./codec-write.ts";
import type { EntryName, Source } from "./store.ts";

export const FORMAT = 2;
/** "KEPT" */
const MAGIC = 0x5450454b;
/** Bytes before the texts. */
const FIXED = 68;
/** Where that begins which the checksum is of. */
const SUMMED = 8;
const ORDER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 2;

/** What is known of an entry without its value. Times are ms since 1970. */
export interface Header extends EntryName {
  /** When the run began that gave the value. */
  readonly began: number;
  /** Fresh until then; `Infinity` without an end. */
  readonly expires: number;
  /** Not served, not even stale, from then on. */
  readonly until: number;
  /** ms that the run took. */
  readonly cost: number;
  readonly tags: readonly string[];
}
export interface StoredEffect {
  readonly element: string;
  readonly args: unknown;
}
export interface Stored extends Header {
  readonly value: unknown;
  readonly replay: readonly StoredEffect[] | undefined;
}
/** What was read. */
export interface Found extends Stored, Pick<Read, "isTree" | "isPlain"> {}

/**
 * @returns pieces to be written one after the other; those of large arrays are views of the value
 * @throws Unstorable
 */
export function writeEntry(entry: Stored): Uint8Array[] {
  const { site, code, key, began, expires, until, cost, tags, value, replay } = entry;
  const pieces = writeValue(replay === undefined ? value : [value, replay]);
  const texts = [site, code, key, ...tags];
  const payload = FIXED + texts.reduce((sum, text) => sum + 4 + (isWide(text) ? 2 : 1) * text.length, 0);
  const first = new Uint8Array(payload);
  const view = new DataView(first.buffer);
  view.setUint32(0, MAGIC, true);
  first.set([FORMAT, CODEC, ORDER, replay === undefined ? 0 : 1], 8);
  view.setUint32(12, payload, true);
  const sizes = [payload + sizeOf(pieces), payload + (pieces[0] as Uint8Array).length];
  for (const [at, number] of [...sizes, began, cost, expires, until].entries())
    view.setFloat64(16 + 8 * at, number, true);
  view.setUint32(64, tags.length, true);
  let at = FIXED;
  for (const text of texts) at = writeText(view, at, text);
  let sum = crc32(first.subarray(SUMMED), 0);
  for (const piece of pieces) sum = crc32(piece, sum);
  view.setUint32(4, sum, true);
  return [first, ...pieces];
}

/**
 * @param name the entry that is asked for
 * @throws Damage if the bytes are not that entry, to the last bit
 */
export function readEntry(bytes: Uint8Array, name: EntryName): Found {
  const head = headOf(bytes);
  assertWhole(bytes, head);
  return found(headerOf(bytes, head, name), head, readTree(bytes, head.payload));
}

/**
 * The same, from a store that gives the bytes one after the other: what large arrays hold is read where it stays. The
 * source is not closed.
 *
 * @throws Damage
 */
export function readEntryFrom(source: Source, name: EntryName): Found {
  const start = new Uint8Array(FIXED);
  if (source.length < FIXED) throw new Damage("it is cut off");
  source.read(start);
  const { front, length } = headOf(start);
  if (source.length !== length || front < FIXED || front > length)
    throw new Damage("its length is not what was written");
  const bytes = new Uint8Array(front);
  bytes.set(start);
  source.read(bytes.subarray(FIXED));
  const head = headOf(bytes);
  let sum = crc32(bytes.subarray(SUMMED), 0);
  const header = headerOf(bytes, head, name);
  const rest: Rest = {
    length: length - front,
    fill(into) {
      // A part at a time, so that the sum is made of what the processor has at hand.
      for (let at = 0; at < into.length; at += PART) {
        const part = into.subarray(at, at + PART);
        source.read(part);
        sum = crc32(part, sum);
      }
    },
  };
  const verify = () => {
    if (sum !== head.sum) throw new Damage("its checksum differs");
  };
  return found(header, head, readTree(bytes, head.payload, rest, verify));
}

/** Bytes that are read and summed at a time: measured from 64 KB to 4 MB. */
const PART = 256 * 1024;

function found(header: Header, { replayed }: Head, { value: payload, isTree, isPlain }: Read): Found {
  const { site, code, key, began, cost, expires, until, tags } = header;
  let [value, replay]: [unknown, Found["replay"]] = [payload, undefined];
  if (replayed) {
    if (!Array.isArray(payload) || payload.length !== 2 || !isReplay(payload[1]))
      throw new Damage("its effects are none");
    [value, replay] = payload as [unknown, StoredEffect[]];
  }
  // Not `...header`: that would take a third of the time of a small entry.
  return { site, code, key, began, cost, expires, until, tags, value, replay, isTree, isPlain };
}

/**
 * What the beginning of an entry says of it, unchecked by the checksum: to decide what may be thrown away.
 *
 * @throws Damage
 */
export function readHeader(bytes: Uint8Array): Header {
  return headerOf(bytes, headOf(bytes), undefined);
}

/**
 * The same, of bytes that are whole and undamaged.
 *
 * @throws Damage
 */
export function checkEntry(bytes: Uint8Array): Header {
  const head = headOf(bytes);
  assertWhole(bytes, head);
  return headerOf(bytes, head, undefined);
}

function assertWhole(bytes: Uint8Array, { length, sum }: Head): void {
  if (bytes.length !== length) throw new Damage("its length is not what was written");
  if (crc32(bytes.subarray(SUMMED), 0) !== sum) throw new Damage("its checksum differs");
}

/** One array of bytes; a copy if there is more than one piece. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const all = new Uint8Array(sizeOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** All that a source gives; it is closed then. */
export function drained(source: Source): Uint8Array {
  try {
    const all = new Uint8Array(source.length);
    source.read(all);
    return all;
  } finally {
    source.close();
  }
}

export function sourceOf(bytes: Uint8Array): Source {
  let at = 0;
  return {
    length: bytes.length,
    read(into) {
      if (into.length > bytes.length - at) throw new Damage("it is cut off");
      into.set(bytes.subarray(at, at + into.length));
      at += into.length;
    },
    close() {},
  };
}

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

interface Head {
  readonly sum: number;
  /** Where the payload begins. */
  readonly payload: number;
  readonly length: number;
  /** How much of it comes before what large arrays hold. */
  readonly front: number;
  readonly replayed: boolean;
  readonly view: DataView;
}

function headOf(bytes: Uint8Array): Head {
  if (bytes.length < FIXED) throw new Damage("it is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new Damage("it is no entry");
  if (bytes[8] !== FORMAT || bytes[9] !== CODEC || bytes[10] !== ORDER) throw new Damage("it is of another version");
  return {
    sum: view.getUint32(4, true),
    payload: view.getUint32(12, true),
    length: view.getFloat64(16, true),
    front: view.getFloat64(24, true),
    replayed: bytes[11] === 1,
    view,
  };
}

/** @param name what it must be, if that is known */
function headerOf(bytes: Uint8Array, { payload, view }: Head, name: EntryName | undefined): Header {
  if (payload > bytes.length) throw new Damage("its header is cut off");
  const texts = new Texts(bytes, view, payload);
  const site = texts.next(name?.site, "site");
  const code = texts.next(name?.code, "code");
  const key = texts.next(name?.key, "key");
  const many = view.getUint32(64, true);
  const tags = many === 0 ? NO_TAGS : texts.list(many);
  if (texts.at !== payload) throw new Damage("its header is none");
  return {
    site,
    code,
    key,
    began: view.getFloat64(32, true),
    cost: view.getFloat64(40, true),
    expires: view.getFloat64(48, true),
    until: view.getFloat64(56, true),
    tags,
  };
}

const NO_TAGS: readonly string[] = [];

function writeText(view: DataView, start: number, text: string): number {
  const wide = isWide(text);
  view.setUint32(start, 2 * text.length + (wide ? 1 : 0), true);
  let at = start + 4;
  for (let i = 0; i < text.length; i++, at += wide ? 2 : 1) {
    if (wide) view.setUint16(at, text.charCodeAt(i), true);
    else view.setUint8(at, text.charCodeAt(i));
  }
  return at;
}

function isWide(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return true;
  return false;
}

/** Reads texts one after the other. */
class Texts {
  at = FIXED;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly end: number;

  constructor(bytes: Uint8Array, view: DataView, end: number) {
    this.bytes = bytes;
    this.view = view;
    this.end = end;
  }

  /** @param wanted compared where it stands, without making a string of it */
  next(wanted?: string, what?: string): string {
    if (this.at + 4 > this.end) throw new Damage("its header is cut off");
    const size = this.view.getUint32(this.at, true);
    const wide = size % 2 === 1;
    const length = (size - (wide ? 1 : 0)) / 2;
    const start = this.at + 4;
    this.at = start + (wide ? 2 : 1) * length;
    if (this.at > this.end) throw new Damage("its header is cut off");
    if (wanted !== undefined) {
      if (!this.isAt(start, wanted, length, wide)) throw new Damage(`its ${what} is another`);
      return wanted;
    }
    let text = "";
    for (let i = 0; i < length; i++) {
      text += String.fromCharCode(wide ? this.view.getUint16(start + 2 * i, true) : (this.bytes[start + i] as number));
    }
    return text;
  }

  private isAt(start: number, wanted: string, length: number, wide: boolean): boolean {
    if (length !== wanted.length) return false;
    const { bytes, view } = this;
    for (let i = 0; i < length; i++) {
      if ((wide ? view.getUint16(start + 2 * i, true) : bytes[start + i]) !== wanted.charCodeAt(i)) return false;
    }
    return true;
  }

  list(many: number): string[] {
    if (4 * many > this.end - this.at) throw new Damage("more tags than bytes");
    return Array.from({ length: many }, () => this.next());
  }
}

function isReplay(value: unknown): value is StoredEffect[] {
  return Array.isArray(value) && value.every((each) => typeof each?.element === "string" && Array.isArray(each.args));
}

let native: ((bytes: Uint8Array, sum: number) => number) | undefined | null = null;
let table: Uint32Array | undefined;

/** Goes on from `sum`; 0 at the beginning. */
export function crc32(bytes: Uint8Array, sum: number): number {
  if (native === null) {
    native = builtin<{ crc32?(bytes: Uint8Array, sum: number): number }>("node:zlib")?.crc32;
  }
  return native === undefined ? portableCrc32(bytes, sum) : native(bytes, sum);
}

/** Without native code: for few bytes, and for hosts that have none. */
export function portableCrc32(bytes: Uint8Array, sum: number, from = 0, to = bytes.length): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
    return rest;
  });
  let rest = ~sum;
  for (let at = from; at < to; at++) rest = (table[(rest ^ (bytes[at] as number)) & 255] as number) ^ (rest >>> 8);
  return ~rest >>> 0;
}
