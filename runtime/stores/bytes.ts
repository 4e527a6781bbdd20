/**
 * An entry as bytes, the same for every store. All numbers are little-endian.
 *
 *     0  "KEPT"            4  version of this format     5  codec of the payload     6  byte order of typed arrays
 *     8  header's length   12  CRC-32 of all but itself  16  length of all (64-bit float)
 *    24  header: JSON of site id, code hash, full key, began, expires, until, cost, tags, whether effects were recorded
 *     …  payload
 *
 * Whatever isn't exactly that is {@link Damage}: cut off, continued, flipped, another entry's, another version's.
 * The checksum is against accident. Every error in up to 32 adjacent bits is found, others but for one in 2^32. It is the
 * one that the host computes at 3 GB/s and more (`zlib.crc32`); SHA-256 would take as long as reading the file.
 */
import { builtin } from "../platform.ts";
import { CODEC, Damage } from "./codec.ts";
import { type Read, readTree } from "./codec-read.ts";
import { writeValue } from "./codec-write.ts";
import type { EntryName } from "./store.ts";

export const FORMAT = 1;
const MAGIC = [0x4b, 0x45, 0x50, 0x54];
const HEAD = 24;
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
  const payload = writeValue(replay === undefined ? value : [value, replay]);
  // JSON has no Infinity: it becomes null.
  const header = JSON.stringify([site, code, key, began, expires, until, cost, tags, replay !== undefined]);
  const text = new TextEncoder().encode(header);
  const first = new Uint8Array(HEAD + text.length);
  const view = new DataView(first.buffer);
  first.set([...MAGIC, FORMAT, CODEC, ORDER]);
  view.setUint32(8, text.length, true);
  first.set(text, HEAD);
  const pieces = [first, ...payload];
  view.setFloat64(16, sizeOf(pieces), true);
  let sum = crc32(first.subarray(0, 12), 0);
  sum = crc32(first.subarray(16), sum);
  for (const piece of payload) sum = crc32(piece, sum);
  view.setUint32(12, sum, true);
  return pieces;
}

/**
 * @param name the entry that is asked for
 * @throws Damage if the bytes are not that entry, to the last bit
 */
export function readEntry(bytes: Uint8Array, name: EntryName): Found {
  const { header, size, replayed } = head(bytes);
  if (bytes.length !== size.all) throw new Damage("its length is not what was written");
  if (crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12), 0)) !== size.sum) throw new Damage("its checksum differs");
  for (const part of ["site", "code", "key"] as const) {
    if (header[part] !== name[part]) throw new Damage(`its ${part} is another`);
  }
  const { value: payload, ...is } = readTree(bytes.subarray(size.header));
  if (!replayed) return { ...header, value: payload, replay: undefined, ...is };
  if (!Array.isArray(payload) || payload.length !== 2 || !isReplay(payload[1]))
    throw new Damage("its effects are none");
  return { ...header, value: payload[0], replay: payload[1], ...is };
}

/**
 * What the beginning of an entry says of it, unchecked by the checksum: to decide what may be thrown away.
 *
 * @throws Damage
 */
export function readHeader(bytes: Uint8Array): Header {
  return head(bytes).header;
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

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function head(bytes: Uint8Array) {
  if (bytes.length < HEAD) throw new Damage("it is cut off");
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) throw new Damage("it is no entry");
  if (bytes[4] !== FORMAT || bytes[5] !== CODEC || bytes[6] !== ORDER) throw new Damage("it is of another version");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = HEAD + view.getUint32(8, true);
  if (end > bytes.length) throw new Damage("its header is cut off");
  const { header, replayed } = parse(bytes.subarray(HEAD, end));
  return { header, replayed, size: { header: end, sum: view.getUint32(12, true), all: view.getFloat64(16, true) } };
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function parse(text: Uint8Array): { header: Header; replayed: boolean } {
  let parts: unknown;
  try {
    parts = JSON.parse(decoder.decode(text));
  } catch (error) {
    throw new Damage("its header can't be read", { cause: error });
  }
  if (!Array.isArray(parts) || parts.length !== 9) throw new Damage("its header is none");
  const [site, code, key, began, expires, until, cost, tags, replayed] = parts;
  const named = typeof site === "string" && typeof code === "string" && typeof key === "string";
  const timed = [began, cost].every((time) => typeof time === "number");
  const ends = [expires, until].every((time) => time === null || typeof time === "number");
  if (!named || !timed || !ends || !isTexts(tags) || typeof replayed !== "boolean")
    throw new Damage("its header is none");
  const { POSITIVE_INFINITY: never } = Number;
  return { header: { site, code, key, began, expires: expires ?? never, until: until ?? never, cost, tags }, replayed };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
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

/** Exported to be tested beside the host's own. */
export function portableCrc32(bytes: Uint8Array, sum: number): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
    return rest;
  });
  let rest = ~sum;
  for (const byte of bytes) rest = (table[(rest ^ byte) & 255] as number) ^ (rest >>> 8);
  return ~rest >>> 0;
}
