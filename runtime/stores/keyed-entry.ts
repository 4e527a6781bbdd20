/**
 * One entry as a store keeps it that only knows keys and values. Before the bytes that the core gives stands:
 *
 *     0  CRC-32 of the rest of this frame   4  until   12  stamp: digest of the generations that it belongs to
 *     28  how many tags   32  16 bytes of digest each
 */
import { digestText } from "../digest.ts";
import { fromBase64 } from "./base64.ts";
import { crc32, joined } from "./bytes.ts";
import { Damage } from "./codec.ts";

const FRAME = 32;
const DIGEST = 16;

export interface KeyedEntry {
  /** ms since 1970. */
  readonly until: number;
  /** 32 hexadecimal digits, as {@link hexDigest} gives them; so are the tags. */
  readonly stamp: string;
  readonly tags: readonly string[];
  readonly bytes: Uint8Array;
}

export function writeKeyed({ until, stamp, tags }: Omit<KeyedEntry, "bytes">, pieces: readonly Uint8Array[]) {
  const frame = new Uint8Array(FRAME + DIGEST * tags.length);
  const view = new DataView(frame.buffer);
  view.setFloat64(4, until, true);
  setHex(frame, 12, stamp);
  view.setUint32(28, tags.length, true);
  for (const [at, tag] of tags.entries()) setHex(frame, FRAME + DIGEST * at, tag);
  view.setUint32(0, crc32(frame.subarray(4), 0), true);
  return joined([frame, ...pieces]);
}

/**
 * @returns views of `bytes`
 * @throws Damage
 */
export function readKeyed(bytes: Uint8Array): KeyedEntry {
  if (bytes.length < FRAME) throw new Damage("its frame is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const many = view.getUint32(28, true);
  const length = FRAME + DIGEST * many;
  if (length > bytes.length) throw new Damage("its frame is cut off");
  if (crc32(bytes.subarray(4, length), 0) !== view.getUint32(0, true))
    throw new Damage("the checksum of its frame differs");
  const tags = Array.from({ length: many }, (_, at) => hexAt(bytes, FRAME + DIGEST * at));
  return { until: view.getFloat64(4, true), stamp: hexAt(bytes, 12), tags, bytes: bytes.subarray(length) };
}

/** 32 hexadecimal digits: some backends allow no more than letters and digits, and take `a` for `A`. */
export function hexDigest(parts: readonly string[]): string {
  // JSON frames the parts, and writes lone surrogates as escapes.
  const text = digestText(JSON.stringify(parts)).slice(1);
  return hexAt(fromBase64(text.replaceAll("-", "+").replaceAll("_", "/")) as Uint8Array, 0);
}

function hexAt(bytes: Uint8Array, from: number): string {
  let text = "";
  for (let at = from; at < from + DIGEST; at++) text += (bytes[at] as number).toString(16).padStart(2, "0");
  return text;
}

function setHex(bytes: Uint8Array, at: number, hex: string): void {
  for (let i = 0; i < DIGEST; i++) bytes[at + i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
}
