import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Site, transform } from "../index.ts";

const DIRECTIVE = '"use cache data";';
/** `@` stands for a directive. The sites of a source, equal in both routes. */
function sitesOf(source: string, filename = "/project/src/a.ts"): readonly Site[] {
  const text = source.replaceAll("@", DIRECTIVE);
  const [swc, babel] = (["swc", "babel"] as const).map(
    (route) => transform(text, { filename, root: "/project", route })?.sites ?? [],
  );
  expect(babel).toEqual(swc);
  return swc as readonly Site[];
}
const idsOf = (source: string, filename?: string): string[] => sitesOf(source, filename).map((each) => each.id);
const suffix = /~[0-9a-f]{8}$/;

const KEY = '[Symbol.for("kept.key")]() { return 1; }';

describe("a function that has a name of its own has a plain id", () => {
  test.each<[string, string]>([
    ["export function load() { @ }", "load"],
    ["const load = () => { @ };", "load"],
    ["const load = async function () { @ };", "load"],
    ["export const load = function other() { @ };", "load"],
    ["const load = (() => { @ }) as () => void;", "load"],
    ["let load; load = () => { @ };", "load"],
    ["export default function () { @ }", "default"],
    ["export default function load() { @ }", "load"],
    ["export default () => { @ };", "default"],
    ["export default { load() { @ } };", "default.load"],
    ["export default class { static load() { @ } }", "default.static.load"],
    [`class Repo { ${KEY} find() { @ } }`, "Repo.find"],
    [`class Repo { ${KEY} get all() { @ return 1; } }`, "Repo.all"],
    [`class Repo { ${KEY} #find() { @ } }`, "Repo.#find"],
    [`class Repo { ${KEY} find = () => { @ }; }`, "Repo.find"],
    [`class Repo { ${KEY} "a-b"() { @ } }`, "Repo.a-b"],
    [`class Repo { ${KEY} 1.50() { @ } }`, "Repo.1.5"],
    [`class Repo { ${KEY} [Symbol.iterator]() { @ } }`, "Repo.[Symbol.iterator]"],
    ["class Repo { static open() { @ } }", "Repo.static.open"],
    ["class Repo { static #open() { @ } }", "Repo.static.#open"],
    ["class Repo { static open = () => { @ }; }", "Repo.static.open"],
    ["const Repo = class { static open() { @ } };", "Repo.static.open"],
    ["const Repo = class Inner { static open() { @ } };", "Repo.static.open"],
    ["const api = { load() { @ } };", "api.load"],
    ["const api = { load: () => { @ } };", "api.load"],
    ["const api = { v1: { load: async () => { @ } } };", "api.v1.load"],
    ["const api = { [key]: () => { @ } };", "api.[key]"],
    ["const api = { load() { @ } } as const satisfies object;", "api.load"],
    ["const api = Object.freeze({ load() { @ } });", "api.load"],
    ["api.load = () => { @ };", "api.load"],
    ["api[key] = () => { @ };", "api[key]"],
    ["exports.load = () => { @ };", "load"],
    ["module.exports.load = () => { @ };", "load"],
    ["module.exports = { load() { @ } };", "exports.load"],
    ["module.exports = () => { @ };", "exports"],
    ["function outer() { function inner() { @ } }", "outer.inner"],
    ["function outer() { const inner = () => { @ }; }", "outer.inner"],
    ["const outer = () => { const inner = () => { @ }; };", "outer.inner"],
    ["function createApi() { return { load() { @ } }; }", "createApi.load"],
    ["const createApi = () => ({ load() { @ } });", "createApi.load"],
    ["class A { m() { const inner = () => { @ }; } }", "A.m.inner"],
    ["const { load = () => { @ } } = {};", "load"],
    ["function f(load = () => { @ }) {}", "f.load"],
    ["namespace N { export function load() { @ } }", "N.load"],
    ["namespace N.M { export const load = () => { @ }; }", "N.M.load"],
    ["this.load = () => { @ };", "load"],
  ])("%s", (source, path) => {
    expect(idsOf(source)).toEqual([`src/a.ts#${path}`]);
  });
});

