/**
 * What is written to a server for an entry: how it is compressed (1 byte), how long it was before (4 bytes, where it is),
 * and the rest. What can't be read is as if it was not there: another version of Node may have written it.
 */
import * as zlib from "node:zlib";
import { joined, sizeOf } from "./bytes.ts";

export type Compression = "zstd" | "brotli" | "deflate";

interface Method {
  readonly code: number;
  pack(bytes: Uint8Array): Promise<Uint8Array>;
  unpack(bytes: Uint8Array, length: number): Promise<Uint8Array>;
}

type Act = (bytes: Uint8Array, options: object, done: (error: Error | null, result: Uint8Array) => void) => void;

const inTurn = (act: Act | undefined, bytes: Uint8Array, options: object) =>
  new Promise<Uint8Array>((resolve, reject) => {
    if (act === undefined) throw new Error("This version of Node can't");
    act(bytes, options, (error, result) => (error === null ? resolve(result) : reject(error)));
  });

/** Node >= 22.15. */
const { zstdCompress, zstdDecompress } = zlib as { zstdCompress?: Act; zstdDecompress?: Act };
const { constants } = zlib;
const limit = (maxOutputLength: number) => ({ maxOutputLength });

/** Each at a level at which it is faster than most networks. In threads of the host: the program goes on. */
const METHODS: Readonly<Record<Compression, Method>> = {
  deflate: {
    code: 1,
    pack: (bytes) => inTurn(zlib.deflateRaw as Act, bytes, { level: 1 }),
    unpack: (bytes, length) => inTurn(zlib.inflateRaw as Act, bytes, limit(length)),
  },
  brotli: {
    code: 2,
    pack: (bytes) =>
      inTurn(zlib.brotliCompress as Act, bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 2, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      }),
    unpack: (bytes, length) => inTurn(zlib.brotliDecompress as Act, bytes, limit(length)),
  },
  zstd: {
    code: 3,
    pack: (bytes) => inTurn(zstdCompress, bytes, {}),
    unpack: (bytes, length) => inTurn(zstdDecompress, bytes, limit(length)),
  },
};

export function canCompress(method: Compression): boolean {
  return method !== "zstd" || (zstdCompress !== undefined && zstdDecompress !== undefined);
}

export const bestCompression: Compression = canCompress("zstd") ? "zstd" : "deflate";

const HEAD = 5;
/** A length that nobody has written; refused before memory is set aside for it. */
const MOST = 2 ** 30;
/** Of large bytes some are tried first: numbers and pictures don't get smaller. */
const SAMPLE = 65_536;

/** Not a promise where nothing is compressed. */
export function pack(pieces: readonly Uint8Array[], above: number, method: Compression): Buffer | Promise<Buffer> {
  const length = sizeOf(pieces);
  if (length <= above || length > MOST) return plain(pieces);
  return compress(pieces, method);
}

async function compress(pieces: readonly Uint8Array[], name: Compression): Promise<Buffer> {
  const method = METHODS[name];
  const bytes = joined(pieces);
  if (bytes.length > 4 * SAMPLE) {
    const from = (bytes.length - SAMPLE) >> 1;
    if (!isWorth(await method.pack(bytes.subarray(from, from + SAMPLE)), SAMPLE)) return plain([bytes]);
  }
  const packed = await method.pack(bytes);
  if (!isWorth(packed, bytes.length)) return plain([bytes]);
  const head = Buffer.alloc(HEAD);
  head[0] = method.code;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, packed]);
}

const isWorth = (packed: Uint8Array, length: number): boolean => packed.length < length * 0.9;

function plain(pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Uint8Array.of(0), ...pieces]);
}

/**
 * @returns bytes that have nothing in common with `packed`; nothing if they can't be read here
 */
export function unpack(packed: Buffer): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  if (packed[0] === 0) {
    // What was read from the socket together is one piece of memory, which a small entry is not to hold.
    const bytes = new Uint8Array(packed.length - 1);
    bytes.set(packed.subarray(1));
    return bytes;
  }
  const method = Object.values(METHODS).find(({ code }) => code === packed[0]);
  if (method === undefined || packed.length < HEAD) return undefined;
  const length = packed.readUInt32LE(1);
  return length > MOST ? undefined : unpackWith(method, packed.subarray(HEAD), length);
}

async function unpackWith(method: Method, bytes: Uint8Array, length: number): Promise<Uint8Array | undefined> {
  try {
    const found = await method.unpack(bytes, length);
    return found.length === length ? new Uint8Array(found.buffer, found.byteOffset, length) : undefined;
  } catch {
    return undefined;
  }
}
