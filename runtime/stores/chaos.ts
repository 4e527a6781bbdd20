/** A store that misbehaves as networks, disks and servers do: to test what stands before it. */
import { drained, joined, sourceOf } from "./bytes.ts";
import type { EntryName, Leased, Source, Store } from "./store.ts";

/** How often, each from 0 to 1. */
export interface Chaos {
  /** A method throws, or rejects. */
  readonly errors?: number;
  /** What is read is cut off, has bytes swapped, or is what another entry holds. */
  readonly tornReads?: number;
  /** What is written is cut off or garbled on its way. */
  readonly tornWrites?: number;
  /** A write is said to be done and is not. */
  readonly lostWrites?: number;
  /** Stores that are not synchronous: most ms that an answer takes. */
  readonly delay?: number;
  /** Stores that are not synchronous: how often an answer never comes. */
  readonly hangs?: number;
  /** Gives numbers from 0 to 1: the same ones make the same mischief. */
  readonly random: () => number;
}

/** The same store, misbehaving. `remove`, `flush` and `close` may fail, and do nothing wrong else. */
export function withChaos(store: Store, chaos: Chaos): Store {
  const { errors = 0, tornReads = 0, tornWrites = 0, lostWrites = 0, delay = 0, hangs = 0, random } = chaos;
  let last: Uint8Array | undefined;

  function tear(bytes: Uint8Array): Uint8Array {
    const torn = bytes.slice();
    const at = Math.floor(random() * torn.length);
    const kind = random();
    if (kind < 0.3) return torn.subarray(0, at);
    if (kind < 0.4) return Uint8Array.from([...torn, 0, 1, 2]);
    if (kind < 0.6 && last !== undefined) return last.slice();
    const to = Math.floor(random() * torn.length);
    if (kind < 0.8) [torn[at], torn[to]] = [torn[to] as number, torn[at] as number];
    else torn[at] = (torn[at] as number) ^ (1 << Math.floor(random() * 8));
    return torn;
  }

  function disturbed<T>(act: () => T | Promise<T>): T | Promise<T> {
    const fails = random() < errors;
    const fail = () => {
      throw new Error(`chaos in ${store.name}`);
    };
    if (store.can.sync) return fails ? fail() : act();
    if (random() < hangs) return new Promise<never>(() => {});
    const wait = random() * delay;
    return new Promise<void>((done) => setTimeout(done, wait)).then(() => (fails ? fail() : act()));
  }

  function tornRead(bytes: Uint8Array | undefined): Uint8Array | undefined {
    if (bytes === undefined) return undefined;
    const given = random() < tornReads ? tear(bytes) : bytes;
    last = bytes.slice();
    return given;
  }

  function readTorn(name: EntryName): Uint8Array | Source | undefined {
    const found = store.read?.(name);
    if (found === undefined || found instanceof Uint8Array) return tornRead(found);
    return sourceOf(tornRead(drained(found)) as Uint8Array);
  }

  async function tornLease(...args: Parameters<NonNullable<Store["lease"]>>): Promise<Leased> {
    const leased = await disturbed(() => store.lease?.(...args) as Promise<Leased>);
    return leased?.bytes === undefined ? leased : { bytes: tornRead(leased.bytes) as Uint8Array };
  }

  return {
    name: `chaos in ${store.name}`,
    can: store.can,
    ...(store.read === undefined
      ? {}
      : { read: (name) => disturbed(() => readTorn(name)) as ReturnType<typeof readTorn> }),
    ...(store.staleness === undefined ? {} : { staleness: store.staleness }),
    ...(store.patience === undefined ? {} : { patience: store.patience }),
    ...(store.lease === undefined ? {} : { lease: (name, cause, changed) => tornLease(name, cause, changed) }),
    ...(store.release === undefined
      ? {}
      : { release: (name, token) => disturbed(() => store.release?.(name, token)) as Promise<void> }),
    get: (name, changed) =>
      disturbed(() => {
        const bytes = store.get(name, changed);
        return bytes instanceof Promise ? bytes.then(tornRead) : tornRead(bytes);
      }),
    set: (name, pieces, about, changed) =>
      disturbed(() => {
        if (random() < lostWrites) return;
        return store.set(name, random() < tornWrites ? [tear(joined(pieces))] : pieces, about, changed);
      }),
    remove: (which) => disturbed(() => store.remove(which)),
    flush: () => disturbed(() => store.flush()),
    close: () => store.close(),
  };
}
