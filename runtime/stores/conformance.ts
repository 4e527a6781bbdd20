/**
 * `kept/stores/conformance`: what a store must do, as a list of tests for any runner.
 *
 * ```ts
 * import { conformance } from "kept/stores/conformance";
 *
 * for (const { name, run } of conformance(() => ({ store: myStore() }))) test(name, run);
 * ```
 */
import { joined } from "./bytes.ts";
import type { About, EntryName, LeaseCause, Store } from "./store.ts";

export { type Chaos, withChaos } from "./chaos.ts";
export { memoryStore } from "./memory.ts";
export type { About, Capabilities, Changed, EntryName, LeaseCause, Leased, Source, Store, Which } from "./store.ts";

/** A store, empty, and what only its maker knows. */
export interface Candidate {
  readonly store: Store;
  /** For a store that outlives its process: another one in the same place, as another process would open it. */
  readonly reopen?: () => Store | Promise<Store>;
  /** Afterwards. */
  readonly end?: () => void | Promise<void>;
}

export interface ConformanceTest {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const A: EntryName = { site: "src/a.ts#load", code: "h1:00000000000000000000000000000001", key: "n1" };
const FOREVER: About = { began: 0, until: Number.POSITIVE_INFINITY, tags: [], maxEntries: undefined };
const bytes = (...list: number[]) => [Uint8Array.from(list)];

type Check = (candidate: Candidate) => Promise<void>;

const CHECKS: Readonly<Record<string, Check>> = {
  "has nothing at first": async ({ store }) => equal(await store.get(A), undefined),

  "gives what was set": async ({ store }) => {
    await store.set(A, bytes(1, 2, 3), FOREVER);
    same(await store.get(A), [1, 2, 3]);
    same(await store.get(A), [1, 2, 3]);
  },

  "puts pieces together, empty ones too": async ({ store }) => {
    const pieces = [Uint8Array.from([1]), new Uint8Array(0), Uint8Array.from([2, 3])];
    await store.set(A, pieces, FOREVER);
    same(await store.get(A), [1, 2, 3]);
  },

  "keeps nothing in common with the pieces once it is flushed": async ({ store }) => {
    const buffer = Uint8Array.from([1, 2, 3, 4]);
    await store.set(A, [buffer.subarray(1, 3)], FOREVER);
    await store.flush();
    buffer.fill(9);
    same(await store.get(A), [2, 3]);
  },

  "gives bytes that are the caller's own": async ({ store }) => {
    await store.set(A, bytes(1, 2, 3), FOREVER);
    (await store.get(A))?.fill(9);
    same(await store.get(A), [1, 2, 3]);
    await store.flush();
    (await store.get(A))?.fill(9);
    same(await store.get(A), [1, 2, 3]);
  },

  "keeps large ones whole": async ({ store }) => {
    const large = Uint8Array.from({ length: 3_000_001 }, (_, at) => (at * 7 + (at >> 8)) & 255);
    await store.set(A, [large.subarray(0, 1000), large.subarray(1000)], FOREVER);
    equal(isSame(await store.get(A), large), true);
    await store.flush();
    equal(isSame(await store.get(A), large), true);
  },

  "tells apart site, code and key, whatever is in them": async ({ store }) => {
    const odd = [
      "a",
      "b",
      "",
      "..",
      "/",
      "a/b",
      "../../x",
      "\\",
      "\0",
      "é",
      "😀",
      "a\nb",
      "A",
      " a",
      "CON",
      "x".repeat(3000),
    ];
    const names = odd.flatMap((text) => [
      { ...A, site: text },
      { ...A, code: text },
      { ...A, key: text },
    ]);
    for (const [at, name] of names.entries()) await store.set(name, bytes(at), FOREVER);
    for (const [at, name] of names.entries()) same(await store.get(name), [at]);
    await store.flush();
    for (const [at, name] of names.entries()) same(await store.get(name), [at]);
  },

  "takes the place of an earlier one": async ({ store }) => {
    await store.set(A, bytes(1), FOREVER);
    await store.flush();
    await store.set(A, bytes(2, 2), FOREVER);
    same(await store.get(A), [2, 2]);
    await store.flush();
    same(await store.get(A), [2, 2]);
  },

  "removes one call's, of all versions of the code": async ({ store }) => {
    const other = { ...A, code: "h1:2" };
    const apart = { ...A, key: "n2" };
    for (const name of [A, other, apart]) await store.set(name, bytes(1), FOREVER);
    await store.remove({ site: A.site, key: A.key });
    equal(await store.get(A), undefined);
    equal(await store.get(other), undefined);
    same(await store.get(apart), [1]);
  },

  "removes a function's and no other's": async ({ store }) => {
    const other = { ...A, site: "src/a.ts#loa" };
    for (const name of [A, { ...A, key: "n2" }, other]) await store.set(name, bytes(1), FOREVER);
    await store.flush();
    await store.remove({ site: A.site });
    equal(await store.get(A), undefined);
    equal(await store.get({ ...A, key: "n2" }), undefined);
    same(await store.get(other), [1]);
  },

  "removes everything": async ({ store }) => {
    await store.set(A, bytes(1), FOREVER);
    await store.flush();
    await store.set({ ...A, site: "b" }, bytes(1), FOREVER);
    await store.remove({});
    equal(await store.get(A), undefined);
    equal(await store.get({ ...A, site: "b" }), undefined);
  },

  "removes what is not there, without complaint": async ({ store }) => {
    for (const which of [{}, { site: "x" }, { site: "x", key: "y" }, { tag: "z" }]) await store.remove(which);
  },

  "removes what has not been flushed yet, for good": async ({ store, reopen }) => {
    await store.set(A, bytes(1), FOREVER);
    await store.remove({ site: A.site });
    await store.flush();
    equal(await store.get(A), undefined);
    if (reopen !== undefined) equal(await (await reopen()).get(A), undefined);
  },

  "keeps what is set after it was removed": async ({ store }) => {
    for (const which of [{}, { site: A.site }, { site: A.site, key: A.key }]) {
      await store.set(A, bytes(1), FOREVER);
      await store.remove(which);
      await store.set(A, bytes(2), FOREVER);
      await store.flush();
      same(await store.get(A), [2]);
    }
  },

  "takes many at once": async ({ store }) => {
    const names = Array.from({ length: 100 }, (_, at) => ({ ...A, key: `n${at}` }));
    await Promise.all(names.map((name, at) => store.set(name, bytes(at), FOREVER)));
    const read = await Promise.all(names.map((name) => store.get(name)));
    for (const [at, each] of read.entries()) same(each, [at]);
  },

  "can be flushed and closed twice": async ({ store }) => {
    await store.flush();
    await store.flush();
    await store.close();
    await store.close();
  },

  "by `ttl`: gives nothing from `until` on": async ({ store }) => {
    if (!store.can.ttl) return;
    await store.set(A, bytes(1), { ...FOREVER, until: Date.now() + 60_000 });
    same(await store.get(A), [1]);
    await store.set(A, bytes(1), { ...FOREVER, until: Date.now() - 1 });
    equal(await store.get(A), undefined);
    await store.flush();
    equal(await store.get(A), undefined);
  },

  "by `tags`: removes what has the tag": async ({ store }) => {
    if (!store.can.tags) return;
    const began = Date.now() - 1000;
    const about = (...tags: string[]): About => ({ ...FOREVER, began, tags });
    const [b, c] = [
      { ...A, key: "n2" },
      { ...A, key: "n3" },
    ];
    await store.set(A, bytes(1), about("x", "y"));
    await store.flush();
    await store.set(b, bytes(2), about("y"));
    await store.set(c, bytes(3), about());
    await store.remove({ tag: "x" });
    equal(await store.get(A), undefined);
    same(await store.get(b), [2]);
    await store.remove({ tag: "y" });
    equal(await store.get(b), undefined);
    same(await store.get(c), [3]);
    await store.set(A, bytes(4), { ...about("x"), began: Date.now() + 1000 });
    same(await store.get(A), [4]);
  },

  "by `lease`: one computes, and the others get what it brings": async ({ store, reopen }) => {
    if (!store.can.lease) return;
    const other = reopen === undefined ? store : await reopen();
    const first = await granted(store, "miss");
    const waiting = reopen === undefined ? undefined : other.lease?.(A, "miss");
    equal(refused(await store.set(A, bytes(1), { ...FOREVER, token: first })), false);
    if (waiting !== undefined) same((await waiting)?.bytes, [1]);
    same((await store.lease?.(A, "miss"))?.bytes, [1]);
    const behind = await granted(store, "behind");
    if (reopen !== undefined) equal(await other.lease?.(A, "behind"), undefined);
    await store.release?.(A, behind);
    const anew = await granted(other, "behind");
    equal(refused(await other.set(A, bytes(2), { ...FOREVER, token: anew })), false);
    same(await store.get(A), [2]);
  },

  "by `lease`: refuses what began before a clear, or before what is younger": async ({ store }) => {
    if (!store.can.lease) return;
    for (const which of [{}, { site: A.site }, { site: A.site, key: A.key }]) {
      const token = await granted(store, "refresh");
      await store.remove(which);
      equal(refused(await store.set(A, bytes(1), { ...FOREVER, token })), true);
      equal(await store.get(A), undefined);
    }
    const earlier = await granted(store, "refresh");
    const later = await granted(store, "refresh");
    equal(refused(await store.set(A, bytes(2), { ...FOREVER, token: later })), false);
    equal(refused(await store.set(A, bytes(1), { ...FOREVER, token: earlier })), true);
    same(await store.get(A), [2]);
  },

  "by `watch`: tells what another has changed or removed": async ({ store, reopen }) => {
    if (!store.can.watch || reopen === undefined) return;
    const other = await reopen();
    for (const act of [
      () => other.set(A, bytes(2), FOREVER),
      () => other.remove({ site: A.site, key: A.key }),
      () => other.remove({ site: A.site }),
      () => other.remove({}),
    ]) {
      await other.set(A, bytes(1), FOREVER);
      let told = false;
      same(
        await store.get(A, () => {
          told = true;
        }),
        [1],
      );
      // Once too often is allowed, and then not again.
      await act();
      for (let tries = 0; !told && tries < 200; tries++) await new Promise((done) => setTimeout(done, 10));
      equal(told, true);
    }
  },

  "by `sync`: answers at once": async ({ store }) => {
    if (!store.can.sync) return;
    const answers = [store.get(A), store.set(A, bytes(1), FOREVER), store.get(A), store.remove({}), store.flush()];
    equal(
      answers.some((answer) => answer instanceof Promise),
      false,
    );
  },

  "by `read`: gives what `get` gives, at once or one part after the other": async ({ store }) => {
    if (store.read === undefined) return;
    equal(store.read(A), undefined);
    for (const length of [0, 3, 65_000, 70_001, 300_001]) {
      const wanted = Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 255);
      await store.set(A, [wanted], FOREVER);
      equal(isSame(inParts(store.read(A)), wanted), true);
      await store.flush();
      equal(isSame(inParts(store.read(A)), wanted), true);
      inParts(store.read(A))?.fill(9);
      equal(isSame(await store.get(A), wanted), true);
    }
    await store.remove({ site: A.site });
    equal(store.read(A), undefined);
  },

