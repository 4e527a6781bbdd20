/**
 * A value as bytes, and the value again: everything that `copy` accepts, with shared references, cycles, holes, `-0`,
 * objects without prototype, buffers that several views share, and registered types (by `encode` and `decode`).
 *
 * Why not V8's own serialiser: it loses URLs, null prototypes, registered types and shared views, and what it reads
 * aliases the bytes that it was read from (measured in Node 20, 24 and 26), so that a caller's mutation of one hit would
 * reach the next. What is read here holds nothing of the bytes. Reading runs no code but a registered `decode`, sets no
 * prototype, and gives every damage the same name: {@link Damage}.
 *
 * A storage format: a change of a tag is a new {@link CODEC}.
 */

/** Named in every entry; another one is a miss. */
export const CODEC = 3;

/**
 * Bytes before the structure: where the structure ends (32 bits), where the table of buffers ends behind it (32 bits),
 * counted from here; 1 if anything comes again, else 0. What is in the buffers follows.
 */
export const HEAD = 9;

/** One byte in front of every value. */
export const TAG = {
  undefined: 0,
  null: 1,
  true: 2,
  false: 3,
  /** Zigzag varint, below 2^31. */
  integer: 4,
  /** 8 bytes, little-endian. */
  double: 5,
  /** Hexadecimal, with its sign. */
  bigint: 6,
  /** One byte a character. */
  latin1: 7,
  /** Two bytes a UTF-16 unit, so that lone surrogates survive. */
  utf16: 8,
  /** An object that has come before, by its number. */
  seen: 9,
  array: 10,
  /** An array of doubles. */
  numbers: 11,
  /** An array with holes or with names of its own: its length, then properties. */
  sparse: 12,
  /** A plain object of a shape that is given here: the bytes of its names together (32 bits), their number, each. */
  shape: 13,
  /** A plain object of a shape that has come before. */
  object: 14,
  bareObject: 15,
  date: 16,
  regexp: 17,
  map: 18,
  set: 19,
  error: 20,
  url: 21,
  searchParams: 22,
  buffer: 23,
  view: 24,
  boxed: 25,
  registered: 26,
  domException: 27,
  temporal: 28,
  /** The object that follows has properties that are not enumerable: they come after it. */
  hidden: 29,
  /** A symbol of the global registry, by its name there. */
  symbol: 30,
  /** The object that follows is closed to changes: how far (1 no new properties, 2 sealed, 3 frozen). */
  closed: 31,
} as const;

/** Kinds of views, by what is written for them. The order is part of the format. */
export const VIEWS = [
  ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
  ...["Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "DataView", "Buffer", "Float16Array"],
] as const;

/** From here on, an array of numbers is written as doubles. */
export const MANY_NUMBERS = 32;

/** What kind of memory a buffer is; where it can grow, its limit follows. */
export const BUFFER = { plain: 0, shared: 1, resizable: 2, growable: 3 } as const;

/** A value that can't be written. It stays in memory. */
export class Unstorable extends Error {
  /** What it is: `an instance of User`. */
  readonly what: string;
  constructor(what: string) {
    super(`${what} can't be stored`);
    this.what = what;
  }
}

/** Bytes that are not what was written. */
export class Damage extends Error {}