describe("a function without one is told apart by its own code", () => {
  test.each<[string, string]>([
    ["export const load = wrap(async () => { @ });", "load"],
    ["wrap(function load() { @ });", "load"],
    ["function outer() { return () => { @ }; }", "outer"],
    ["const outer = () => () => { @ };", "outer"],
    ["const load = a ? () => { @ } : 1;", "load"],
    ["const load = a || (() => { @ });", "load"],
    ["(() => { @ })();", ""],
    ["[() => { @ }];", ""],
    ["{ function load() { @ } }", "load"],
    ["switch (1) { case 1: function load() { @ } }", "load"],
    ["class A { static { const f = () => { @ }; } }", "A.f"],
    ["wrap({ load() { @ } });", "load"],
    ["new (class { static load() { @ } })();", "static.load"],
    ["const api = { ['a' + b]() { @ } };", "api.[…]"],
    ["function f() { wrap({ load() { @ } }); }", "f.load"],
  ])("%s", (source, path) => {
    const [id, ...others] = idsOf(source);
    expect(others).toEqual([]);
    expect(id).toMatch(suffix);
    expect(id?.replace(suffix, "")).toBe(`src/a.ts#${path}`);
  });
});

test("the name in messages is as people say it", () => {
  const names = (source: string) => sitesOf(source).map((each) => each.name);
  expect(names("class Repo { static open() { @ } }")).toEqual(["Repo.open"]);
  expect(names("const api = { static: { open() { @ } } };")).toEqual(["api.static.open"]);
  expect(names("(() => { @ })();")).toEqual(["an arrow function"]);
  expect(names("(function () { @ })();")).toEqual(["a function without a name"]);
});

describe("the file in an id", () => {
  test.each<[string, string, string]>([
    ["/project/src/a.ts", "/project", "src/a.ts#f"],
    ["/project/src/a.ts", "/project/", "src/a.ts#f"],
    ["/project/src/a.ts?v=1", "/project", "src/a.ts#f"],
    ["/project/a.ts#x", "/project", "a.ts#f"],
    ["/shared/b.ts", "/project", "../shared/b.ts#f"],
    ["/project2/b.ts", "/project", "../project2/b.ts#f"],
    ["C:\\project\\src\\a.ts", "C:\\project", "src/a.ts#f"],
    ["C:\\project\\src\\a.ts", "C:/project", "src/a.ts#f"],
    ["src/a.ts", "/project", "src/a.ts#f"],
    ["./src/a.ts", "/project", "src/a.ts#f"],
  ])("%s under %s", (filename, root, id) => {
    const result = transform(`function f() { ${DIRECTIVE} }`, { filename, root });
    expect(result?.sites.map((each) => each.id)).toEqual([id]);
  });
});

test("two identical bodies have two ids", () => {
  for (const source of [
    "const a = () => { @ return 1; }; const b = () => { @ return 1; };",
    "wrap(() => { @ return 1; }); wrap(() => { @ return 1; });",
    "const a = [() => { @ return 1; }, () => { @ return 1; }, () => { @ return 1; }];",
    "let a; a = () => { @ return 1; }; a = () => { @ return 1; };",
  ]) {
    const ids = idsOf(source);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(ids.length);
  }
});

