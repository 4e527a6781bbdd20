import { describe, expect, test } from "@jest/globals";
import swcLatest from "@swc/core";
import swcOldest from "swc-1.15.41";
import swcRenamed from "swc-1.16.0";
import { ReadError } from "../core/read-error.ts";
import { parseSwc, type Swc } from "./parse.ts";

const VERSIONS: [string, Swc][] = [swcOldest, swcRenamed, swcLatest].map((swc) => [swc.version, swc as Swc]);
const swc = swcLatest as Swc;

const thrownBy = (run: () => unknown): ReadError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ReadError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe.each(VERSIONS)("a syntax error of %s", (_, version) => {
  /** `^` marks where the error is. */
  test.each([
    ["on the first line", "let x = ^;"],
    ["on a later line", "function f() {\n  return (1^;\n}\nfoo()"],
    ["behind tabs", "\t\tlet x = ^;"],
    ["behind emoji and wide characters", "/* 💥漢字é */ let x = ^;"],
    ["behind a BOM", "\ufefflet x = ^;"],
    ["behind CRLF", "a;\r\nb;\r\nlet x = ^;\r\n"],
    ["behind a hashbang", "#!/usr/bin/env node\nlet x = ^;"],
    ["far down", `${"a;\n".repeat(1200)}let x = ^;`],
  ])("%s", (_where, marked) => {
    const offset = marked.indexOf("^");
    const error = thrownBy(() => parseSwc(marked.replace("^", ""), "a.ts", version));
    expect(error).toMatchObject({ name: "ReadError", code: "syntax", offset });
    expect(error.message).toMatch(/^[A-Z].*(?:xpected|expression)/);
    expect(error.message).not.toMatch(/\n|Error:|Stack backtrace|Caused by/);
    const before = marked.slice(0, offset).split("\n");
    expect([error.line, error.column]).toEqual([before.length, before.at(-1)!.length]);
  });
});

test("the error of the first goal is the one shown", () => {
  expect(thrownBy(() => parseSwc("import a from 'b'; let x = ;", "a.js", swc)).message).toMatch(/Expression expected/);
});

describe("grammar by file name", () => {
  const parses = (source: string, file: string): boolean => {
    try {
      parseSwc(source, file, swc);
      return true;
    } catch {
      return false;
    }
  };
  test.each([
    ["a type assertion", "<T>x", { "a.ts": true, "a.mts": true, "a.tsx": false, "a.js": false }],
    ["JSX", "<a />", { "a.ts": false, "a.tsx": true, "a.js": true, "a.jsx": true, "a.mjs": true, "a.cjs": true }],
    ["a type", "type A = B", { "a.ts": true, "a.tsx": true, "a.cts": true, "a.js": false }],
    ["return at the top", "return 1", { "a.cjs": true, "a.js": true, "a.ts": true, "a.mjs": false, "a.mts": false }],
    ["import", "import 'a'", { "a.js": true, "a.mjs": true, "a.ts": true, "a.cts": true, "a.cjs": false }],
    ["with", "with (a) b", { "a.cjs": true, "a.js": true, "a.mjs": false, "a.ts": false }],
    ["a query", "<a />", { "a.tsx?v=1": true, "/x/a.ts?a.tsx": false }],
    ["no extension that is known", "<a />", { a: true, "a.vue": true }],
  ])("%s", (_, source, files) => {
    const found = Object.fromEntries(Object.keys(files).map((file) => [file, parses(source, file)]));
    expect(found).toEqual(files);
  });
});

describe("versions", () => {
  test.each(["1.15.40", "1.3.100", "1.0.0", "0.9.0"])("%s is too old, and says what to type", (version) => {
    const error = thrownBy(() => parseSwc("a", "a.ts", { ...swc, version }));
    expect(error.code).toBe("parser-version");
    expect(error.message).toContain(`found ${version}`);
    expect(error.message).toContain("npm i -D @swc/core@latest");
  });
  test.each(["1.15.41", "1.15.42-nightly-20260701.1", "1.16.0", "1.20.3", "2.0.0"])("%s is new enough", (version) => {
    expect(() => parseSwc("a", "a.ts", { version, parseSync: swc.parseSync })).not.toThrow();
  });
});

test("the base is where SWC says that the source begins, not its first token", () => {
  expect(parseSwc("/* a */ b", "a.ts", swc).base).toBe(1);
  const shifted = {
    version: swc.version,
    parseSync: () => Object.assign({}, { [Symbol("@swc/core.programSourceContext")]: { startPos: 77 } }),
  };
  expect(parseSwc("b", "a.ts", shifted).base).toBe(77);
});

test("a reference to no character does not end the process", () => {
  for (const [, version] of VERSIONS)
    for (const bad of ["&#x;", "&#;", "&#xD800;", "&#1114112;"])
      expect(() => parseSwc(`<a b="${bad}">${bad}</a>`, "a.tsx", version)).not.toThrow();
});
