import * as babel7 from "@babel/core";
import { describe, expect, test } from "@jest/globals";
import * as babel8 from "babel8-core";
import { ReadError } from "../core/read-error.ts";
import { type BabelCore, parseBabel } from "./parse.ts";

const VERSIONS: [string, BabelCore][] = [babel7, babel8].map((babel) => [babel.version, babel as unknown as BabelCore]);

const thrownBy = (run: () => unknown): ReadError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ReadError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe.each(VERSIONS)("Babel %s", (_, babel) => {
  /** `^` marks where the error is. */
  test.each([
    ["on the first line", "let x = ^;"],
    ["on a later line", "function f() {\n  return (1^;\n}\nfoo()"],
    ["behind tabs, emoji and a BOM", "\ufeff\t/* 💥é */ let x = ^;"],
    ["behind CRLF", "a;\r\nb;\r\nlet x = ^;\r\n"],
  ])("a syntax error %s", (_where, marked) => {
    const offset = marked.indexOf("^");
    const error = thrownBy(() => parseBabel(marked.replace("^", ""), "dir: name/a.ts", babel));
    expect(error).toMatchObject({ name: "ReadError", code: "syntax", offset });
    expect(error.message).toMatch(/^Unexpected token(?:, expected ",")?$/);
    const before = marked.slice(0, offset).split("\n");
    expect([error.line, error.column]).toEqual([before.length, before.at(-1)!.length]);
  });

  test.each([
    ["a type assertion", "<T>x", { "a.ts": true, "a.mts": true, "a.tsx": false, "a.js": false }],
    ["JSX", "<a />", { "a.ts": false, "a.tsx": true, "a.js": true, "a.jsx": true, "a.mjs": true, "a.cjs": true }],
    ["return at the top", "return 1", { "a.cjs": true, "a.js": true, "a.ts": true, "a.mjs": false, "a.mts": false }],
    ["import", "import 'a'", { "a.js": true, "a.mjs": true, "a.ts": true, "a.cts": true, "a.cjs": false }],
    ["with", "with (a) b", { "a.cjs": true, "a.js": true, "a.mjs": false }],
    ["decorators of both kinds", "@a class A { @b [c]() {} }", { "a.ts": true, "a.js": true }],
    ["decorators of parameters", "class A { constructor(@a b) {} }", { "a.ts": true, "a.js": false }],
  ])("grammar by file name: %s", (_what, source, files) => {
    const parses = (file: string): boolean => {
      try {
        return Boolean(parseBabel(source, file, babel));
      } catch {
        return false;
      }
    };
    expect(Object.fromEntries(Object.keys(files).map((file) => [file, parses(file)]))).toEqual(files);
  });

  test("what is no syntax error is not passed off as one", () => {
    const broken: BabelCore = {
      version: babel.version,
      parseSync() {
        throw new TypeError("a bug");
      },
    };
    expect(() => parseBabel("a", "a.ts", broken)).toThrow(TypeError);
  });
});
