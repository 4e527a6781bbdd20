/**
 * A store over whatever only knows keys and values: keyv, unstorage. Nothing is ever listed or counted there, so what was
 * cleared is not looked for. It is outlived: everything, each function, each call and each tag has a *generation*, a random
 * text under a key of its own; an entry carries the digest of those that it belongs to, and counts while they are there.
 * To clear is to write a new generation: one write, whatever is in the store, and every process sees it at its next read.
 *
 *     <prefix>-g              generation of everything       <prefix>-t-<tag>     of a tag
 *     <prefix>-s-<site>       of a function                  <prefix>-e-<entry>   an entry
 *     <prefix>-c-<call>       of a call, of all versions of the code
 *
 * A generation that is lost (evicted, say) makes entries unfindable, and never brings one back.
 */
import { fromBase64, toBase64 } from "./base64.ts";
import { Damage } from "./codec.ts";
import { hexDigest, type KeyedEntry, readKeyed, writeKeyed } from "./keyed-entry.ts";
import { bounded, Generations, isOlder } from "./keyed-generations.ts";
import type { About, EntryName, Store, Which } from "./store.ts";

/** What is asked of a backend. Each rejects if it failed, or throws. */
export interface Backend {
  readonly name: string;
  /** In the order of the keys; what isn't a text is as good as nothing. */
  read(keys: readonly string[]): Promise<readonly unknown[]>;
  /** @param ttl whole ms, from 1; `undefined`: without an end */
  write(key: string, text: string, ttl: number | undefined): Promise<unknown>;
  remove(key: string): Promise<unknown>;
  /** For backends that keep bytes as they are: entries are then not written as text. */
  readonly raw?: {
    read(key: string): Promise<Uint8Array | undefined>;
    write(key: string, bytes: Uint8Array, ttl: number | undefined): Promise<unknown>;
  };
}

export interface KeyedOptions {
  /** All keys begin with it: what two programs have under one prefix they share. Default `"kept"`. */
  readonly prefix?: string | undefined;
  /**
   * Most ms that an entry stays without being written anew. What was cleared, and what belongs to code that is gone, takes
   * up its space until then, for nothing here can look for it. Default 30 days; `Infinity`: without an end.
   */
  readonly keepFor?: number | undefined;
  /** ms since 1970. */
  readonly now?: (() => number) | undefined;
}

/** A write that is under way. */
interface Pending {
  readonly belongsTo: readonly string[];
  isCleared: boolean;
  done?: Promise<unknown>;
}

const DAY = 86_400_000;
/** First, so that no backend takes the text for a number or JSON. */
const MARK = "k1.";
/** Misses whose runs may still be under way. */
const MOST_ASKED = 10_000;

