/** What of the functions around a cached one is keyed, what is code, what is refused. */
import { describe, expect, test } from "@jest/globals";
import { TransformError, transform } from "../index.ts";

interface Seen {
  readonly hashed?: string;
  readonly captured?: string;
  readonly excluded?: string;
  readonly refused?: string;
}

/** `@` stands for a directive; of several sites, the last one. Equal in both routes. */
function see(source: string): Seen {
  const text = source.replaceAll("@", '"use cache data";');
  const [swc, babel] = (["swc", "babel"] as const).map((route): Seen => {
    try {
      const site = transform(text, { filename: "/p/a.tsx", root: "/p", route })?.sites.at(-1);
      const list = (names: readonly string[] | undefined) => (names ?? []).join(" ");
      return { hashed: list(site?.hashed), captured: list(site?.captured), excluded: list(site?.excluded) };
    } catch (error) {
      if (!(error instanceof TransformError)) throw error;
      const marked = error.diagnostics.map(({ code, loc: { start, end } }) => {
        const line = text.split("\n")[start.line - 1] ?? "";
        return `${code} ${line.slice(start.column, end.line === start.line ? end.column : undefined)}`;
      });
      return { refused: marked.join(", ") };
    }
  });
  expect(babel).toEqual(swc);
  return swc as Seen;
}

describe("captured values are keyed, in the order of their use", () => {
  test.each<[string, string]>([
    ["function o(a, b) { return () => { @ return b + a; }; }", "b a"],
    ["function o(a) { return (x) => { @ return a + x; }; }", "x a"],
    ["function o(a) { const f = (x = a) => { @ return x && f(); }; }", "x a"],
    ["function o(a) { return function f({ x = a }) { @ return x && f({}); }; }", "x a"],
    ["function o(a) { function g() { return f(); } function f(x = a) { @ return x && g(); } }", "x a"],
    ["function o(a) { const g = () => a; for (const a of []) return () => { @ return g() + a; }; }", "a a"],
    ["function o({ a, b: { c }, ...d }) { return () => { @ return [a, c, d]; }; }", "a c d"],
    ["function o() { let a = 1; a = 2; return () => { @ return a; }; }", "a"],
    ["function o() { const a = [1]; return () => { @ return a; }; }", "a"],
    ["function o() { var a; return () => { @ return a; }; }", "a"],
    ["for (const a of [1]) { wrap(() => { @ return a; }); }", "a"],
    ["for (let i = 0; i < 1; i++) wrap(() => { @ return i; });", "i"],
    ["try {} catch (e) { wrap(() => { @ return e; }); }", "e"],
    ["try {} catch ({ message }) { wrap(() => { @ return message; }); }", "message"],
    ["{ let a = 1; wrap(() => { @ return a; }); }", "a"],
    ["function o(a) { return () => { @ return () => () => a; }; }", "a"],
    ["function o(a) { return () => { @ class B extends a {} return new B(); }; }", "a"],
    ["function o(a) { return () => { @ return { a, b: a.b, [a]: 1 }; }; }", "a"],
    ["function o(a) { return () => { @ return { b: 1, c: x.a }; }; }", ""],
    ["function o(a) { return () => { @ return typeof a; }; }", "a"],
    ["function o(a, b) { return () => { @ return a?.[b]?.(); }; }", "a b"],
    ["function o(tag) { return () => { @ return tag`x`; }; }", "tag"],
    ["function o(A) { return () => { @ return <A.B><A /></A.B>; }; }", "A"],
    ["function o(a) { return () => { @ a: for (;;) break a; }; }", ""],
    ["function o(a) { return () => { @ const { b = a } = {}; return b; }; }", "a"],
    ["function o(a) { return () => { @ return ((a) => a)(1); }; }", ""],
    ["function o(a) { return () => { @ { let a; return a; } }; }", ""],
    ["function o(a) { return () => { @ if (0) { var a; } return a; }; }", ""],
    ["function o(f) { return () => { @ return f(); }; }", "f"],
    ["function o() { let f = () => 1; f = () => 2; return () => { @ return f(); }; }", "f"],
    ["function o() { const f = wrap(() => 1); return () => { @ return f(); }; }", "f"],
    ["function o() { enum E { A } return () => { @ return E.A; }; }", "E"],
    ["namespace N { export const a = 1; export function f() { @ return a; } }", ""],
    ["function o(a) { const b = { a }; return () => { @ return b; }; }", "b"],
    ["class A { m(a) { return () => { @ return a; }; } }", "a"],
  ])("%s", (source, captured) => {
    expect(see(source)).toMatchObject({ hashed: captured, captured: captured.replace("x ", "") });
  });
});

describe("a parameter hides; its default is evaluated before the key is made", () => {
  test.each<[string, string, string]>([
    ["function o(a) { return (a) => { @ return a; }; }", "a", ""],
    ["function o(a) { return (b = a) => { @ return b; }; }", "b", ""],
    ["function o(a) { return (b = a) => { @ return b + a; }; }", "b a", "a"],
    ["function o(a) { return ({ [a]: b }) => { @ return b; }; }", "b", ""],
  ])("%s", (source, hashed, captured) => {
    expect(see(source)).toMatchObject({ hashed, captured });
  });
});

