/**
 * One entry as a file. Before the bytes that the core gives stands what the store itself must know:
 *
 *     0  CRC-32 of the rest of this frame     4  until     12  began     20  how many tags     24  16 bytes of digest each
 */
import * as crypto from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "./bytes.ts";
import { Damage } from "./codec.ts";
import type { About } from "./store.ts";

const FRAME = 24;
const DIGEST = 16;

export interface Frame {
  readonly until: number;
  readonly began: number;
  /** Digests, as {@link digestOf} gives them. */
  readonly tags: readonly string[];
  readonly length: number;
}

/** 32 hexadecimal digits: file names must differ also where the file system takes `a` for `A`. */
export function digestOf(text: string): string {
  // One call into native code instead of three; Node has it, other hosts may not.
  const hex =
    typeof crypto.hash === "function"
      ? crypto.hash("sha256", text, "hex")
      : crypto.createHash("sha256").update(text).digest("hex");
  return hex.slice(0, 2 * DIGEST);
}

export function writeFrame({ until, began, tags }: About): Uint8Array {
  const frame = new Uint8Array(FRAME + DIGEST * tags.length);
  const view = new DataView(frame.buffer);
  view.setFloat64(4, until, true);
  view.setFloat64(12, began, true);
  view.setUint32(20, tags.length, true);
  for (const [at, tag] of tags.entries()) frame.set(Buffer.from(digestOf(tag), "hex"), FRAME + DIGEST * at);
  view.setUint32(0, crc32(frame.subarray(4), 0), true);
  return frame;
}

/** @throws Damage */
export function readFrame(bytes: Uint8Array): Frame {
  if (bytes.length < FRAME) throw new Damage("its frame is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const many = view.getUint32(20, true);
  const length = FRAME + DIGEST * many;
  if (length > bytes.length) throw new Damage("its frame is cut off");
  if (crc32(bytes.subarray(4, length), 0) !== view.getUint32(0, true))
    throw new Damage("the checksum of its frame differs");
  const tags = Array.from({ length: many }, (_, at) => {
    const from = FRAME + DIGEST * at;
    return Buffer.from(bytes.subarray(from, from + DIGEST)).toString("hex");
  });
  return { until: view.getFloat64(4, true), began: view.getFloat64(12, true), tags, length };
}

const SMALL = 64 * 1024;
/** Small files are read into this one: no `fstat`, and one allocation of the right size. */
let scratch: Buffer | undefined;

/** @returns the file, in bytes of its own; nothing if there is none */
export function readWhole(path: string): Uint8Array | undefined {
  const file = openOrNothing(path);
  if (file === undefined) return undefined;
  try {
    scratch ??= Buffer.allocUnsafeSlow(SMALL);
    const first = readSync(file, scratch, 0, SMALL, 0);
    if (first < SMALL) return Uint8Array.prototype.slice.call(scratch, 0, first);
    const { size } = fstatSync(file);
    const all = Buffer.allocUnsafeSlow(size);
    let at = 0;
    while (at < size) {
      const read = readSync(file, all, at, size - at, at);
      if (read === 0) break;
      at += read;
    }
    return new Uint8Array(all.buffer, 0, at);
  } finally {
    closeSync(file);
  }
}

/** @returns up to `length` bytes from the start */
export function readStart(path: string, length: number): Uint8Array | undefined {
  const file = openOrNothing(path);
  if (file === undefined) return undefined;
  try {
    const start = Buffer.allocUnsafeSlow(length);
    return start.subarray(0, readSync(file, start, 0, length, 0));
  } finally {
    closeSync(file);
  }
}

function openOrNothing(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Nothing is there, or something is on the way that is no folder. */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
