/** The recogniser's own parts; what it says of whole files is in `fixtures/refusals`. */
import { describe, expect, test } from "@jest/globals";
import { type TransformError, transform } from "../index.ts";
import { Report } from "./diagnostics.ts";
import { CONTENT_FILTER, DIRECTIVES, findDirective, mayHoldDirective } from "./directive.ts";
import type * as ir from "./ir.ts";

describe("whether a file is worth parsing", () => {
  test.each([
    '"use cache data"',
    "'use cache resource'",
    "`use cache data`",
    '"Use Cache Data"',
    '"use-cache-data"',
    '"useCacheData"',
    '" use  cache data"',
    '"use cached data"',
    '"use caching data"',
    '"use cache"',
  ])("%s is", (text) => {
    const source = `function f() {\n  ${text};\n}\n`;
    expect(mayHoldDirective(source)).toBe(true);
    // Hosts that filter by the expression alone let through at least as much.
    expect(CONTENT_FILTER.test(source)).toBe(true);
  });

  test.each([
    "export const a = 1;",
    "// use cache data",
    "import { useCache } from './use-cache';",
    "const { data } = useCached(key);",
    '"use strict"; "use client"; "use server";',
    "'use cache: remote';",
    '"use cache : private";',
    '"because of the use of a cache"',
    '"abuse cache data"',
    "",
  ])("%s is not", (text) => {
    expect(mayHoldDirective(text)).toBe(false);
  });

  test("the expression keeps no state between files", () => {
    expect(CONTENT_FILTER.global || CONTENT_FILTER.sticky).toBe(false);
  });
});

describe("the directive of a body", () => {
  const body = (...raws: string[]): ir.FunctionBody => ({
    type: "FunctionBody",
    start: 0,
    end: 0,
    directives: raws.map((raw, i) => ({ type: "Directive", raw, start: i, end: i })),
    body: [],
  });
  const find = (...raws: string[]) => {
    const report = new Report("", "a.ts");
    const found = findDirective(body(...raws), "f", report);
    return [found?.kind, found?.directive.start, ...report.diagnostics.map((each) => each.code)];
  };

  test.each<[string[], unknown[]]>([
    [[], [undefined, undefined]],
    [["use strict"], [undefined, undefined]],
    [["use cache data"], ["data", 0]],
    [["use cache resource"], ["resource", 0]],
    [
      ["use strict", "use cache data"],
      ["data", 1],
    ],
    [
      ["use cache data", "use strict"],
      ["data", 0],
    ],
    [
      ["use cache data", "use cache data"],
      ["data", 0],
    ],
    [
      ["use cache data", "use cache resource"],
      ["data", 0, "conflicting-directives"],
    ],
    [
      ["use cache data", "use server"],
      ["data", 0, "conflicting-directives"],
    ],
    [
      ["use client", "use cache resource"],
      ["resource", 1, "conflicting-directives"],
    ],
    [["use cache"], [undefined, undefined, "ambiguous-directive"]],
    [
      ["use cache", "use cache data"],
      ["data", 1, "ambiguous-directive"],
    ],
    [["use cached data"], [undefined, undefined, "misspelt-directive"]],
    [["use cache: remote"], [undefined, undefined]],
    [["use cache dat\\u0061"], [undefined, undefined, "misspelt-directive"]],
  ])("%j", (raws, expected) => {
    expect(find(...raws)).toEqual(expected);
  });

  test("there are two", () => {
    expect(DIRECTIVES).toEqual({ "use cache data": "data", "use cache resource": "resource" });
  });
});

test("a longer expression was meant as a directive where a line ends behind the string, and there alone", () => {
  const codes = (rest: string) => {
    try {
      transform(`export function load(url: string) {\n  "use cache data"${rest}\n}\n`, {
        filename: "/app/load.ts",
        root: "/app",
        hash: { cache: false },
      });
      return [];
    } catch (error) {
      return (error as TransformError).diagnostics.map(({ code }) => code);
    }
  };
  const refused = ["directive-not-string"];
  expect(codes("\n  [1].map(String)")).toEqual(refused);
  expect(codes(" // all of it\n  (url)")).toEqual(refused);
  expect(codes(" /* all */\r\n  `all`")).toEqual(refused);
  expect(codes(".split(url)")).toEqual([]);
  expect(codes(" /* all */ + url")).toEqual([]);
});
