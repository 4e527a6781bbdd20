import * as babel7 from "@babel/core";
import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import * as babel8 from "babel8-core";
import { corpus } from "../../fixtures/parity/corpus.ts";
import kept from "./index.ts";

const VERSIONS = [
  [babel7.version, babel7 as any],
  [babel8.version, babel8 as any],
] as const;

/** The scope that a path believes to be in. */
const scopeOf = ({ scope }: any): string =>
  `${scope.path.getPathLocation()} ${scope.block.type} ${scope.block === scope.path.node && scope.path.scope === scope}`;

/** Everything that Babel believes about the bindings of a program, in words. */
function beliefs(program: any): string[] {
  const found: string[] = [];
  const say = ({ scope, node }: any): void => {
    if (scope.block !== node) return;
    for (const [name, each] of Object.entries<any>(scope.bindings)) {
      const lines = (paths: any[]) => paths.map((path) => `${path.getPathLocation()} of ${scopeOf(path)}`).sort();
      const constant = each.constant ? "constant" : `violated at ${lines(each.constantViolations)}`;
      found.push(
        `${node.type} ${node.id?.name ?? ""}: ${each.kind} ${name}, ${constant}, ${each.references} ${each.referenced} ${lines(each.referencePaths)}, in ${scopeOf(each)}, at ${each.path.getPathLocation()} of ${scopeOf(each.path)}`,
      );
    }
  };
  say(program);
  program.traverse({ Scope: say });
  found.push(`globals ${Object.keys(program.scope.globals).sort()}`);
  return found.sort();
}

/** What the plugins behind Kept are told, and what they would be told if Babel looked at all of it again. */
function compare(source: string, filename: string, babel: any): { told: string[]; found: string[] } {
  let told: string[] = [];
  let found: string[] = [];
  const look = () => ({
    visitor: {
      Program(path: any) {
        told = beliefs(path);
        path.scope.crawl();
        found = beliefs(path);
      },
    },
  });
  babel.transformSync(source, {
    filename,
    cwd: "/project",
    code: false,
    babelrc: false,
    configFile: false,
    browserslistConfigFile: false,
    parserOpts: { plugins: ["typescript", ...(filename.endsWith("x") ? ["jsx"] : []), "decorators"] },
    plugins: [look, [kept, { hash: { cache: false } }]],
  });
  return { told, found };
}

const CASES = {
  "a function, its parameters and locals": `
    import { get } from "./get";
    export async function load(url: string, { limit = 3, ...rest } = {}, _db) {
      "use cache data";
      const body = await get(url); let n = 0; var v = 1; function inner() { return body + n++ + v; } class K { m() { return K; } }
      for (const each of body) { if (each) { let n = each; n++; } }
      try { v = inner(); } catch (error) { throw error; }
      return [body, limit, rest, new K(), undeclared];
    }
    load("a");`,
  options: `
    import { cacheOptions } from "kept"; import { cacheOptions as again, other } from "kept";
    import { TTL, make } from "./limits"; const ttl = 3;
    function f(a) { "use cache data"; cacheOptions({ ttl, key: () => [a, make(TTL)] }); return a + ttl; }
    function g(a) { "use cache resource"; again({ validate: (v) => make(v), onRelease: other }); return a; }
    export { f, g };`,
  "functions in functions": `
    function outer(a) { "use cache data"; const b = a; function inner(c) { "use cache data"; return b + c; } return inner(a) + b; }
    const o = { m(x) { "use cache data"; return x; }, async ["c" + 1](x) { "use cache data"; return x; } };
    class C { static s(x) { "use cache data"; return x; } #p(x) { "use cache data"; return x; } p() { return this.#p(1); } [Symbol.for("kept.key")]() {} }
    export default async (x) => { "use cache data"; return x; };`,
  "a whole file, with arrows that are expressions": `
    "use cache data";
    import { a } from "./a";
    export const f = async (x) => x, g = async () => a, h = async (y) => a(y);`,
  "marks and readers": `
    function make(x) { const inner = (y) => { "use cache data"; return x + y; }; return inner; }
    make(1);`,
  CommonJS: `
    const { read } = require("./read");
    exports.load = function (x) { "use cache data"; return read(x); };`,
  "parameters with scopes of their own": `
    import { make } from "./make"; import type { Shape } from "./shape";
    export function f<T extends Shape>(a: T, { b, c: [d] = [1] }: any = make(a), e = function g(x) { return g(x, a); }, ...rest: T[]): T {
      "use cache data"; label: for (const each of rest) { if (each) continue label; b++; } a = d; delete e.x; return e(a) && arguments.length; }
    const h = function own(n) { "use cache data"; return n && own(n - 1); };
    const i = function own(n) { "use cache data"; var own = n; return own; };
    const j = async (a, [b], c = () => a) => { "use cache data"; for (var k in b) c(k); return k; };`,
  "captures that change": `
    let rate = 1; export function set(x) { rate = x; }
    export async function f(a) { "use cache data"; return a * rate; }
    export function g(a) { "use cache data"; return a * rate; }
    export class C { static #n = 0; static async m(a) { "use cache data"; return a + rate; } }`,
  "a parameter declared again": `export function f(a) { "use cache data"; var a; return a; }`,
};

// Warnings have tests of their own.
beforeAll(() => void jest.spyOn(console, "warn").mockImplementation(() => {}));

describe.each(VERSIONS)("Babel %s", (_, babel) => {
  test.each(Object.entries(CASES))("%s", (_name, source) => {
    const { told, found } = compare(source, "/project/a.tsx", babel);
    expect(told).toEqual(found);
    expect(told.length).toBeGreaterThan(3);
  });

  test("real files", () => {
    let compared = 0;
    for (const { source, path } of corpus()) {
      const filename = `/project/${path}`;
      if (source.length > 8000 || !/\.[cm]?tsx?$/.test(filename)) continue;
      const text = source.replace(
        /^(?:export )?(?:async )?function \w+\([^{}()]*\)[^{}()]*\{$/gm,
        (head) => `${head} "use cache data";`,
      );
      if (text === source) continue;
      let beliefs: ReturnType<typeof compare>;
      try {
        beliefs = compare(text, filename, babel);
      } catch {
        // A generator, say: refused.
        continue;
      }
      expect(beliefs.told).toEqual(beliefs.found);
      compared++;
    }
    expect(compared).toBeGreaterThan(20);
  });
});