describe("what belongs to the module, to nobody, or to the function itself is not captured", () => {
  test.each([
    "const a = 1; let b = 2; function f() { @ return a + b + c; }",
    "import a from 'a'; function f() { @ return a; }",
    "class A {} enum E { B } namespace N { export const c = 1; } function f() { @ return [A, E, N]; }",
    "function f() { @ return f; }",
    "function o() { function f() { @ return f; } }",
    "function o() { const f = () => { @ return f; }; }",
    "const a = function f() { @ return f; };",
    "function f() { @ return globalThis.x ?? undefined ?? NaN; }",
    "if (1) { var a = 1; } function f() { @ return a; }",
    "class K { static s = 1; static f() { @ return K.s; } }",
  ])("%s", (source) => {
    expect(see(source)).toMatchObject({ hashed: "", captured: "" });
  });
});

describe("a captured function or class is code, and what it captures in turn is keyed", () => {
  test.each<[string, string]>([
    ["function o() { function g() { return 1; } return () => { @ return g(); }; }", ""],
    ["function o() { const g = () => 1; return () => { @ return g(); }; }", ""],
    ["function o() { class G {} return () => { @ return new G(); }; }", ""],
    ["function o() { const G = class {}; return () => { @ return new G(); }; }", ""],
    ["function o(a) { const g = () => a; return () => { @ return g(); }; }", "a"],
    ["function o(a) { const g = () => a, h = () => g(); return () => { @ return h(); }; }", "a"],
    [
      "function o(a) { function g() { return h(); } function h() { return a ? g() : 1; } return () => { @ return g(); }; }",
      "a",
    ],
    ["function o(a) { class G { m() { return a; } } return () => { @ return new G(); }; }", "a"],
    ["function o(a) { class G extends a {} return () => { @ return new G(); }; }", "a"],
    ["function o(a) { const g = () => a, h = g; return () => { @ return h(); }; }", "a"],
    ["const g = () => 1; function o() { const h = g; return () => { @ return h(); }; }", ""],
    ["function o(a) { const g = (b = a) => b; return () => { @ return g(); }; }", "a"],
  ])("%s", (source, captured) => {
    expect(see(source)).toMatchObject({ hashed: captured, captured });
  });

  test("its code is in the hash", () => {
    const code = (g: string) =>
      transform(`function o() { const g = ${g}; return () => { "use cache data"; return g(); }; }`, {
        filename: "/p/a.ts",
        root: "/p",
      })?.sites[0]?.code;
    expect(code("() => 1")).not.toBe(code("() => 2"));
    expect(code("() => 1")).toBe(code("() => { return 1; }"));
  });
});

describe("left out: names with an underscore, and those in ignore", () => {
  test.each<[string, Seen]>([
    ["function o(_a, b) { return () => { @ return [_a, b]; }; }", { hashed: "b", captured: "b", excluded: "_a" }],
    ["function f({ a, _b, c: { _d } }, [_e, g], ..._h) { @ }", { hashed: "a g", excluded: "_b _d _e _h" }],
    [
      'import { cacheOptions } from "kept"; function o(a, b) { return () => { @ cacheOptions({ ignore: ["a"] }); return [a, b]; }; }',
      { hashed: "b", captured: "b", excluded: "a" },
    ],
    [
      "function o(a) { const _g = () => a; return () => { @ return _g(); }; }",
      { hashed: "a", captured: "a", excluded: "" },
    ],
  ])("%s", (source, expected) => {
    expect(see(source)).toMatchObject(expected);
  });
});

describe("`this`, `arguments`, `new.target`", () => {
  test.each<[string, string]>([
    ["function f() { @ return this; }", "this"],
    ["const f = () => { @ return this; };", ""],
    ["function f() { @ return () => this; }", "this"],
    ["function f() { @ return function () { return this; }; }", ""],
    ["function f() { @ return class { a = this; static b = this; m() { return this; } }; }", ""],
    ["function f() { @ return class { [this.a]() {} }; }", "this"],
    ["function f() { @ return { m() { return this; }, get [this.b]() { return 1; } }; }", "this"],
    ["function o() { return () => { @ return this; }; }", "this"],
    ["const o = { m() { @ return super.m(); } };", "this"],
    ["function f() { @ return arguments; }", "arguments"],
    ["function f(a) { @ return () => arguments; }", "a arguments"],
    ["const f = () => { @ return arguments; };", ""],
    ["function f(a) { @ return function () { return arguments; }; }", "a"],
    ["function o() { return () => { @ return arguments; }; }", "arguments"],
    ["function F() { @ return new.target; }", "new.target"],
    ["function o() { const g = () => this; return () => { @ return g(); }; }", "this"],
    ["function o() { const g = () => arguments; return () => { @ return g(); }; }", "arguments"],
    ["function o() { function g() { return this; } return () => { @ return g(); }; }", ""],
    ["class K { static f() { @ return this; } }", "this"],
    ["class K { static f = () => { @ return this; }; }", "this"],
    ["class K extends B { m() { @ return this; } }", "this"],
    ["class K { [Symbol.for('kept.key')]() { return 1; } m() { @ return this; } }", "this"],
    ["import { registerType } from 'kept'; class K { m() { @ return this; } } registerType(K, {});", "this"],
    ["class K { m() { @ return 1; } }", ""],
  ])("%s", (source, hashed) => {
    expect(see(source)).toMatchObject({ hashed });
  });
});

