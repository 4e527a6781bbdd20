import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { nameOf } from "../../fixtures/puppet-store.ts";
import { Damage } from "./codec.ts";
import { memoryStore, type Store } from "./conformance.ts";
import { hmac, isEqual, portableHmac } from "./hmac.ts";
import { Forged, Seal } from "./seal.ts";
import type { EntryName } from "./store.ts";

const SECRET = "correct horse battery staple";
const OTHER = "another secret, just as long";
const ABOUT = { began: 1, until: Number.POSITIVE_INFINITY, tags: ["user:ada"], maxEntries: undefined };
const A = nameOf("s3:ada");
const bytes = (text: string) => new TextEncoder().encode(text);

/** What a store was given, and its entries by hand. */
function recording() {
  const inner = memoryStore();
  const seen: string[] = [];
  const names = new Set<string>();
  let raw: { name: EntryName; bytes: Uint8Array }[] = [];
  const note = (...parts: unknown[]) => void seen.push(JSON.stringify(parts));
  const store: Store = {
    ...inner,
    get(name) {
      note(name);
      names.add(JSON.stringify(name));
      return inner.get(name);
    },
    set(name, pieces, about) {
      const all = Buffer.concat(pieces);
      note(name, about, all.toString("latin1"));
      raw = [...raw, { name, bytes: Uint8Array.from(all) }];
      return inner.set(name, pieces, about);
    },
    remove(which) {
      note(which);
      return inner.remove(which);
    },
  };
  const plant = (name: EntryName, given: Uint8Array) => inner.set(name, [given], ABOUT);
  return { store, seen, plant, entries: () => raw, inner };
}

describe("HMAC-SHA-256", () => {
  test("is that of RFC 4231", () => {
    const vectors: [key: Uint8Array, data: Uint8Array, mac: string][] = [
      [Buffer.alloc(20, 0x0b), bytes("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
      [
        bytes("Jefe"),
        bytes("what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
      [
        Buffer.alloc(131, 0xaa),
        bytes("Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      ],
    ];
    for (const [key, data, mac] of vectors) {
      for (const make of [hmac, portableHmac]) expect(Buffer.from(make(key)([data])).toString("hex")).toBe(mac);
    }
  });

  test("is the same by the host and by our own code, however it is cut into pieces", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 150 }),
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
        (key, pieces) => {
          const whole = createHmac("sha256", key).update(Buffer.concat(pieces)).digest();
          return isEqual(hmac(key)(pieces), whole) && isEqual(portableHmac(key)(pieces), whole);
        },
      ),
    );
  });

  test("is compared to its end, and by its length", () => {
    const mac = Uint8Array.from(randomBytes(32));
    expect(isEqual(mac, mac.slice())).toBe(true);
    expect(isEqual(mac, mac.subarray(0, 31))).toBe(false);
    for (let at = 0; at < 32; at++) {
      const other = mac.slice();
      other[at] = (other[at] as number) ^ 1;
      expect(isEqual(mac, other)).toBe(false);
    }
  });

  test("takes as long wherever the difference is", () => {
    const mac = new Uint8Array(4096);
    const first = mac.slice();
    first[0] = 1;
    const last = mac.slice();
    last[4095] = 1;
    const time = (other: Uint8Array) => {
      const began = performance.now();
      for (let i = 0; i < 200; i++) isEqual(mac, other);
      return performance.now() - began;
    };
    const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1] as number;
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < 60; i++) {
      times[0].push(time(first));
      times[1].push(time(last));
    }
    // One that stops at the first difference would be a thousand times as fast.
    expect(median(times[1]) / median(times[0])).toBeLessThan(20);
    expect(median(times[1]) / median(times[0])).toBeGreaterThan(0.05);
  });
});

