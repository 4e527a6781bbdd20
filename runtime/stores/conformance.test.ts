import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { type Candidate, conformance, memoryStore, type Store, withChaos } from "./conformance.ts";
import { diskStore } from "./disk.ts";

const top = mkdtempSync(join(tmpdir(), "kept-stores-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let made = 0;

const CANDIDATES: Readonly<Record<string, () => Candidate>> = {
  memory: () => ({ store: memoryStore() }),
  disk: () => {
    const dir = join(top, `${++made}`);
    return { store: diskStore({ dir }), reopen: () => diskStore({ dir }) };
  },
  "memory behind promises": () => ({ store: later(memoryStore()) }),
};

/** The same store, as one that can't answer at once. */
function later(store: Store): Store {
  return {
    ...store,
    can: { ...store.can, sync: false },
    get: async (name) => store.get(name),
    set: async (name, pieces, about) => store.set(name, pieces, about),
    remove: async (which) => store.remove(which),
    flush: async () => store.flush(),
  };
}

const calm = { random: () => 0.999 };

describe.each(Object.entries(CANDIDATES))("%s", (_, make) => {
  for (const { name, run } of conformance(make)) test(name, run);
  describe("behind a wrapper that does no mischief", () => {
    for (const { name, run } of conformance(() => {
      const { store, ...rest } = make();
      return { ...rest, store: withChaos(store, calm) };
    }))
      test(name, run);
  });
});

describe("the suite finds", () => {
  const failing = async (wrong: (store: Store) => Store) => {
    const failed: string[] = [];
    for (const { name, run } of conformance(() => ({ store: wrong(memoryStore()) }))) {
      await run().catch(() => failed.push(name));
    }
    return failed;
  };
  const FAULTS: Readonly<Record<string, (store: Store) => Store>> = {
    "a store that keeps nothing": (store) => ({ ...store, set() {} }),
    "a store that shares its bytes": (store) => {
      const shared = new Map<string, Uint8Array | undefined>();
      return {
        ...store,
        get({ key, ...name }) {
          if (!shared.has(key)) shared.set(key, store.get({ key, ...name }) as Uint8Array | undefined);
          return shared.get(key);
        },
      };
    },
    "a store that ignores the code": (store) => ({
      ...store,
      get: (name) => store.get({ ...name, code: "" }),
      set: (name, pieces, about) => store.set({ ...name, code: "" }, pieces, about),
    }),
    "a store that removes too little": (store) => ({
      ...store,
      remove: (which) => ("key" in which ? store.remove(which) : undefined),
    }),
    "a store that removes too much": (store) => ({ ...store, remove: () => store.remove({}) }),
    "a store that serves what is over": (store) => ({
      ...store,
      set: (name, pieces, about) => store.set(name, pieces, { ...about, until: Number.POSITIVE_INFINITY }),
    }),
    "a store that says it is synchronous and isn't": (store) => ({ ...store, get: async (name) => store.get(name) }),
    "a store that fails": (store) => withChaos(store, { random: () => 0, errors: 1 }),
    "a store that tears what it reads": (store) => withChaos(store, { random: () => 0.1, tornReads: 1 }),
    "a store that loses writes": (store) => withChaos(store, { random: () => 0, lostWrites: 1 }),
  };
  test.each(Object.entries(FAULTS))("%s", async (_, wrong) => {
    expect(await failing(wrong)).not.toEqual([]);
  });
});