describe.each(["ids", "ids and hashes"] as const)("shift-proof %s", (what) => {
  /** Functions of every naming, each with code of its own, so that a site can be found again by what it returns. */
  const ALL: readonly ((name: string, n: number) => string)[] = [
    (name, n) => `export function ${name}(a) { @ return [a, ${n}]; }`,
    (name, n) => `const ${name} = (a) => { @ return [a, ${n}]; };`,
    (name, n) => `const ${name} = wrap((a) => { @ return [a, ${n}]; });`,
    (_, n) => `wrap((a) => { @ return [a, ${n}]; });`,
    (_, n) => `(function (a) { @ return [a, ${n}]; })(1);`,
    (_, n) => `wrap({ load(a) { @ return [a, ${n}]; } });`,
    (name, n) => `const ${name} = { load(a) { @ return [a, ${n}]; } };`,
    (name, n) => `class ${name} { static load(a) { @ return [a, ${n}]; } }`,
    (name, n) => `{ const ${name} = (a) => { @ return [a, ${n}]; }; }`,
    (name, n) => `function ${name}(b) { return (a) => { @ return [a, b, ${n}]; }; }`,
    (name, n) => `function ${name}(b) { return { load: (a) => { @ return [a, b, ${n}]; } }; }`,
    (name, n) =>
      `if (1) wrap(function inner(a) { @ return [a, ${n}]; }); else ${name}x = (a) => { @ return [a, ${n}.5]; };`,
    (name, n) => `function ${name}(b) { @ return () => { @ return [b, ${n}]; }; }`,
  ];
  // A statement that runs at the top of the module is code of every function of the module: it changes hashes.
  const FUNCTIONS = what === "ids" ? ALL : ALL.filter((make) => !/^[({]|^if|wrap/.test(make("f", 1)));
  const byCode = (sources: readonly string[]) => {
    const text = sources.join("\n");
    const full = text.replaceAll("@", DIRECTIVE);
    // One route: that both agree is proven above, and over the corpus.
    const sites = transform(full, { filename: "/project/src/a.ts", root: "/project" })?.sites ?? [];
    const lines = full.split("\n");
    // The number that a function returns tells which one it is.
    return new Map(
      sites.map((site) => {
        const { start, end } = site.loc;
        const code = lines
          .slice(start.line - 1, end.line)
          .join("\n")
          .slice(start.column);
        return [
          `${/\d+(?:\.5)?(?=\])/.exec(code)?.[0]} ${/^\(?(?:async )?(?:export )?function \w+\(b/.test(code)}`,
          what === "ids" ? site.id : `${site.id} ${site.code}`,
        ];
      }),
    );
  };
  const programs = fc
    .array(fc.nat(FUNCTIONS.length - 1), { minLength: 2, maxLength: 8 })
    .map((kinds) => kinds.map((kind, i) => (FUNCTIONS[kind] as (name: string, n: number) => string)(`f${i}`, 100 + i)));

  test("reordering leaves every id and hash alone", () => {
    fc.assert(
      fc.property(programs, fc.infiniteStream(fc.nat()), (sources, order) => {
        const shuffled = sources.map((each) => [order.next().value, each] as const).sort((a, b) => a[0] - b[0]);
        expect(byCode(shuffled.map((each) => each[1]))).toEqual(byCode(sources));
      }),
      { numRuns: 40 },
    );
  });

  test("inserting others, anywhere, leaves it alone", () => {
    fc.assert(
      fc.property(programs, fc.nat(), fc.nat(FUNCTIONS.length - 1), (sources, at, kind) => {
        const added = (FUNCTIONS[kind] as (name: string, n: number) => string)("added", 999);
        const after = byCode(sources.toSpliced(at % (sources.length + 1), 0, added, "// a line\n", "let other = 1;"));
        for (const [code, site] of byCode(sources)) expect([code, after.get(code)]).toEqual([code, site]);
      }),
      { numRuns: 40 },
    );
  });

  test("renaming others leaves it alone", () => {
    fc.assert(
      fc.property(programs, (sources) => {
        const renamed = byCode(sources.map((each, i) => (i === 0 ? each : each.replaceAll(`f${i}`, `renamed${i}`))));
        const first = [...byCode(sources)].filter(([code]) => code.startsWith("100"));
        for (const [code, site] of first) expect([code, renamed.get(code)]).toEqual([code, site]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("the hash", () => {
  test("blank lines, comments, types and local names leave the hash alone", () => {
    const [before] = sitesOf(
      "export function load(url, limit = 10) { @ const all = url.split(',');\nreturn all.slice(0, limit); }",
    );
    const [after] = sitesOf(
      '\n\n// About it.\nexport function load(url: string, limit: number = 1_0): string[] {\n\n  @ /* all */ let parts = (url).split(",") as string[];\n  return parts.slice(0, limit)\n}',
    );
    expect([after?.id, after?.code, after?.hashed]).toEqual([before?.id, before?.code, before?.hashed]);
  });

  test("what it returns, awaits, defaults or captures is in the hash", () => {
    const code = (body: string, before = "") =>
      sitesOf(`${before}\nexport async function load(a = 1) { @ ${body} }`)[0]?.code;
    const base = code("return a + 1;");
    for (const other of [
      "return a + 2;",
      "return a - 1;",
      "return await (a + 1);",
      "return a + 1n;",
      'return a + "1";',
    ])
      expect(code(other)).not.toBe(base);
  });
});