describe("refused", () => {
  test.each<[string, string]>([
    ["function o() { let a; return () => { @ a = 1; }; }", "writes-captured a"],
    ["function o() { let a = 0; return () => { @ return a++; }; }", "writes-captured a"],
    ["function o() { let a; return () => { @ [a] = [1]; }; }", "writes-captured a"],
    ["function o() { let a; return () => { @ ({ b: a = 1 } = {}); }; }", "writes-captured a"],
    ["function o() { let a; return () => { @ for (a of []); }; }", "writes-captured a"],
    ["function o() { let a; return () => { @ return () => { a ??= 1; }; }; }", "writes-captured a"],
    ["function o() { let a; const g = () => { a = 1; }; return () => { @ g(); }; }", "writes-captured a"],
    [
      "function o() { switch (1) { case 1: let a; const g = () => a; return (a) => { @ return g() + a; }; } }",
      "shadowed-capture a",
    ],
    ["function o(a) { return () => { @ return eval('a'); }; }", "eval-in-closure eval('a')"],
    ["class K { m() { const g = () => this; return { n() { @ return g(); } }; } }", "captures-unkeyable g"],
    ["class K { m() { @ return this; } }", "this-unkeyable m"],
    [
      "class K { m() { const g = (x = this) => x; return () => { @ return g(); }; } }",
      'this-unkeyable () => { "use cache data"; return g(); }',
    ],
    [
      "class K { m() { const f = (x = this) => { @ return f(); }; } }",
      'this-unkeyable (x = this) => { "use cache data"; return f(); }',
    ],
    ["class K { get g() { @ return this.a; } }", "this-unkeyable g"],
    ["class K { f = () => { @ return this; }; }", "this-unkeyable f"],
    ["class K { m() { @ const g = () => this; return g(); } }", "this-unkeyable m"],
    ["class K { #a = 1; m() { @ return this.#a; } }", "this-unkeyable m"],
    ["function f(_a) { @ return arguments; }", "arguments-excluded arguments"],
  ])("%s", (source, refused) => {
    expect(see(source)).toEqual({ refused });
  });

  test.each([
    "function o() { let a; return () => { @ let a = 1; a = 2; return a; }; }",
    "function o() { let a = {}; return () => { @ a.b = 1; return a; }; }",
    "let a; function f() { @ a = 1; return a; }",
    "function o() { let a; const f = () => { @ return a; }; a = 1; return f; }",
    "function f() { @ return eval('1'); }",
    "import { cacheOptions } from 'kept'; class K { m() { @ cacheOptions({ key: () => [this.id] }); return this; } }",
    "import { cacheOptions } from 'kept'; class K { m() { @ cacheOptions({ ignore: ['this'] }); return this; } }",
    "import { cacheOptions } from 'kept'; class K { m() { const g = () => this; return { n() { @ cacheOptions({ ignore: ['g'] }); return g(); } }; } }",
    "import { cacheOptions } from 'kept'; function f(_a) { @ cacheOptions({ ignore: ['arguments'] }); return arguments; }",
  ])("not refused: %s", (source) => {
    expect(see(source).refused).toBeUndefined();
  });
});

describe("a capture that may not be initialised yet is read guarded", () => {
  const guarded = (source: string): boolean => {
    const code =
      transform(source.replaceAll("@", '"use cache data";'), { filename: "/p/a.ts", root: "/p" })?.code ?? "";
    return code.includes("try { return a; } catch {}");
  };
  test.each([
    "function o() { const f = () => { @ return a; }; const a = 1; return f; }",
    "function o() { let a = 1; function f() { @ return a; } return f; }",
    "function o() { class a {} a = 1; function f() { @ return a; } return f; }",
    "switch (1) { case 1: let a = 1; wrap(() => { @ return a; }); }",
  ])("%s", (source) => expect(guarded(source)).toBe(true));

  test.each([
    "function o(a) { return () => { @ return a; }; }",
    "function o() { let a = 1; return () => { @ return a; }; }",
    "function o() { function f() { @ return a; } var a; return f; }",
    "for (const a of []) wrap(() => { @ return a; });",
  ])("no need: %s", (source) => expect(guarded(source)).toBe(false));
});
