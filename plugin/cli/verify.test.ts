import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { transform } from "../index.ts";
import { routeNamed } from "../routes.ts";
import { printVerification, verify } from "./verify.ts";

let dist: string;
beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), "kept-verify-"));
});
afterEach(() => rmSync(dist, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(dist, name), text);
const look = () => verify(dist, routeNamed("swc"));
const source = 'export function load(id) {\n  "use cache data";\n  return { id };\n}\n';
const built = () => transform(source, { filename: join(dist, "load.js"), root: dist })!.code;

test("a transformed build is in order", () => {
  write("load.mjs", built());
  expect(look()).toEqual({ files: 1, sites: 1, findings: [] });
});

test.each([
  ["in a function", source, 2],
  ["of the file", '"use cache resource";\nexport const a = () => 1;\n', 1],
  ["lowered into a generator", 'const f = function* () {\n\n  "use cache data";\n};\n', 3],
])("finds a directive %s", (_, text, line) => {
  write("load.js", text);
  const { findings } = look();
  expect(findings.map((each) => [each.what, each.line])).toEqual([["directive", line]]);
  expect(printVerification(look())).toContain("never transformed");
});

test("a string that only quotes the directive is none", () => {
  write("docs.js", 'export const text = "use cache data";\n');
  expect(look().findings).toEqual([]);
});

test.each([
  ["as written", (code: string) => code.replace("{ v: 1,", "{ v: 99,")],
  [
    "with a template for the id",
    (code: string) => code.replace("{ v: 1,", "{ v: 99,").replace(/id: "([^"]+)"/, "id: `$1`"),
  ],
])("finds a site of another contract, %s", (_, edit) => {
  write("load.mjs", edit(built()));
  expect(look().findings).toMatchObject([{ what: "contract", message: expect.stringContaining("load.js#load") }]);
});

test("says which file can't be parsed", () => {
  write("broken.js", 'const = "use cache data";');
  expect(look().findings).toMatchObject([{ what: "unreadable" }]);
});

test("packages and other files are left out", () => {
  mkdirSync(join(dist, "node_modules"));
  write("node_modules/a.js", source);
  write("load.js.map", source);
  expect(look()).toEqual({ files: 0, sites: 0, findings: [] });
});
