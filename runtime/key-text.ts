/** How the parts of a key are spelt: a tag, and the length where there is one, so that no part runs into the next. */
import { digestBytes } from "./digest.ts";

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const LOW = LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;

/** `5:rides` */
export function frame(text: string): string {
  return `${text.length}:${text}`;
}

/** Lengths are spelt once: this is the hottest line of a key. */
const STRING_FRAMES = Array.from({ length: 256 }, (_, length) => `s${length}:`);

/** `s5:rides` */
export function encodeString(text: string): string {
  const { length } = text;
  return length < 256 ? STRING_FRAMES[length] + text : `s${length}:${text}`;
}

const SMALL_INTEGERS = Array.from({ length: 1024 }, (_, integer) => `n${integer}`);

/** `n12`. The language spells every number in one way, but takes 150 ns for the digits of one that is no integer. */
export function encodeNumber(value: number): string {
  if (value > 0 && value < 1024 && (value | 0) === value) return SMALL_INTEGERS[value]!;
  if (Number.isInteger(value)) return value === 0 && Object.is(value, -0) ? "Z" : `n${value}`;
  if (value - value === 0) return encodeBits(value);
  return value > 0 ? "I" : value < 0 ? "J" : "N";
}

const float = new Float64Array(1);
const halves = new Uint32Array(float.buffer);

/** `d` and the 64 bits as 11 printable characters of 6 bits each, from `0` to `o`. */
function encodeBits(value: number): string {
  float[0] = value;
  const low = halves[LOW]!;
  const high = halves[HIGH]!;
  return String.fromCharCode(
    100,
    48 + (low & 63),
    48 + ((low >>> 6) & 63),
    48 + ((low >>> 12) & 63),
    48 + ((low >>> 18) & 63),
    48 + ((low >>> 24) & 63),
    48 + (((low >>> 30) | (high << 2)) & 63),
    48 + ((high >>> 4) & 63),
    48 + ((high >>> 10) & 63),
    48 + ((high >>> 16) & 63),
    48 + ((high >>> 22) & 63),
    48 + (high >>> 28),
  );
}

/** Shorter ones are spelt out, a character a byte: a digest takes as much room and more time. */
const FEW_BYTES = 64;

/** The bytes of a view or buffer, with their number. */
export function encodeBytes(bytes: Uint8Array): string {
  if (bytes.length > FEW_BYTES) return `${bytes.length}#${digestBytes(bytes)}`;
  return `${bytes.length}:${String.fromCharCode(...bytes)}`;
}

/** Marks bytes that a big-endian machine holds the other way round, so that the two never meet in a shared store. */
export const BYTE_ORDER = LITTLE_ENDIAN ? "" : "!";

const room = new Float64Array(1024);

/** An array of numbers by a digest of them as 64-bit floats; undefined if it holds anything else (holes included). */
export function encodeNumbers(values: readonly unknown[]): string | undefined {
  const { length } = values;
  if (typeof values[0] !== "number" || typeof values[length - 1] !== "number") return undefined;
  const floats = length <= room.length ? room : new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (typeof value !== "number") return undefined;
    // A NaN may carry bits that nobody can see; the literal has always the same.
    floats[i] = Number.isNaN(value) ? Number.NaN : value;
  }
  return `v${length}${BYTE_ORDER}#${digestBytes(new Uint8Array(floats.buffer, 0, length * 8))}`;
}
