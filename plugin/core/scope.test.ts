/**
 * Who means whom. In the sources, `/*1*\/` stands before a declaration, `/*=1*\/` before a reference that must mean it
 * (`/*=0*\/`: a global), with `w` where it writes and `rw` where it does both.
 */
import { describe, expect, test } from "@jest/globals";
import * as swc from "@swc/core";
import { parseSwc } from "../swc/parse.ts";
import { readSwc } from "../swc/read.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import { type Binding, boundNames, inferScopes, isReassigned, lookup, type Reference } from "./scope.ts";

const read = (source: string, filename = "a.tsx") => readSwc(parseSwc(source, filename, swc), source).program;

function check(source: string, filename?: string): void {
  const program = read(source, filename);
  const scopes = inferScopes(program);
  const at = new Map<number, ir.Identifier>();
  const members = new Map<number, Binding>();
  const visit = (node: ir.Node): void => {
    if (node.type === "Identifier") at.set(node.start, node);
    if (node.type === "Enum")
      for (const member of node.members)
        members.set(member.start, scopes.scopeOf.get(node)?.bindings.get(member.name) as Binding);
    forEachChild(node, visit);
  };
  visit(program);

  const declared = new Map<string, Binding>();
  const marks = [...source.matchAll(/\/\*(=?)(\d+)([rw]*)\*\//g)];
  expect(marks.length).toBeGreaterThan(0);
  for (const { 0: mark, 1: refers, 2: number = "", index } of marks) {
    if (refers) continue;
    const start = index + mark.length;
    const id = at.get(start);
    const binding = (id && scopes.declarationOf.get(id)) ?? members.get(start);
    expect([number, binding?.name]).toEqual([number, /^[\w$]+/.exec(source.slice(start))?.[0]]);
    declared.set(number, binding as Binding);
  }
  for (const { 0: mark, 1: refers, 2: number = "", 3: access, index } of marks) {
    if (!refers) continue;
    const node = at.get(index + mark.length);
    const reference = scopes.referenceOf.get(node as ir.Identifier);
    const place = `${source.slice(0, index)}➤${source.slice(index)}`;
    expect([place, reference?.node.name]).toEqual([place, node?.name]);
    const { binding, reads, writes } = reference as Reference;
    const expected = declared.get(number);
    // A class has one name outside and one inside; a sloppy block function likewise.
    const same = expected ? binding?.declarations.some((each) => expected.declarations.includes(each)) : !binding;
    expect([place, binding?.kind ?? "global", same]).toEqual([place, binding?.kind ?? "global", true]);
    expect([place, reads, writes]).toEqual([place, access !== "w", access?.includes("w") ?? false]);
    if (binding) expect(binding.references).toContain(reference);
  }
}

const cases: Readonly<Record<string, readonly string[]>> = {
  "declarations are visible before they stand": [
    "/*=1*/f(); function /*1*/f() {}",
    "() => /*=1*/a; let /*1*/a = 1;",
    "new (class extends /*=1*/Base {}); class /*1*/Base {}",
    "/*=1*/a; var /*1*/a;",
    "{ /*=1*/a; const /*1*/a = 1; } const /*2*/a = 2; /*=2*/a;",
    "() => { /*=1*/a; { var /*1*/a; } };",
  ],
  "blocks hide": [
    "let /*1*/a; { let /*2*/a; /*=2*/a; } /*=1*/a;",
    "let /*1*/a; { { { /*=1*/a; } } }",
    "let /*1*/a; if (/*=1*/a) { const /*2*/a = 1; /*=2*/a; } else /*=1*/a;",
    "var /*1*/a; { var /*2*/b; } /*=2*/b; { /*=1*/a; }",
    "{ class /*1*/A {} /*=1*/A; } /*=0*/A;",
    "{ let /*1*/a; } /*=0*/a;",
    "{ using /*1*/a = open(); /*=1*/a; } /*=0*/a;",
  ],
  "parameters, bodies and defaults": [
    "function f(/*1*/a) { /*=1*/a; }",
    "function f(/*1*/a, b = /*=1*/a) { return [/*=1*/a]; }",
    "function f(a = /*=1*/b, /*1*/b) {}",
    "let /*1*/b; function f(a = /*=1*/b) { let /*2*/b; /*=2*/b; }",
    "let /*1*/b; function f(a = () => /*=1*/b) { var /*2*/b; /*=2*/b; }",
    "function f(/*1*/a, g = () => /*=1*/a) { var /*2*/a; /*=2*/a; }",
    "function f({ /*1*/a, b: { c: /*2*/c = /*=1*/a }, .../*3*/d }) { /*=1*/a; /*=2*/c; /*=3*/d; }",
    "function f({ [/*=0*/key]: /*1*/a, [/*=1*/a]: /*2*/b }) { /*=2*/b; }",
    "function f(.../*1*/rest) { /*=1*/rest; }",
    "function f(...[/*1*/a, , /*2*/b = /*=1*/a]) { /*=2*/b; }",
    "(/*1*/a) => /*=1*/a; /*=0*/a;",
    "async (/*1*/a) => { await /*=1*/a; };",
    "function /*1*/f() { return /*=1*/f; }",
    "function f() { /*=0*/arguments; } () => /*=0*/arguments;",
    "class A { constructor(private /*1*/a: string, b = /*=1*/a) { /*=1*/a; } }",
  ],
  "names of function and class expressions": [
    "const f = function /*1*/g() { /*=1*/g; }; /*=0*/g;",
    "const /*1*/g = 1; const f = function /*2*/g() { /*=2*/g; }; /*=1*/g;",
    "const f = function g(/*1*/g) { /*=1*/g; };",
    "const f = function g() { var /*1*/g; /*=1*/g; };",
    "const f = function /*1*/g(a = /*=1*/g) { };",
    "const A = class /*1*/B { static b = /*=1*/B; }; /*=0*/B;",
    "class /*1*/A { static a = /*=1*/A; m() { /*=1*/A; } } /*=1*/A;",
    "let /*1*/A; const B = class /*2*/A extends /*=2*/A {}; /*=1*/A;",
  ],
  loops: [
    "for (let /*1*/i = 0; /*=1*/i < 1; /*=1rw*/i++) { /*=1*/i; } /*=0*/i;",
    "for (let /*1*/i = 0; ; ) { let /*2*/i = 1; /*=2*/i; }",
    "for (var /*1*/i = 0; ; ) {} /*=1*/i;",
    "for (const /*1*/a of /*=0*/as) /*=1*/a;",
    "for (const /*1*/a in /*=0*/as) { /*=1*/a; }",
    "let /*1*/a; for (/*=1w*/a of []) /*=1*/a;",
    "let /*1*/a, /*2*/b; for ([/*=1w*/a, /*=2*/b.c] of []) ;",
    "for (const { /*1*/a, b: [/*2*/b = /*=1*/a] } of []) /*=2*/b;",
    "for (let /*1*/i of [() => /*=1*/i]) ;",
    "async () => { for await (const /*1*/a of []) /*=1*/a; };",
    "let /*1*/a; while (/*=1*/a) { let /*2*/a; /*=2*/a; }",
    "let /*1*/a; do { let /*2*/a; /*=2*/a; } while (/*=1*/a);",
  ],
  catch: [
    "try {} catch (/*1*/e) { /*=1*/e; } /*=0*/e;",
    "let /*1*/e; try { /*=1*/e; } catch (/*2*/e) { let x = /*=2*/e; } finally { /*=1*/e; }",
    "try {} catch ({ /*1*/message, cause: /*2*/cause = /*=1*/message }) { /*=2*/cause; }",
    "try {} catch { /*=0*/e; }",
    "try {} catch (/*1*/e) { { let /*2*/e; /*=2*/e; } /*=1*/e; }",
    "function f() { try {} catch (e) { var /*1*/a = 1; } return /*=1*/a; }",
  ],
  switch: [
    "let /*1*/a; switch (/*=1*/a) { case /*=2*/a: let /*2*/a; default: /*=2*/a; } /*=1*/a;",
    "switch (1) { case 1: function /*1*/f() {} case /*=1*/f(): }",
    "switch (1) { default: class /*1*/A {} /*=1*/A; }",
  ],
  classes: [
    "let /*1*/k; class A { [/*=1*/k]() { let /*2*/k; /*=2*/k; } }",
    "let /*1*/a; class A { x = /*=1*/a; static y = /*=1*/a; #z = /*=1*/a; }",
    "let /*1*/a; class A { static { let /*2*/a; /*=2*/a; var /*3*/b; /*=3*/b; } } /*=1*/a; /*=0*/b;",
    "class A { a() {} b() { /*=0*/a; } }",
    "class A extends /*=1*/mixin(/*=0*/Base) {} function /*1*/mixin(/*2*/b) { return /*=2*/b; }",
    "const /*1*/d = 0; @/*=1*/d class A { @/*=1*/d() m() {} @/*=1*/d x = 1; }",
    "class A { set a(/*1*/v) { /*=1*/v; } get a() { return /*=0*/v; } }",
    "const o = { a(/*1*/b) { return /*=1*/b; }, get c() { return /*=0*/a; }, b: /*=0*/b };",
  ],
  writes: [
    "let /*1*/a; /*=1w*/a = 1; /*=1rw*/a += 1; /*=1rw*/a ??= 1; /*=1rw*/a++; --/*=1rw*/a; /*=1rw*/a--;",
    "let /*1*/a, /*2*/b; [/*=1w*/a, /*=2w*/b] = [/*=2*/b, /*=1*/a];",
    "let /*1*/a, /*2*/b; ({ a: /*=1w*/a, b: /*=2w*/b = /*=1*/a } = {});",
    "let /*1*/a, /*2*/r; ({ /*=1w*/a, .../*=2w*/r } = {});",
    "let /*1*/o, /*2*/k; /*=1*/o.a = 1; /*=1*/o[/*=2*/k] = 1; /*=1*/o.a++; delete /*=1*/o.a;",
    "let /*1*/o, /*2*/k; [/*=1*/o.a, /*=1*/o[/*=2*/k]] = []; ({ [/*=2*/k]: /*=1*/o.x } = {});",
    "let /*1*/a; [/*=1w*/a = /*=1*/a] = [];",
    "let /*1*/a; typeof /*=1*/a; void /*=1*/a; typeof /*=0*/undeclared;",
    "let /*1*/a; (/*=1w*/a) = 1; (/*=1w*/a as any) = 2; /*=1w*/a! = 3;",
  ],
  modules: [
    "import /*1*/a, { b as /*2*/c, /*3*/d } from 'x'; /*=1*/a; /*=2*/c; /*=3*/d; /*=0*/b;",
    "import * as /*1*/ns from 'x'; /*=1*/ns.a;",
    "const /*1*/a = 1; export { /*=1*/a as b, /*=1*/a as default };",
    "export { a as b } from 'x'; /*=0*/a;",
    "/*=1*/f; export default function /*1*/f() { /*=1*/f; }",
    "export default class /*1*/A { static a = /*=1*/A; } /*=1*/A;",
    "export const /*1*/a = 1, { /*2*/b } = /*=1*/a; /*=2*/b;",
    "/*=1*/a; export default /*=1*/a; var /*1*/a;",
    "import { type T, /*1*/v } from 'x'; const a: T = /*=1*/v;",
  ],
  expressions: [
    "let /*1*/a, /*2*/b; /*=1*/a?.b?.[/*=2*/b]?.(/*=1*/a);",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source.
    "let /*1*/tag, /*2*/x; /*=1*/tag`${/*=2*/x}`; `${/*=2*/x}`;",
    "let /*1*/a; const o = { a: /*=1*/a, [/*=1*/a]: 1, .../*=1*/a, /*=1*/a };",
    "let /*1*/a; a: for (;;) { /*=1*/a; break a; }",
    "let /*1*/a; /*=1*/a.a.a; ({ a: 1 }).a;",
    "let /*1*/a; new /*=1*/a(.../*=1*/a); import(/*=1*/a);",
    "let /*1*/a; (/*=1*/a as any as string)!.b; (<T,>(x: T) => /*=1*/a);",
  ],
  JSX: [
    "let /*1*/A, /*2*/a; </*=1*/A x={/*=2*/a} {.../*=2*/a}>{/*=2*/a}{.../*=2*/a}a</A>;",
    "let /*1*/ns; </*=1*/ns.A.B />;",
    "const /*1*/div = 1; <div>{/*=1*/div}</div>;",
    "let /*1*/A; <><A2 a={</*=1*/A />} /></>;",
  ],
  TypeScript: [
    "enum /*1*/E { /*2*/A = 1, B = /*=2*/A, C = /*=1*/E.A, D = /*=0*/other } /*=1*/E; /*=0*/A;",
    "let /*1*/A; enum E { /*2*/A, B = /*=2*/A } /*=1*/A;",
    "namespace /*1*/N { export const /*2*/a = 1; /*=2*/a; } /*=1*/N; /*=0*/a;",
    "var /*1*/v; namespace N { export var /*2*/v = 1; export function f() { return /*=2*/v; } } /*=1*/v;",
    "namespace /*1*/A.B { export const /*2*/c = /*=1*/A; /*=2*/c; }",
    "import /*1*/fs = require('fs'); /*=1*/fs;",
    "import * as /*1*/a from 'a'; import /*2*/b = a.b; /*=2*/b;",
    "class /*1*/A {} namespace A { export const x = 1; } /*=1*/A;",
    "function f(): void; function /*1*/f(a?: string) { return /*=1*/f; }",
    "type T = string; interface I {} const /*1*/a = 1 satisfies T as T; /*=1*/a;",
    "function f(this: Window, /*1*/a: string) { /*=1*/a; }",
    "declare const g: string; /*=0*/g;",
  ],
};
describe.each(Object.entries(cases))("%s", (_, sources) => {
  test.each(sources)("%s", (source) => check(source));
});

describe("Annex B", () => {
  test.each([
    "{ function /*1*/f() {} } /*=1*/f;",
    "/*=1*/f; if (1) { function /*1*/f() {} }",
    "function g() { { function /*1*/f() {} } return /*=1*/f; } /*=0*/f;",
    "switch (1) { case 1: function /*1*/f() {} } /*=1*/f;",
    "let /*1*/f; { { function /*2*/f() {} /*=2*/f; } } /*=1*/f;",
    "{ let /*1*/f; { function /*2*/f() {} } /*=1*/f; } /*=0*/f;",
    "{ async function /*1*/f() {} /*=1*/f; } /*=0*/f;",
    "{ function* /*1*/f() {} } /*=0*/f;",
    "function g(/*1*/f) { { function /*2*/f() {} /*=2*/f; } /*=1*/f; }",
  ])("sloppy: %s", (source) => check(source, "a.cjs"));

  test.each([
    "'use strict'; { function /*1*/f() {} /*=1*/f; } /*=0*/f;",
    "function g() { 'use strict'; { function /*1*/f() {} } /*=0*/f; }",
    "class A { m() { { function /*1*/f() {} } /*=0*/f; } }",
  ])("strict: %s", (source) => check(source, "a.cjs"));

  test("a module is strict", () => check("export {}; { function /*1*/f() {} } /*=0*/f;", "a.mjs"));
});

test.each([
  "let /*1*/a; with (o) { /*=0*/a; } /*=1*/a;",
  "with (/*=1*/o) { let /*2*/a; /*=2*/a; (/*3*/b) => /*=3*/b; } var /*1*/o;",
])("what `with` hides can be anything: %s", (source) => check(source, "a.cjs"));

test("a declaration is no write; what follows is", () => {
  const { module } = inferScopes(read("let a = 1; let b = 1; b = 2; for (let c of []) ; var d = 1; d++;"));
  const written = [...module.bindings.values()].filter(isReassigned).map((each) => each.name);
  expect(written).toEqual(["b", "d"]);
});

test("a body's own variable knows the parameter that it hides", () => {
  const program = read("function f(a, b) { var a; function b() {} let c; }");
  const scopes = inferScopes(program);
  const fn = program.body[0] as ir.Function;
  const body = scopes.scopeOf.get(fn.body);
  const hides = (name: string) => body?.bindings.get(name)?.redeclares?.kind;
  expect([hides("a"), hides("b"), hides("c")]).toEqual(["param", "param", undefined]);
});

test("the bound names of a pattern, in order", () => {
  const program = read("function f({ a, b: { c = 1, ...d }, e: [g, , h = 2] }, ...[i, ...j]) {}");
  const names = (program.body[0] as ir.Function).params.flatMap((each) => boundNames(each.pattern));
  expect(names.map((each) => each.name).join("")).toBe("acdghij");
});

test("a name is looked up from the inside out", () => {
  const program = read("let a, b; function f(b) { let c; }");
  const scopes = inferScopes(program);
  const inner = scopes.scopeOf.get((program.body[1] as ir.Function).body);
  const kinds = ["a", "b", "c", "f", "d"].map((name) => lookup(inner!, name)?.kind);
  expect(kinds).toEqual(["let", "param", "let", "function", undefined]);
});

test.each(Object.values(cases).flat())(
  "every identifier is a declaration or a reference, every node has its parent: %s",
  (source) => {
    const program = read(source);
    const scopes = inferScopes(program);
    const visit = (node: ir.Node): void => {
      forEachChild(node, (each) => {
        if (each.type !== "Name") expect(scopes.parentOf.get(each)).toBe(node);
        if (each.type === "Identifier")
          expect(scopes.referenceOf.has(each) || scopes.declarationOf.has(each)).toBe(true);
        visit(each);
      });
    };
    visit(program);
  },
);