describe("a sealed entry", () => {
  test("comes back as it was, by who knows the secret", () => {
    const { store } = recording();
    const sealed = new Seal([SECRET]).around(store);
    sealed.set(A, [bytes("val"), bytes("ue")], ABOUT);
    expect(new Seal([bytes(SECRET)]).around(store).get(A)).toEqual(bytes("value"));
    expect(new Seal([OTHER]).around(store).get(A)).toBeUndefined();
  });

  test("is not one if a bit differs, if it is cut off or continued, or has no seal", () => {
    const { store, plant, entries } = recording();
    const sealed = new Seal([SECRET]).around(store);
    sealed.set(A, [bytes("value")], ABOUT);
    const { name, bytes: good } = entries()[0] as { name: EntryName; bytes: Uint8Array };
    const bad = [
      ...Array.from({ length: good.length * 8 }, (_, bit) => {
        const flipped = good.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        return flipped;
      }),
      ...Array.from({ length: good.length }, (_, length) => good.subarray(0, length)),
      Uint8Array.from([...good, 0]),
      bytes("value"),
    ];
    for (const each of bad) {
      plant(name, each);
      expect(() => sealed.get(A)).toThrow(Forged);
      expect(() => sealed.get(A)).toThrow(Damage);
    }
    plant(name, good);
    expect(sealed.get(A)).toEqual(bytes("value"));
  });

  test("can't be put in the place of another: of another function, code or key", () => {
    const { store, plant, entries } = recording();
    const sealed = new Seal([SECRET]).around(store);
    const names = [A, { ...A, site: "src/b.ts#f" }, { ...A, code: "h1:2" }, { ...A, key: "s3:bob" }];
    for (const [at, name] of names.entries()) sealed.set(name, [bytes(`value ${at}`)], ABOUT);
    const [first] = entries();
    for (const [at, name] of names.entries()) {
      const other = entries()[at] as { name: EntryName };
      plant(other.name, (first as { bytes: Uint8Array }).bytes);
      if (at === 0) expect(sealed.get(name)).toEqual(bytes("value 0"));
      else expect(() => sealed.get(name)).toThrow(Forged);
    }
  });

  test("is found by names that say nothing, and the same ones each time", () => {
    const { store, seen } = recording();
    const sealed = new Seal([SECRET]).around(store);
    sealed.set(A, [bytes("v")], ABOUT);
    sealed.get(A);
    for (const which of [{ site: A.site }, { site: A.site, key: A.key }, { tag: "user:ada" }, {}]) sealed.remove(which);
    for (const text of ["src", "a.ts", "#f", "h1:1", "s3", "ada", "user"]) expect(seen.join("\n")).not.toContain(text);
    expect(sealed.get(A)).toBeUndefined();
    // A part of one kind is not that of another.
    const alike = { site: "x", code: "x", key: "x" };
    sealed.get(alike);
    const given = Object.values(JSON.parse(seen.at(-1) as string)[0] as EntryName);
    expect(new Set(given).size).toBe(3);
  });

  test("is removed by its function, its call and its tags", () => {
    for (const which of [{ site: A.site }, { site: A.site, key: A.key }, { tag: "user:ada" }, {}]) {
      const { store } = recording();
      const sealed = new Seal([SECRET]).around(store);
      sealed.set(A, [bytes("v")], ABOUT);
      sealed.remove({ tag: "other" });
      expect(sealed.get(A)).toBeDefined();
      sealed.remove(which);
      expect(sealed.get(A)).toBeUndefined();
    }
  });
});

describe("a secret that is changed", () => {
  test("what the old one has sealed is accepted, and cleared, as long as it is in the list", () => {
    for (const which of [{ site: A.site }, { site: A.site, key: A.key }, { tag: "user:ada" }]) {
      const { store } = recording();
      new Seal([SECRET]).around(store).set(A, [bytes("old")], ABOUT);
      const both = new Seal([OTHER, SECRET]).around(store);
      expect(both.get(A)).toEqual(bytes("old"));
      both.remove(which);
      expect(both.get(A)).toBeUndefined();
      new Seal([SECRET]).around(store).set(A, [bytes("old")], ABOUT);
      both.set(A, [bytes("new")], ABOUT);
      expect(both.get(A)).toEqual(bytes("new"));
      expect(new Seal([OTHER]).around(store).get(A)).toEqual(bytes("new"));
    }
  });

  test("of stores that must be waited for, too", async () => {
    const { store } = recording();
    const later: Store = { ...store, can: { ...store.can, sync: false }, get: async (name) => store.get(name) };
    new Seal([SECRET]).around(store).set(A, [bytes("old")], ABOUT);
    const both = new Seal([OTHER, SECRET]).around(later);
    expect(await both.get(A)).toEqual(bytes("old"));
    await both.remove({ tag: "user:ada" });
    expect(await both.get(A)).toBeUndefined();
  });
});

test("a store that grants leases gives what the old secret has sealed, and grants nothing", async () => {
  const { store } = recording();
  const released: string[] = [];
  const granting: Store = {
    ...store,
    can: { ...store.can, sync: false, lease: true },
    lease: async (name) => {
      const bytes = store.get(name) as Uint8Array | undefined;
      return bytes === undefined ? { token: "t" } : { bytes };
    },
    release: (_name, token) => {
      released.push(token);
    },
  };
  new Seal([SECRET]).around(store).set(A, [bytes("old")], ABOUT);
  const both = new Seal([OTHER, SECRET]).around(granting);
  expect(await both.lease?.(A, "miss")).toEqual({ bytes: bytes("old") });
  expect(released).toEqual(["t"]);
  expect(await both.lease?.(A, "refresh")).toEqual({ token: "t" });
  expect(await both.lease?.({ ...A, key: "other" }, "miss")).toEqual({ token: "t" });
  await both.set(A, [bytes("new")], ABOUT);
  expect(await both.lease?.(A, "miss")).toEqual({ bytes: bytes("new") });
});

test("a tag that is hidden already stays as it is; all its forms are known", () => {
  const seal = new Seal([OTHER, SECRET]);
  const hidden = seal.hideTag("t");
  expect(seal.hideTag(hidden)).toBe(hidden);
  expect(seal.formsOf("t")).toContain(new Seal([SECRET]).hideTag("t"));
  expect(seal.formsOf("t")[0]).toBe(hidden);
});
