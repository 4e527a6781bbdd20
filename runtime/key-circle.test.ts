import { expect, test } from "@jest/globals";
import { cacheData } from "./generated.ts";
import { KeptError, UnhashableArgumentError } from "./index.ts";

test("a getter that calls the method which is keyed by it: one error that says what to do", () => {
  const load = cacheData({
    v: 1,
    id: "pages.ts#page.load",
    code: "h1:0",
    hashed: ["this"],
    excluded: [],
  });
  let runs = 0;
  const page = {
    id: 7,
    get url(): unknown {
      return load([this], () => ++runs);
    },
  };
  let thrown: unknown;
  try {
    load([page], () => ++runs);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(UnhashableArgumentError);
  expect(thrown).toBeInstanceOf(KeptError);
  expect((thrown as Error).message).toMatchInlineSnapshot(`
   "Can't key argument \`this\` of \`page.load\` (pages.ts#page.load): \`this\` is keyed by calling the function again. To key it, its getters are read; one of them calls the function, which needs the same key first.

   Say what identifies it:

     [Symbol.for("kept.key")]() { return [this.id]; }

   or key the function by what it uses:

     cacheOptions({ key: () => [this.id] });

   If the result does not depend on \`this\`, leave it out of the key:

     cacheOptions({ ignore: ["this"] });"
  `);
  expect(runs).toBe(0);
  // What comes after is keyed as ever.
  expect(load([{ id: 8 }], () => "eight")).toBe("eight");
  expect(load([{ id: 8 }], () => "nine")).toBe("eight");
});

test("of an async method: its caller gets that error, and nobody else does", async () => {
  const load = cacheData({
    v: 1,
    id: "pages.ts#later.load",
    code: "h1:0",
    hashed: ["this"],
    excluded: [],
    async: true,
  });
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", listen);
  const page = {
    id: 7,
    load: async (self: unknown) => load([self], async () => "never"),
    // Twice at each level: all of it would take 2 ** 100 calls.
    get texts(): unknown {
      return { all: [page.load(this), page.load(this)] };
    },
    get early(): unknown {
      return Promise.reject(new Error("whoever reads it has it"));
    },
  };
  await expect((async () => load([page], async () => "never"))()).rejects.toThrow(
    /keyed by calling the function again/,
  );
  await new Promise((done) => setTimeout(done, 20));
  process.off("unhandledRejection", listen);
  expect(unhandled).toEqual([]);
});

test("what a getter makes is not searched without end when the key is refused", () => {
  const load = cacheData({ v: 1, id: "pages.ts#endless", code: "h1:0", hashed: ["page"], excluded: [] });
  let made = 0;
  const endless = (): object => {
    if (made++ > 20_000) throw new Error("without end");
    return new Proxy(
      {},
      {
        ownKeys: () => ["next"],
        get: endless,
        getOwnPropertyDescriptor: () => ({ value: endless(), configurable: true, enumerable: true, writable: true }),
      },
    );
  };
  const page = {
    get first(): unknown {
      return endless();
    },
  };
  expect(() => load([page], () => "never")).toThrow(UnhashableArgumentError);
  expect(made).toBeLessThan(20_000);
});
