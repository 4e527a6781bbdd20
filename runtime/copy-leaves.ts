/** Private copies of built-in objects that hold no other value. */
import { builtIn, GROUPS } from "./kinds.ts";

export type Copy = (value: any) => any;

/** How an instance of this built-in class is copied; undefined for classes that hold other values, and for all others. */
export function leafCopy(name: string): Copy | undefined {
  return LEAVES[name]?.(name);
}

type Make = (name: string) => Copy;

function each(names: readonly string[], make: Make): Record<string, Make> {
  return Object.fromEntries(names.map((name) => [name, make]));
}

/** By name, made when the first of a kind is met: a host may lack any of them. */
const LEAVES: Readonly<Record<string, Make>> = {
  Date: () => (date) => new Date(Date.prototype.getTime.call(date)),
  RegExp: () => (pattern: RegExp) => {
    const copy = new RegExp(pattern.source, pattern.flags);
    copy.lastIndex = pattern.lastIndex;
    return copy;
  },
  ...each(GROUPS.boxed, (name) => {
    const { prototype } = builtIn(name) as { readonly prototype: { valueOf(): unknown } };
    return (value) => Object(prototype.valueOf.call(value));
  }),
  ...each(GROUPS.typedArray, (name) => {
    const Type = builtIn(name) as unknown as new (content: ArrayBufferView | ArrayBufferLike) => ArrayBufferView;
    // By the constructor: `slice` would ask the instance's `constructor`, and costs no less.
    return (view) => (isShared(view.buffer) ? new Type(copyRange(view)) : new Type(view));
  }),
  DataView: () => (view: DataView) => new DataView(copyRange(view) as ArrayBuffer),
  Buffer: () => (bytes: Buffer) => {
    // Not from the pool, whose memory other buffers share, and not by `slice`, which is a view.
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    copy.set(bytes);
    return copy;
  },
  ArrayBuffer: () => (buffer: ArrayBuffer) => copyBuffer(buffer),
  SharedArrayBuffer: () => (buffer: SharedArrayBuffer) => copyBuffer(buffer),
  URL: () => (url: URL) => new URL(url.href),
  URLSearchParams: () => (params: URLSearchParams) => new URLSearchParams(params.toString()),
  // Their bytes never change, so the copy may share them.
  Blob: () => (blob: Blob) => new Blob([blob], { type: blob.type }),
  File: () => (file: File) => new File([file], file.name, { type: file.type, lastModified: file.lastModified }),
  DOMException: () => (error: DOMException) => new DOMException(error.message, error.name),
  ...each(GROUPS.temporal, (name) => {
    const Type = builtIn(name) as unknown as { from(value: unknown): unknown };
    return (value) => Type.from(value);
  }),
};

function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer === "function" && buffer instanceof SharedArrayBuffer;
}

/** A whole buffer; one that can grow still can. */
export function copyBuffer(buffer: ArrayBufferLike): ArrayBufferLike {
  const { byteLength, maxByteLength, resizable, growable } = buffer as ArrayBuffer & {
    readonly growable?: boolean;
    readonly resizable?: boolean;
    readonly maxByteLength?: number;
  };
  const Type = (isShared(buffer) ? SharedArrayBuffer : ArrayBuffer) as unknown as new (
    length: number,
    options?: object,
  ) => ArrayBufferLike;
  if (!resizable && !growable && !isShared(buffer)) return buffer.slice(0);
  const copy = resizable || growable ? new Type(byteLength, { maxByteLength }) : new Type(byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
}

/** The part of a buffer that a view shows. */
function copyRange({ buffer, byteOffset, byteLength }: ArrayBufferView): ArrayBufferLike {
  if (!isShared(buffer)) return buffer.slice(byteOffset, byteOffset + byteLength);
  const copy = new SharedArrayBuffer(byteLength);
  new Uint8Array(copy).set(new Uint8Array(buffer, byteOffset, byteLength));
  return copy;
}

/** A view of this buffer like another of its original. */
export function viewOf(buffer: ArrayBuffer, like: ArrayBufferView, name: string): ArrayBufferView {
  const { byteOffset, byteLength } = like;
  if (name === "Buffer") return Buffer.from(buffer, byteOffset, byteLength);
  const Type = builtIn(name) as unknown as new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;
  return new Type(buffer, byteOffset, (like as { readonly length?: number }).length ?? byteLength);
}
