import { Readable } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { KeptError, UnhashableArgumentError } from "./errors.ts";
import { encodeKey, type SiteNames } from "./key.ts";

const site: SiteNames = {
  id: "src/rides.ts#loadRides",
  hashed: ["url", "filters", "more", "region"],
  rest: 2,
  captured: 1,
};

function refusal(slots: readonly unknown[], names = site): UnhashableArgumentError {
  try {
    encodeKey(slots, names);
  } catch (error) {
    if (error instanceof UnhashableArgumentError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

class User {
  id = 7;
}

/** A thenable, as query builders are. */
class Query {}
// biome-ignore lint/suspicious/noThenProperty: that is the case
Object.defineProperty(Query.prototype, "then", { value: () => undefined });

/** What is refused as an argument, what it is called, and a part of the advice. */
const REFUSED: readonly (readonly [type: string, value: unknown, advice: string])[] = [
  ["User", new User(), "registerType(User, { key: (user) => user.id });"],
  ["function", () => 1, "make it a cached function itself"],
  ["function", async function load() {}, "the function `load`"],
  ["class", User, "the class `User`"],
  ["symbol", Symbol("id"), 'Symbol.for("id");'],
  ["Promise", Promise.resolve(1), "load(await promise);"],
  ["Query", new Query(), "load(await promise);"],
  ["WeakMap", new WeakMap(), "Pass a Map or a Set"],
  ["WeakSet", new WeakSet(), "Pass a Map or a Set"],
  ["WeakRef", new WeakRef({}), "Pass a Map or a Set"],
  ["Response", new Response("x"), "load(await response.json());"],
  ["Request", new Request("http://a"), "load(request.url, request.method);"],
  ["Blob", new Blob(["x"]), "load(await blob.arrayBuffer());"],
  ["File", fileOf(), "load(await file.arrayBuffer(), file.name);"],
  ["ReadableStream", new ReadableStream(), "Read it first"],
  ["Readable", Readable.from(["x"]), "Read it first"],
  ["Generator", (function* () {})(), "load([...iterator]);"],
  ["Map Iterator", new Map().entries(), "load([...iterator]);"],
  ["AsyncGenerator", (async function* () {})(), "Collect its values first"],
  ["AbortSignal", new AbortController().signal, "begin its name with an underscore"],
  ["Map", new Proxy(new Map(), {}), "Pass the `Map` itself"],
  ["Date", Object.create(Date.prototype), "Pass the `Date` itself"],
  ["Int8Array", Object.create(Int8Array.prototype), "Pass the `Int8Array` itself"],
  ["object", Object.create({ inherited: 1 }), "Make it a plain object"],
  ["Rows", new (class Rows extends Array {})(), "registerType(Rows"],
  ["Table", new (class Table extends Map {})(), "registerType(Table"],
  ["Day", new (class Day extends Date {})(), "registerType(Day"],
  ["NotFound", new (class NotFound extends Error {})(), "registerType(NotFound"],
  ["an anonymous class", new (class {})(), 'Symbol.for("kept.key")'],
];

function fileOf(): unknown {
  const form = new FormData();
  form.append("file", new Blob(["x"]), "x.txt");
  return form.get("file");
}

describe("an argument that can't be keyed", () => {
  test.each(REFUSED)("%s: is refused with its own advice", (type, value, advice) => {
    for (const [slots, path] of [
      [["u", value], "filters"],
      [["u", { owner: value }], "filters.owner"],
      [["u", [1, { owner: [value] }]], "filters[1].owner[0]"],
      [["u", new Map([["owner", value]])], 'filters.get("owner")'],
      [["u", { "first name": value }], 'filters["first name"]'],
      [["u", new Error("x", { cause: value })], "filters.cause"],
      [["u", { [Symbol.for("s")]: value }], "filters[Symbol(s)]"],
    ] as const) {
      const error = refusal([...slots, "west"], site);
      expect(error.code).toBe("unhashable-argument");
      expect(error).toMatchObject({ site: "src/rides.ts#loadRides", parameter: "filters", path, type });
      expect(error.message).toContain("argument `filters` of `loadRides`");
      expect(error.message).toContain(`\`${path}\` is`);
      expect(error.message).toContain(advice);
      expect(error.message).toContain('cacheOptions({ ignore: ["filters"] });');
      expect(error.message).toContain("function loadRides(_filters, …)");
    }
  });

  test("is a KeptError that any copy of the package knows", () => {
    const error = refusal(["u", User, "west"]);
    expect(error).toBeInstanceOf(KeptError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("UnhashableArgumentError");
    expect(String(error)).toContain("UnhashableArgumentError: Can't key argument");
  });

  test("is named by its parameter: an element of a rest parameter, a capture", () => {
    const fn = () => 1;
    expect(refusal([fn, 1, "west"])).toMatchObject({ parameter: "url", path: "url" });
    expect(refusal(["u", 1, "r0", { a: fn }, "west"])).toMatchObject({ parameter: "more", path: "more[1].a" });
    const captured = refusal(["u", 1, "r0", "r1", fn]);
    expect(captured).toMatchObject({ parameter: "region", path: "region" });
    expect(captured.message).toContain("captured variable `region`");
    expect(captured.message).not.toContain("_region");
    expect(refusal(["u", 1, fn])).toMatchObject({ parameter: "region" });
  });

  test("that is `this` is offered no underscore", () => {
    const message = refusal([new User()], { id: "src/a.ts#Rides.load", hashed: ["this"] }).message;
    expect(message).toContain('cacheOptions({ ignore: ["this"] });');
    expect(message).not.toContain("_this");
  });

  test("tells a file inside of form data by its field", () => {
    const form = new FormData();
    form.append("photo", new Blob(["x"]), "x.jpg");
    expect(refusal(["u", form, "west"]).path).toBe('filters.get("photo")');
  });

  test("that never ends is refused, by depth", () => {
    const endless = (): unknown =>
      new Proxy(
        {},
        {
          ownKeys: () => ["left", "right"],
          getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
          get: () => endless(),
        },
      );
    const error = refusal(["u", endless(), "west"]);
    expect(error.path).toMatch(/^filters\.left\.left.*…$/);
    expect(error.path.length).toBeLessThan(100);
    expect(error.message).toContain("a proxy that never ends");
  });

  test("that nests deeper than the stack has room for is refused, not an overflow", () => {
    const nested = (levels: number) => {
      let value: unknown = 1;
      for (let i = 0; i < levels; i++) value = new Map([["k", value]]);
      return value;
    };
    expect(refusal(["u", nested(100_000), "west"]).path).toContain('filters.get("k").get("k")');
    expect(() => encodeKey(["u", nested(400), "west"], site)).not.toThrow();
    const little = (depth: number): UnhashableArgumentError => {
      try {
        return little(depth + 1);
      } catch (error) {
        if (error instanceof RangeError) return refusal(["u", nested(990), "west"]);
        throw error;
      }
    };
    expect(little(0).message).toContain("nested more than");
  });
});
