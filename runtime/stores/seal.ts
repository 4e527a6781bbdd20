/**
 * `configure({ secret })`: for stores that others can read or write. What is stored can't be changed, made up or put in
 * another's place without the secret, and the names under which it is found (of functions, code, keys and tags) say
 * nothing. The values themselves are not encrypted.
 *
 *     0  "KSL1"     4  HMAC-SHA-256 of site, code, key and the entry's bytes     36  the entry's bytes
 *
 * The MAC is checked before anything else is looked at.
 */
import { base64url } from "../digest.ts";
import { isThenable } from "../thenable.ts";
import { Damage } from "./codec.ts";
import { type Hmac, hmac, isEqual } from "./hmac.ts";
import type { Changed, EntryName, Leased, Store, Which } from "./store.ts";
import { traitsOf } from "./traits.ts";

/** Bytes that nobody has sealed who knows the secret. */
export class Forged extends Damage {}

const MAGIC = Uint8Array.from([0x4b, 0x53, 0x4c, 0x31]);
const MAC = 32;
const HEAD = MAGIC.length + MAC;
/** Names of functions, code and tags come again and again. */
const MOST_NAMES = 10_000;
const HIDDEN_TAG = /^kept:[\w-]{43}$/;

/** By anyone: whether the seal is ours, only its key knows. */
export function isSealed(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, at) => bytes[at] === byte);
}

/** What one secret does. */
class Key {
  private readonly entries: Hmac;
  private readonly names: Hmac;
  private readonly hidden = new Map<string, string>();
  private last: { readonly pieces: readonly Uint8Array[]; readonly sealed: readonly Uint8Array[] } | undefined;

  constructor(secret: Uint8Array) {
    const derive = hmac(secret);
    this.entries = hmac(derive([text("kept 1 entries")]));
    this.names = hmac(derive([text("kept 1 names")]));
  }

  hide({ site, code, key }: EntryName): EntryName {
    return { site: this.name("site", site), code: this.name("code", code), key: this.digest("key", key) };
  }

  hideWhich(which: Which): Which {
    if ("tag" in which) return { tag: this.tag(which.tag) };
    if (which.site === undefined) return {};
    const site = this.name("site", which.site);
    return which.key === undefined ? { site } : { site, key: this.digest("key", which.key) };
  }

  /** A tag that is hidden already stays as it is: results hand on the tags of what they are made of. */
  tag(tag: string): string {
    return HIDDEN_TAG.test(tag) ? tag : `kept:${this.name("tag", tag)}`;
  }

  /** The pieces with what vouches for them. The same ones go to several stores: once for all. */
  seal(name: EntryName, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.last?.pieces !== pieces) {
      const head = new Uint8Array(HEAD);
      head.set(MAGIC);
      head.set(this.entries([framed(name), ...pieces]), MAGIC.length);
      this.last = { pieces, sealed: [head, ...pieces] };
      // It is not to keep them alive.
      queueMicrotask(() => {
        this.last = undefined;
      });
    }
    return this.last.sealed;
  }

  /** @throws Forged */
  open(name: EntryName, bytes: Uint8Array): Uint8Array {
    if (bytes.length < HEAD || !isSealed(bytes)) throw new Forged("it has no seal");
    const rest = bytes.subarray(HEAD);
    const mac = bytes.subarray(MAGIC.length, HEAD);
    if (!isEqual(mac, this.entries([framed(name), rest]))) throw new Forged("its seal is not ours");
    return rest;
  }

  private name(kind: string, name: string): string {
    const place = `${kind} ${name}`;
    let hidden = this.hidden.get(place);
    if (hidden === undefined) {
      if (this.hidden.size >= MOST_NAMES) this.hidden.clear();
      hidden = this.digest(kind, name);
      this.hidden.set(place, hidden);
    }
    return hidden;
  }

  private digest(kind: string, name: string): string {
    return base64url(this.names([text(`${kind} ${name}`)]));
  }
}

/** One or more secrets: the first one seals, all are accepted. */
export class Seal {
  private readonly keys: readonly Key[];

  constructor(secrets: readonly (string | Uint8Array)[]) {
    this.keys = secrets.map((secret) => new Key(typeof secret === "string" ? text(secret) : secret));
  }

  /** What is written of a tag. */
  hideTag(tag: string): string {
    return (this.keys[0] as Key).tag(tag);
  }

  /** All that may be written of a tag, by any of the secrets. */
  formsOf(tag: string): readonly string[] {
    return this.keys.map((key) => key.tag(tag));
  }

  /** The store with all that goes in sealed, and all that comes out checked. */
  around(store: Store): Store {
    const [first, ...older] = this.keys as [Key, ...Key[]];
    const { lease, release } = store;
    // One after the other: under an older secret there is something only for a while.
    const getOlder = (name: EntryName, at: number, changed?: Changed): ReturnType<Store["get"]> => {
      const key = older[at];
      if (key === undefined) return undefined;
      return then(store.get(key.hide(name), changed), (bytes) =>
        bytes === undefined ? getOlder(name, at + 1, changed) : key.open(name, bytes),
      );
    };
    return {
      ...traitsOf(store),
      get: (name, changed) =>
        then(store.get(first.hide(name), changed), (bytes) =>
          bytes === undefined ? getOlder(name, 0, changed) : first.open(name, bytes),
        ),
      set: (name, pieces, about, changed) => {
        const tags = about.tags.map((tag) => first.tag(tag));
        return store.set(first.hide(name), first.seal(name, pieces), { ...about, tags }, changed);
      },
      ...(lease === undefined
        ? {}
        : {
            async lease(name, cause, changed): Promise<Leased> {
              const leased = await lease.call(store, first.hide(name), cause, changed);
              if (leased?.bytes !== undefined) return { bytes: first.open(name, leased.bytes) };
              if (leased === undefined || cause !== "miss") return leased;
              const bytes = await getOlder(name, 0, changed);
              if (bytes === undefined) return leased;
              await release?.call(store, first.hide(name), leased.token);
              return { bytes };
            },
          }),
      ...(release === undefined ? {} : { release: (name, token) => release.call(store, first.hide(name), token) }),
      remove: (which) => {
        // A tag may have been hidden by any of them, and everything is everything.
        const all =
          which.site === undefined && !("tag" in which) ? [which] : this.keys.map((key) => key.hideWhich(which));
        const done = all.map((each) => store.remove(each));
        return store.can.sync ? undefined : Promise.all(done).then(() => {});
      },
      flush: () => store.flush(),
      close: () => store.close(),
    };
  }
}

/** No part of it runs into the next. */
function framed({ site, code, key }: EntryName): Uint8Array {
  return text(`kept 1 ${[site, code, key].map((part) => `${part.length}:${part}`).join(" ")} `);
}

const encoder = new TextEncoder();

function text(value: string): Uint8Array {
  return encoder.encode(value);
}

function then<T, R>(given: T | Promise<T>, go: (value: T) => R | Promise<R>): R | Promise<R> {
  return isThenable(given) ? Promise.resolve(given).then(go) : go(given as T);
}
