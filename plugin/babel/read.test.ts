import * as babel7 from "@babel/core";
import { describe, expect, test } from "@jest/globals";
import * as babel8 from "babel8-core";
import { differences } from "../../fixtures/parity/compare.ts";
import type { Node, Program } from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import { ReadError } from "../core/read-error.ts";
import { type BabelCore, parseBabel } from "./parse.ts";
import { type BabelReading, readBabel } from "./read.ts";

const VERSIONS: [string, BabelCore][] = [babel7, babel8].map((babel) => [babel.version, babel as unknown as BabelCore]);

const all = (node: Node): Node[] => {
  const found = [node];
  forEachChild(node, (child) => void found.push(...all(child)));
  return found;
};

const SOURCE = `
"use client";
import { a as b, type T } from "c";
@dec export default class K { @dec static async m(p: T, { q } = {}, ...r) { "use cache data"; return (p as any)?.q!.r(b); } #f = 1; get g() { return 2; } static { b(); } }
const o = { [b]: 1, s() {}, t, get u() { return <i x={b}>y{...z}</i>; } }, f = (x) => (x, 1);
for (const e of o) if (e) label: { break label; }
enum E { F = 1 } namespace N.M { export const v = \`a\${b}\`; }
`;

describe.each(VERSIONS)("Babel %s", (_, babel) => {
  const read = (source: string, file = "a.tsx"): BabelReading => readBabel(parseBabel(source, file, babel), source);

  test("every node of the IR has the Babel node that it came from", () => {
    const { program } = read(SOURCE);
    for (const node of all(program)) {
      const from = node.origin as { type: string; start: number; end: number };
      expect([node.type, typeof from?.type]).toEqual([node.type, "string"]);
    }
  });

  test.each([
    ["Function", "async m", "ClassMethod"],
    ["Method", "async m", "ClassMethod"],
    ["Property", "s() {}", "ObjectMethod"],
    ["Function", "s() {}", "ObjectMethod"],
    ["Function", "(x) =>", "ArrowFunctionExpression"],
    ["FunctionBody", '{ "use cache data"', "BlockStatement"],
    ["Directive", '"use cache data"', "Directive"],
    ["Call", "(p as any)?.q!.r(b)", "OptionalCallExpression"],
    ["Chain", "(p as any)?.q!.r(b)", "OptionalCallExpression"],
    ["Identifier", "p as any", "Identifier"],
    ["Sequence", "x, 1", "SequenceExpression"],
    ["ExportDefault", "@dec export default", "ExportDefaultDeclaration"],
    ["Class", "@dec export default", "ClassDeclaration"],
    ["If", "if (e)", "IfStatement"],
    ["Namespace", "namespace N", "TSModuleDeclaration"],
    ["JSXElement", "<i x", "JSXElement"],
  ] as const)("%s at `%s` comes from a %s", (type, text, from) => {
    const { program } = read(SOURCE);
    const node =
      all(program).find(
        (each) =>
          each.type === type &&
          SOURCE.slice(each.start)
            .replace(/^static /, "")
            .startsWith(text),
      ) ?? all(program).find((each) => each.type === type && SOURCE.slice(each.start, each.end).includes(text));
    expect(((node as Node).origin as { type: string }).type).toBe(from);
  });

  test("the AST is left as it was", () => {
    const file = parseBabel(SOURCE, "a.tsx", babel);
    freeze(file, new Set());
    expect(() => readBabel(file, SOURCE)).not.toThrow();
  });

  test("the other shapes that Babel's own options give read the same", () => {
    const source = `const x = await import("a", { with: {} }); ((x as any)?.b).c; (x)(); f(((1)));`;
    const withOptions = (parserOpts: object): Program =>
      readBabel(
        babel.parseSync(source, {
          configFile: false,
          babelrc: false,
          sourceType: "module",
          parserOpts: { plugins: ["typescript", "importAttributes"], ...parserOpts },
        }),
        source,
      ).program;
    const plain = withOptions({ createImportExpressions: true });
    expect(differences(withOptions({ createImportExpressions: false }), plain)).toEqual([]);
    expect(differences(withOptions({ createParenthesizedExpressions: true }), plain)).toEqual([]);
    expect(differences(withOptions({ ranges: true, tokens: true, attachComment: false }), plain)).toEqual([]);
  });

  describe("what the IR has no word for is an error at its place", () => {
    test.each([
      ["a do expression", "let x;\n  x = ^do { 1 };", "doExpressions", "DoExpression"],
      ["a throw expression", "f(^throw 1);", "throwExpressions", "UnaryExpression"],
      ["export v from", "export ^v from 'a';", "exportDefaultFrom", "ExportDefaultSpecifier"],
      ["a bind expression", "^a::b;", "functionBind", "BindExpression"],
      ["module blocks", "x = ^module { };", "moduleBlocks", "ModuleExpression"],
    ])("%s", (_what, marked, plugin, type) => {
      const source = marked.replace("^", "");
      const file = babel.parseSync(source, {
        configFile: false,
        babelrc: false,
        sourceType: "module",
        parserOpts: { plugins: [plugin] },
      });
      let error: unknown;
      try {
        readBabel(file, source);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(ReadError);
      expect(error).toMatchObject({ code: "unknown-node", offset: marked.indexOf("^") });
      expect((error as ReadError).message).toContain(type);
    });

    test("a node of the future", () => {
      const file = parseBabel("a; b;", "a.ts", babel) as any;
      file.program.body[1].type = "FutureStatement";
      expect(() => readBabel(file, "a; b;")).toThrow(/FutureStatement/);
      file.program.body[1].type = "ExpressionStatement";
      file.program.body[1].expression.type = "FutureExpression";
      expect(() => readBabel(file, "a; b;")).toThrow(/FutureExpression/);
    });
  });
});

function freeze(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each, seen);
}
