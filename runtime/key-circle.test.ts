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
