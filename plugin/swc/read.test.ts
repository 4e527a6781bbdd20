import { describe, expect, test } from "@jest/globals";
import swcLatest from "@swc/core";
import swcOldest from "swc-1.15.41";
import swcRenamed from "swc-1.16.0";
import type { Node } from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import { ReadError } from "../core/read-error.ts";
import { parseSwc, type Swc, type SwcFile } from "./parse.ts";
import { readSwc, type SwcReading } from "./read.ts";

const VERSIONS: [string, Swc][] = [swcOldest, swcRenamed, swcLatest].map((swc) => [swc.version, swc as Swc]);

const all = (node: Node): Node[] => {
  const found = [node];
  forEachChild(node, (child) => void found.push(...all(child)));
  return found;
};

describe.each(VERSIONS)("SWC %s", (_, swc) => {
  const read = (source: string, file = "a.tsx"): SwcReading => readSwc(parseSwc(source, file, swc), source);
  const texts = (source: string, type: Node["type"], file?: string): string[] =>
    all(read(source, file).program)
      .filter((node) => node.type === type)
      .map((node) => source.slice(node.start, node.end));

  describe("spans that the text route edits by, behind emoji and a BOM", () => {
    const before = "\ufeff/* 💥é */ ";
    test.each([
      ["FunctionBody", `function f(): A { a } `, ["{ a }"]],
      ["Directive", `function f() { "use a" ; 'b'\nc }`, ['"use a" ;', "'b'"]],
      ["ExpressionStatement", `a() ; b\n(c);`, ["a() ;", "b\n(c);"]],
      ["Import", `import { a } from "b" ; c`, ['import { a } from "b" ;']],
      ["ImportSpecifier", `import a, { b as c, type D, e } from "f"`, ["a", "b as c", "e"]],
      ["Call", `(a)(b)!; a?.b<T>(c).d();`, ["(a)(b)", "a?.b<T>(c).d()", "a?.b<T>(c)"]],
      [
        "Param",
        `(a?: A, { b }: B = {}, ...c: C[]) => 1; class D { constructor(private e = 1, @f readonly g: G) {} }`,
        ["a", "{ b }: B = {}", "...c", "e = 1", "@f readonly g"],
      ],
      ["Identifier", `var a: A, [b]: B = 0; c = <d.e />; (f!)`, ["a", "b", "c", "d", "f"]],
      [
        "Property",
        `x = { a, b: (c), [d]: 1, async *e() {}, get f() { return 1 } }`,
        ["a", "b: (c)", "[d]: 1", "async *e() {}", "get f() { return 1 }"],
      ],
      ["Method", `class A { @b static async c() {} #d() {} }`, ["@b static async c() {}", "#d() {}"]],
      [
        "Function",
        `async function a() {} x = { async b() {} }; (async (c) => c); export default function () {}`,
        ["async function a() {}", "async b() {}", "async (c) => c", "function () {}"],
      ],
      ["Class", `@a export class B {}`, ["@a export class B {}"]],
      ["ExportNamed", `@a export class B {}`, ["@a export class B {}"]],
      ["Object", `f(({ a } as B))`, ["{ a }"]],
    ] as const)("%s", (type, source, expected) => {
      expect(texts(before + source, type)).toEqual(expected);
    });
    test("Program is the whole source", () => {
      expect(texts(`${before}a // b\n`, "Program")).toEqual([`${before}a // b\n`]);
    });
  });

  test("an arrow's body is known with its parentheses and types", () => {
    const source = `f(() => ({ a }), () => (b, c), () => ((d)), () => e as T, async () => <T>f, () => g!, () => { h }, (i): (() => T) => /* => */ (i))`;
    const { arrowBodies } = read(source, "a.ts");
    expect([...arrowBodies.values()].map(({ start, end }) => source.slice(start, end))).toEqual([
      "({ a })",
      "(b, c)",
      "((d))",
      "e as T",
      "<T>f",
      "g!",
      "(i)",
    ]);
  });

  test("directives are the strings that open a body, and no others", () => {
    const source = `'a'; "b"; ("c"); "d"; function f() { "e"; f(); "g" } class A { static { "h" } } { "i" } () => { "j" }`;
    expect(texts(source, "Directive")).toEqual([`'a';`, `"b";`, `"e";`, `"j"`]);
  });

  describe("what the IR has no word for is an error at its place", () => {
    test.each([
      ["export v from", "let a;\nexport ^v from 'a';", { exportDefaultFrom: true }, /Export/],
      ["a node of the future", "a; ^b;", {}, /FutureStatement/],
    ])("%s", (_what, marked, options, type) => {
      const source = marked.replace("^", "");
      const ast = swc.parseSync(source, { syntax: "ecmascript", isModule: true, ...options }) as any;
      if (/^a; /.test(source)) ast.body[1].type = "FutureStatement";
      let error: unknown;
      try {
        readSwc({ ast, base: 1 } satisfies SwcFile, source);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(ReadError);
      expect(error).toMatchObject({ code: "unknown-node", offset: marked.indexOf("^") });
      expect((error as ReadError).message).toMatch(type);
    });

    test("an expression of the future", () => {
      const source = "a; f(b);";
      const ast = swc.parseSync(source, { syntax: "ecmascript" }) as any;
      ast.body[1].expression.arguments[0].expression.type = "FutureExpression";
      expect(() => readSwc({ ast, base: 1 }, source)).toThrow(/FutureExpression/);
    });
  });
});