  "by `reopen`: has what was flushed, and not what was removed": async ({ store, reopen }) => {
    if (reopen === undefined) return;
    const gone = { ...A, key: "n2" };
    await store.set(A, bytes(1, 2), FOREVER);
    await store.set(gone, bytes(3), FOREVER);
    await store.flush();
    await store.remove({ site: gone.site, key: gone.key });
    await store.flush();
    const other = await reopen();
    same(await other.get(A), [1, 2]);
    equal(await other.get(gone), undefined);
    await other.set(A, bytes(4), FOREVER);
    await other.flush();
    same(await store.get(A), [4]);
    await other.close();
  },
};

/** @param make a store with nothing in it, for each test a new one */
export function conformance(make: () => Candidate | Promise<Candidate>): readonly ConformanceTest[] {
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    async run() {
      const candidate = await make();
      try {
        await check(candidate);
      } finally {
        await candidate.store.close();
        await candidate.end?.();
      }
    },
  }));
}

/** All of it, by parts of odd lengths; and there must be no more than it says. */
function inParts(found: ReturnType<NonNullable<Store["read"]>>): Uint8Array | undefined {
  if (found === undefined || found instanceof Uint8Array) return found;
  const all = new Uint8Array(found.length);
  for (let at = 0, part = 1; at < all.length; at += part, part = 2 * part + 1) found.read(all.subarray(at, at + part));
  let ended = false;
  try {
    found.read(new Uint8Array(1));
  } catch {
    ended = true;
  }
  found.close();
  equal(ended, true);
  return all;
}

async function granted(store: Store, cause: LeaseCause): Promise<string> {
  const leased = await store.lease?.(A, cause);
  if (leased?.token === undefined) throw new Error(`Expected a token for \`${cause}\``);
  return leased.token;
}

const refused = (answer: unknown): boolean => answer === false;

function same(found: Uint8Array | undefined, wanted: readonly number[]): void {
  if (!isSame(found, joined([Uint8Array.from(wanted)]))) {
    throw new Error(`Expected the bytes [${wanted}], got ${found === undefined ? "nothing" : `[${[...found]}]`}`);
  }
}

function equal(found: unknown, wanted: unknown): void {
  if (!Object.is(found, wanted)) throw new Error(`Expected ${String(wanted)}, got ${String(found)}`);
}

function isSame(found: Uint8Array | undefined, wanted: Uint8Array): boolean {
  if (found?.length !== wanted.length) return false;
  for (let at = 0; at < wanted.length; at++) if (found[at] !== wanted[at]) return false;
  return true;
}