export function keyedStore(backend: Backend, options: KeyedOptions): Store {
  const { prefix = "kept", keepFor = 30 * DAY } = options;
  const now = options.now ?? (() => performance.timeOrigin + performance.now());
  const generations = new Generations(backend, now, (key) =>
    // There are as many as calls. One that is gone makes an entry that is younger a miss, once.
    key.startsWith(`${prefix}-c-`) ? ttlOf(2 * keepFor) : undefined,
  );
  /** The generations as they were when an entry was asked for: what is computed then belongs to them. */
  const asked = new Map<string, readonly (string | undefined)[]>();
  /** By entry: an older value must not be written after a newer one. */
  const last = new Map<string, Promise<unknown>>();
  const writing = new Set<Pending>();
  let removals = 0;
  let barrier: Promise<void> = Promise.resolve();

  const generationOf = {
    all: `${prefix}-g`,
    site: (site: string) => `${prefix}-s-${hexDigest([site])}`,
    call: (site: string, key: string) => `${prefix}-c-${hexDigest([site, key])}`,
    tag: (digest: string) => `${prefix}-t-${digest}`,
  };
  const entryOf = ({ site, code, key }: EntryName) => `${prefix}-e-${hexDigest([site, code, key])}`;
  const generationsOf = ({ site, key }: EntryName) => [
    generationOf.all,
    generationOf.site(site),
    generationOf.call(site, key),
  ];

  async function fetch(entry: string, others: readonly string[]) {
    if (backend.raw !== undefined) {
      const [bytes, found] = await Promise.all([backend.raw.read(entry), generations.read(others)]);
      return { bytes, found };
    }
    const { texts, generations: found } = await generations.readWith([entry], others);
    return { bytes: typeof texts[0] === "string" ? bytesOf(texts[0]) : undefined, found };
  }

  async function get(name: EntryName): Promise<Uint8Array | undefined> {
    const since = removals;
    await settled(barrier);
    const entry = entryOf(name);
    const { bytes, found } = await fetch(entry, generationsOf(name));
    if (since === removals) remember(entry, found);
    if (bytes === undefined) return undefined;
    const kept = readKeyed(bytes);
    if (now() >= kept.until || found.includes(undefined)) return undefined;
    const ofTags = await generations.read(kept.tags.map(generationOf.tag));
    if (ofTags.includes(undefined) || hexDigest([...found, ...ofTags] as string[]) !== kept.stamp) return undefined;
    return kept.bytes;
  }

  function remember(entry: string, found: readonly (string | undefined)[]): void {
    asked.delete(entry);
    asked.set(entry, found);
    if (asked.size > MOST_ASKED) for (const [oldest] of asked) return void asked.delete(oldest);
  }

  function set(name: EntryName, pieces: readonly Uint8Array[], about: About): Promise<boolean> {
    const entry = entryOf(name);
    const known = asked.get(entry) ?? [];
    asked.delete(entry);
    const before = last.get(entry);
    const removing = barrier;
    const tags = about.tags.map((tag) => hexDigest([tag]));
    const all = generationsOf(name);
    const pending: Pending = { belongsTo: [...all, ...tags.map(generationOf.tag)], isCleared: false };
    const act = async () => {
      if (before !== undefined) await bounded(before).catch(() => {});
      await settled(removing);
      const current = await generations.take(pending.belongsTo, known);
      // A run that began before a tag was cleared may have seen what was there before.
      const isOld = isOlder(about.began, current.slice(all.length));
      if (pending.isCleared || isOld) return false;
      await write(entry, { until: about.until, stamp: hexDigest(current), tags }, pieces);
      return true;
    };
    const done = act();
    pending.done = done;
    writing.add(pending);
    last.set(entry, done);
    const end = () => {
      writing.delete(pending);
      if (last.get(entry) === done) last.delete(entry);
    };
    done.then(end, end);
    return done;
  }

  async function write(entry: string, frame: Omit<KeyedEntry, "bytes">, pieces: readonly Uint8Array[]): Promise<void> {
    const left = frame.until - now();
    const ttl = ttlOf(Math.min(left, keepFor));
    if (left <= 0) await backend.remove(entry);
    else if (backend.raw !== undefined) await backend.raw.write(entry, writeKeyed(frame, pieces), ttl);
    else await backend.write(entry, MARK + toBase64(writeKeyed(frame, pieces)), ttl);
  }

  function remove(which: Which): Promise<void> {
    removals++;
    asked.clear();
    const generation = generationThat(which);
    // Not waited for, since it may never end: what is under way belongs to the generation that ends here, or is left.
    for (const pending of writing) if (pending.belongsTo.includes(generation)) pending.isCleared = true;
    barrier = barrier.catch(() => {}).then(() => generations.end(generation));
    // Whoever waits for it says what went wrong.
    barrier.catch(() => {});
    return barrier;
  }

  function generationThat(which: Which): string {
    if ("tag" in which) return generationOf.tag(hexDigest([which.tag]));
    if (which.site === undefined) return generationOf.all;
    return which.key === undefined ? generationOf.site(which.site) : generationOf.call(which.site, which.key);
  }

  /** A removal that failed is made up for first: until then nothing is read and nothing is written. */
  async function settled(removing: Promise<void>): Promise<void> {
    await removing.catch(() => {});
    await generations.begin();
  }

  async function flush(): Promise<void> {
    await Promise.allSettled([barrier, ...[...writing].map(({ done }) => done)]);
  }

  return {
    name: backend.name,
    can: { sync: false, ttl: true, tags: true, lease: false, watch: false },
    get,
    set,
    remove,
    flush,
    close: flush,
  };
}

/** @throws Damage */
function bytesOf(text: string): Uint8Array {
  const bytes = text.startsWith(MARK) ? fromBase64(text.slice(MARK.length)) : undefined;
  if (bytes === undefined) throw new Damage("it is no text of an entry");
  return bytes;
}

function ttlOf(ms: number): number | undefined {
  return ms === Number.POSITIVE_INFINITY ? undefined : Math.max(1, Math.ceil(ms));
}
