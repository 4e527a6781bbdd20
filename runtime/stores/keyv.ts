/**
 * `kept/stores/keyv`: entries in whatever keyv has an adapter for.
 *
 * ```ts
 * configure({ store: keyvStore(new Keyv(new KeyvPostgres(uri))) });
 * ```
 *
 * Entries are written as text (Base64), which survives every adapter and every serializer. For `async` functions.
 */
import { invalidOption } from "../errors.ts";
import { type Backend, type KeyedOptions, keyedStore } from "./keyed.ts";
import { keyedOptions } from "./keyed-options.ts";
import type { Store } from "./store.ts";

/** What is used of a `Keyv` (4, 5, 6), of a store that it takes, or of a `Map`. */
export interface KeyvLike {
  get(key: string): unknown;
  /** @param ttl ms */
  set(key: string, value: any, ttl?: number): unknown;
  delete(key: string): unknown;
  getMany?(keys: any): unknown;
  on?(event: any, listener: (error: any) => void): unknown;
}

export type KeyvStoreOptions = KeyedOptions;

/** @throws KeptError `invalid-option`, `unknown-option` */
export function keyvStore(keyv: KeyvLike, options: KeyvStoreOptions = {}): Store {
  const methods = ["get", "set", "delete"] as const;
  if (methods.some((method) => typeof keyv?.[method] !== "function"))
    throw invalidOption("keyvStore", "keyv", keyv, "a Keyv, a store for one, or a Map");
  return keyedStore(backendOf(keyv), keyedOptions("keyvStore", options));
}

function backendOf(keyv: KeyvLike): Backend {
  const { watched, fail } = watchErrors(keyv);
  return {
    name: "keyv",
    read: (keys) =>
      watched(async () => {
        const found: unknown =
          typeof keyv.getMany === "function" && keys.length > 1
            ? await keyv.getMany([...keys])
            : await Promise.all(keys.map((key) => keyv.get(key)));
        return Array.isArray(found) && found.length === keys.length ? found : fail("gave something else than a list");
      }),
    write: (key, text, ttl) =>
      watched(async () => {
        if ((await keyv.set(key, text, ttl)) === false) fail("did not keep what it was given");
      }),
    remove: (key) => watched(async () => keyv.delete(key)),
  };
}

/**
 * keyv and its adapters tell of a failure by an event and go on: what can't be read is as if it weren't there, and `set`
 * gives `true`. Here it is a failure of all that was under way. The listener also keeps the event from ending the process.
 */
function watchErrors(keyv: KeyvLike) {
  let errors = 0;
  let last: unknown;
  keyv.on?.("error", (error) => {
    errors++;
    last = error;
  });
  return {
    async watched<T>(act: () => Promise<T>): Promise<T> {
      const before = errors;
      const given = await act();
      if (errors !== before) throw last instanceof Error ? last : new Error(`keyv: ${String(last)}`);
      return given;
    },
    fail(why: string): never {
      throw new Error(`keyv ${why}`);
    },
  };
}
