/**
 * `kept/stores/unstorage`: entries in whatever unstorage has a driver for.
 *
 * ```ts
 * configure({ store: unstorageStore(createStorage({ driver: redisDriver({ url }) })) });
 * ```
 *
 * Entries are written as text (Base64) with `setItem`, which every driver keeps; with `raw` as bytes. For `async` functions.
 */
import { invalidOption } from "../errors.ts";
import { type Backend, type KeyedOptions, keyedStore } from "./keyed.ts";
import { keyedOptions } from "./keyed-options.ts";
import type { Store } from "./store.ts";

/** What is used of a `Storage` of unstorage, or of a part of it (`prefixStorage`). */
export interface UnstorageLike {
  getItem(key: string): Promise<unknown>;
  getItems?(items: any): Promise<readonly { readonly key: string; readonly value: unknown }[]>;
  setItem(key: string, value: string, options?: object): Promise<unknown>;
  getItemRaw?(key: string): Promise<unknown>;
  setItemRaw?(key: string, value: unknown, options?: object): Promise<unknown>;
  removeItem(key: string): Promise<unknown>;
}

export interface UnstorageStoreOptions extends KeyedOptions {
  /**
   * Entries as bytes, by `setItemRaw`: a quarter less space and no Base64. Only for drivers that give back the bytes which
   * they were given, such as `memory`, `fs`, `fs-lite`, `lru-cache`, `indexedb` and `s3`. Default `false`.
   */
  readonly raw?: boolean | undefined;
}

/** @throws KeptError `invalid-option`, `unknown-option` */
export function unstorageStore(storage: UnstorageLike, options: UnstorageStoreOptions = {}): Store {
  const { raw = false } = keyedOptions("unstorageStore", options, ["raw"]);
  const methods = [
    "getItem",
    "setItem",
    "removeItem",
    ...(raw ? (["getItemRaw", "setItemRaw"] as const) : []),
  ] as const;
  if (methods.some((method) => typeof storage?.[method] !== "function"))
    throw invalidOption("unstorageStore", "storage", storage, "a Storage of unstorage");
  if (typeof raw !== "boolean") throw invalidOption("unstorageStore", "raw", raw, "true or false");
  return keyedStore(backendOf(storage, raw), options);
}

function backendOf(storage: UnstorageLike, raw: boolean): Backend {
  return {
    name: "unstorage",
    read: (keys) => readAll(storage, keys),
    write: (key, text, ttl) => storage.setItem(key, text, inSeconds(ttl)),
    remove: (key) => storage.removeItem(key),
    ...(raw
      ? {
          raw: {
            read: async (key) => bytesOf(await storage.getItemRaw?.(key)),
            // A copy: drivers in memory keep the very object.
            write: async (key, bytes, ttl) => storage.setItemRaw?.(key, bytes.slice(), inSeconds(ttl)),
          },
        }
      : {}),
  };
}

async function readAll(storage: UnstorageLike, keys: readonly string[]): Promise<readonly unknown[]> {
  if (storage.getItems === undefined || keys.length === 1) return Promise.all(keys.map((key) => storage.getItem(key)));
  // Drivers give them in an order of their own, and some leave out what isn't there.
  const found = new Map((await storage.getItems(keys.map((key) => ({ key })))).map(({ key, value }) => [key, value]));
  return keys.map((key) => found.get(key));
}

/** Drivers that know of it want whole seconds; the others ignore it, and the entry says itself when it is over. */
function inSeconds(ttl: number | undefined): { ttl: number } | object {
  return ttl === undefined ? {} : { ttl: Math.ceil(ttl / 1000) };
}

/** @returns bytes of its own */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (Object.prototype.toString.call(value) === "[object ArrayBuffer]") return new Uint8Array(value as ArrayBuffer);
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice() as Uint8Array;
  if (value === null || value === undefined) return undefined;
  throw new Error(`unstorage: \`getItemRaw\` gave no bytes, so this driver needs \`raw: false\``);
}
