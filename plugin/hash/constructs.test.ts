/** Every construct of the code hash, each as edits to a small project that must or must not change a hash. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { codeHash, type PluginOptions, transform } from "../index.ts";

type Files = Readonly<Record<string, string>>;
type Edit = readonly [path: string, from: string | RegExp, to: string];

interface Case {
  /** `src/main.ts` holds `load`. */
  readonly files: Files;
  readonly changes?: Readonly<Record<string, Edit | Files>>;
  readonly keeps?: Readonly<Record<string, Edit | Files>>;
  readonly options?: PluginOptions;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function write(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), "kept-constructs-"));
  folders.push(root);
  for (const [path, text] of Object.entries({ "package.json": '{ "name": "app", "version": "1.0.0" }', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (text.startsWith("-> ")) symlinkSync(join(root, text.slice(3)), join(root, path));
    else writeFileSync(join(root, path), text);
  }
  return root;
}

function edited(files: Files, edit: Edit | Files): Files {
  if (!Array.isArray(edit)) return { ...files, ...(edit as Files) };
  const [path, from, to] = edit as Edit;
  const before = files[path] ?? "";
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${path} doesn't hold ${from}`);
  return { ...files, [path]: after };
}

function hashOf(files: Files, route: "swc" | "babel", options: PluginOptions = {}): string {
  const root = write(files);
  const main = Object.keys(files).find((path) => /^src\/main\./.test(path)) as string;
  return codeHash(main, "load", { ...options, root, route }).hash;
}

const main = (imports: string, body: string): string => `${imports}\nexport function load(a: number) {\n  ${body}\n}\n`;

const CASES: Record<string, Case> = {
  "a function's own body": {
    files: { "src/main.ts": main("", "return a + 1;") },
    changes: {
      operator: ["src/main.ts", "a + 1", "a - 1"],
      literal: ["src/main.ts", "a + 1", "a + 2"],
      async: ["src/main.ts", "export function", "export async function"],
      default: ["src/main.ts", "a: number", "a = 1"],
    },
    keeps: {
      comment: ["src/main.ts", "return", "// why\n  return"],
      "local name": ["src/main.ts", /\ba\b/g, "b"],
      types: ["src/main.ts", "(a: number)", "(a: number | bigint): any"],
      directive: ["src/main.ts", "return", '"use cache data";\n  return'],
      options: {
        "src/main.ts": `import { cacheOptions } from "kept";\n${main("", '"use cache data"; cacheOptions({ ttl: "1h" }); return a + 1;')}`,
      },
    },
  },
  "a helper, its name and its file": {
    files: {
      "src/main.ts": main('import { help } from "./help";', "return help(a);"),
      "src/help.ts": "export function help(x: number) { return x * 2; }\nexport function other() { return 1; }",
    },
    changes: { body: ["src/help.ts", "x * 2", "x * 3"] },
    keeps: {
      "unrelated function": ["src/help.ts", "return 1", "return 2"],
      "new export": ["src/help.ts", "export function other", "export const more = 1;\nexport function other"],
      order: {
        "src/help.ts": "export function other() { return 1; }\nexport function help(x: number) { return x * 2; }",
      },
      alias: [
        "src/main.ts",
        'import { help } from "./help";\nexport function load(a: number) {\n  return help(a)',
        'import { help as h } from "./help";\nexport function load(a: number) {\n  return h(a)',
      ],
      "helper renamed": {
        "src/main.ts": main('import { twice } from "./help";', "return twice(a);"),
        "src/help.ts": "export function twice(x: number) { return x * 2; }",
      },
      "helper moved": {
        "src/main.ts": main('import { help } from "./deep/other.ts";', "return help(a);"),
        "src/deep/other.ts": "export function help(x: number) { return x * 2; }",
      },
      "through a barrel": {
        "src/main.ts": main('import { help } from "./index.js";', "return help(a);"),
        "src/index.ts": 'export * from "./barrel.ts";',
        "src/barrel.ts": 'export { help } from "./help.ts"; export const noise = 1;',
      },
    },
  },
  "constants, destructured and by index": {
    files: {
      "src/main.ts": main('import { b } from "./c";', "return a + b;"),
      "src/c.ts": "const make = () => ({ a: 1, b: 2 });\nexport const { a, b } = make();\nexport const [c] = [3];",
    },
    changes: {
      value: ["src/c.ts", "b: 2", "b: 3"],
      "another of the same pattern": ["src/main.ts", "import { b }", "import { a as b }"],
    },
    keeps: { "unrelated constant": ["src/c.ts", "[3]", "[4]"] },
  },
  "classes: methods, fields, superclass, decorators, static blocks": {
    files: {
      "src/main.ts": main('import { Child } from "./k";', "return new Child().run(a);"),
      "src/k.ts": `import { log } from "./log";
class Parent { rate = 2; run(x: number) { return this.step(x) * this.rate; } step(x: number) { return x; } }
export class Child extends Parent { static n = 1; static { Child.n = 2; } @log step(x: number) { return x + Child.n; } }
export class Other extends Parent {}`,
      "src/log.ts": "export function log(target: unknown) { return 1; }",
    },
    changes: {
      "method of the superclass": ["src/k.ts", "* this.rate", "+ this.rate"],
      field: ["src/k.ts", "rate = 2", "rate = 3"],
      "static block": ["src/k.ts", "Child.n = 2", "Child.n = 3"],
      "superclass itself": ["src/k.ts", "Child extends Parent", "Child extends Object"],
      decorator: ["src/log.ts", "return 1", "return 2"],
    },
    keeps: { "another subclass": ["src/k.ts", "Other extends Parent {}", "Other extends Parent { x = 1 }"] },
  },
  "enums, namespaces, tagged templates, getters": {
    files: {
      "src/main.ts": main(
        'import { Unit, Geo, tag, config } from "./t";',
        `return tag\`\${a} \${Unit.Mile} \${Geo.R} \${config.rate}\`;`,
      ),
      "src/t.ts": `export enum Unit { Km = 1, Mile = Km * 2 }
export namespace Geo { export const R = 6371; export const other = 1; }
export const tag = (s: TemplateStringsArray, ...v: unknown[]) => s.join("") + v.length;
export const config = { get rate() { return 1.5; } };`,
    },
    changes: {
      "enum member": ["src/t.ts", "Km * 2", "Km * 3"],
      "namespace member": ["src/t.ts", "6371", "6372"],
      tag: ["src/t.ts", 'join("")', 'join("-")'],
      getter: ["src/t.ts", "1.5", "1.6"],
      "member's name": ["src/t.ts", "export const R", "export const Q"],
    },
  },
  "namespace imports": {
    files: {
      "src/main.ts": main('import * as ns from "./n";', "return ns.used(a);"),
      "src/n.ts": "export const used = (x: number) => x;\nexport const unused = 1;\nexport * as inner from './inner';",
      "src/inner.ts": "export const deep = 1;",
    },
    changes: {
      "the member": ["src/n.ts", "=> x", "=> -x"],
      "another member": ["src/main.ts", "ns.used(a)", "ns.unused"],
      "the namespace escapes": ["src/main.ts", "ns.used(a)", "Object.keys(ns)"],
    },
    keeps: {
      "another export": ["src/n.ts", "unused = 1", "unused = 2"],
      "a namespace in it": ["src/inner.ts", "1", "2"],
      "member renamed": {
        "src/main.ts": main('import * as other from "./n";', "return other.again(a);"),
        "src/n.ts": "export const again = (x: number) => x;",
      },
    },
  },
  "an escaping namespace": {
    files: {
      "src/main.ts": main('import * as ns from "./n";', "return Object.keys(ns)[a];"),
      "src/n.ts": "export const used = 1;\nexport interface T {}\nexport * from './more';",
      "src/more.ts": "export const more = 1;",
    },
    changes: {
      "an export": ["src/n.ts", "used = 1", "used = 2"],
      "an export more": ["src/n.ts", "export const used", "export const y = 1; export const used"],
      "one through a star": ["src/more.ts", "1", "2"],
    },
    keeps: { "a type more": ["src/n.ts", "export interface T {}", "export interface T {} export type U = 1;"] },
  },
  "export star: own names win, cycles end": {
    files: {
      "src/main.ts": main('import { x } from "./a";', "return x + a;"),
      "src/a.ts": 'export * from "./b"; export * from "./c";',
      "src/b.ts": 'export * from "./a"; export const y = 1;',
      "src/c.ts": 'export const x = 1; export { y as z } from "./b";',
    },
    changes: { value: ["src/c.ts", "x = 1", "x = 2"] },
    keeps: { other: ["src/b.ts", "y = 1", "y = 2"] },
  },
  "default exports": {
    files: {
      "src/main.ts": main('import f from "./f"; import { default as g } from "./g";', "return f(a) + g;"),
      "src/f.ts": "export default function (x: number) { return x; }",
      "src/g.ts": "const g = 1; export { g as default };",
    },
    changes: { function: ["src/f.ts", "return x", "return -x"], binding: ["src/g.ts", "g = 1", "g = 2"] },
    keeps: { "a name for it": ["src/f.ts", "function (", "function named("] },
  },
  "dynamic imports, narrowed": {
    files: {
      "src/main.ts": `export async function load(a: number) {
  const { one } = await import("./d");
  return one + (await import("./d")).two + (await import("./e").then((m) => m.three)) + a;
}`,
      "src/d.ts": "export const one = 1, two = 2, none = 0;",
      "src/e.ts": "export const three = 3, none = 0;",
    },
    changes: {
      one: ["src/d.ts", "one = 1", "one = 2"],
      two: ["src/d.ts", "two = 2", "two = 3"],
      three: ["src/e.ts", "three = 3", "three = 4"],
    },
    keeps: { "what is not taken": ["src/d.ts", "none = 0", "none = 1"], nor: ["src/e.ts", "none = 0", "none = 1"] },
  },
  "a dynamic import, whole": {
    files: {
      "src/main.ts":
        'export async function load(a: string) {\n  const m: any = await import("./d");\n  return m[a];\n}',
      "src/d.ts": "export const one = 1;",
    },
    changes: { anything: ["src/d.ts", "1", "2"] },
  },
  "require, and CommonJS exports": {
    files: {
      "src/main.cjs":
        'const { twice } = require("./c.cjs");\nconst all = require("./d.cjs");\nexports.load = function load(a) { return twice(a) + all.used; };\nexports.other = 1;',
      "src/c.cjs": "const half = 2;\nexports.twice = (x) => x * half;\nexports.none = 1;",
      "src/d.cjs": "module.exports = { used: 1, unused: 2 };",
    },
    changes: {
      body: ["src/c.cjs", "x * half", "x / half"],
      const: ["src/c.cjs", "half = 2", "half = 3"],
      object: ["src/d.cjs", "used: 1", "used: 3"],
    },
    keeps: { "another export": ["src/c.cjs", "none = 1", "none = 2"] },
  },
  "JSON by key": {
    files: {
      "src/main.ts": main(
        'import pkg from "../package.json" with { type: "json" }; import { rate } from "./rates.json"; import all from "./all.json";',
        "return pkg.version + pkg.config.port + rate + JSON.stringify(all) + a;",
      ),
      "package.json": '{ "name": "app", "version": "1.0.0", "config": { "port": 1, "host": "a" }, "scripts": {} }',
      "src/rates.json": '{ "rate": 1, "other": 2 }',
      "src/all.json": '{ "x": [1, 2] }',
    },
    changes: {
      "key read": ["package.json", "1.0.0", "1.0.1"],
      "nested key": ["package.json", '"port": 1', '"port": 2'],
      "named import": ["src/rates.json", '"rate": 1', '"rate": 3'],
      "whole file": ["src/all.json", "2]", "3]"],
    },
    keeps: {
      "key not read": ["package.json", '"scripts": {}', '"scripts": { "a": "b" }'],
      "nested key not read": ["package.json", '"host": "a"', '"host": "b"'],
      formatting: ["src/all.json", '{ "x": [1, 2] }', '{\n"x":[1,2]}'],
    },
  },
  "assets by bytes": {
    files: {
      "src/main.ts": main(
        'import text from "./q.sql?raw"; import styles from "./s.module.css"; import "./page.css"; import g from "./g.graphql" with { type: "text" };',
        'return [text, styles.a, g, new URL("./m.wasm", import.meta.url), a];',
      ),
      "src/q.sql": "select 1",
      "src/s.module.css": ".a {}",
      "src/page.css": ".b {}",
      "src/g.graphql": "query {}",
      "src/m.wasm": "wasm",
    },
    changes: {
      raw: ["src/q.sql", "1", "2"],
      css: ["src/s.module.css", "{}", "{ }"],
      text: ["src/g.graphql", "{}", "{ }"],
      url: ["src/m.wasm", "m", "n"],
    },
    keeps: { "a style sheet for its effect": ["src/page.css", "{}", "{ }"] },
  },
  "effect statements": {
    files: {
      "src/main.ts": main('import { registry, lone } from "./r";', "return registry.get(a) + lone;"),
      "src/r.ts": `export const registry = new Map<number, number>();
export const lone = 1;
export const bystander = {} as any;
registry.set(1, 2);
bystander.x = 1;
if (lone) { bystander.y = 2; }`,
    },
    changes: { "of what it touches": ["src/r.ts", "set(1, 2)", "set(1, 3)"] },
    keeps: { "of something else": ["src/r.ts", "x = 1", "x = 2"], "in a block": ["src/r.ts", "y = 2", "y = 3"] },
  },
  "effects on everything: residue": {
    files: {
      "src/main.ts": main('import { f } from "./r";', "return f(a);"),
      "src/r.ts":
        'import "./polyfill";\nexport const f = (x: number) => x;\n(BigInt.prototype as any).toJSON = () => "1";\nsetup(1);\nfunction setup(n: number) {}\n',
      "src/polyfill.ts": 'import "./deeper";\n(Array.prototype as any).last = () => 1;\nexport const unused = 1;',
      "src/deeper.ts": "(globalThis as any).x = 1;",
    },
    changes: {
      global: ["src/r.ts", '"1"', '"2"'],
      "call of a local function": ["src/r.ts", "setup(1)", "setup(2)"],
      "imported for its effect": ["src/polyfill.ts", "=> 1", "=> 2"],
      "and what that imports so": ["src/deeper.ts", "x = 1", "x = 2"],
    },
    keeps: { "no effect": ["src/polyfill.ts", "unused = 1", "unused = 2"] },
  },
  "a reassigned let, with its writers": {
    files: {
      "src/main.ts": main('import { rate } from "./l";', "return rate * a;"),
      "src/l.ts":
        "export let rate = 1;\nlet other = 1;\nexport function setRate(x: number) { rate = x; }\nexport function setOther(x: number) { other = x; }",
    },
    changes: { initialiser: ["src/l.ts", "rate = 1", "rate = 2"], writer: ["src/l.ts", "rate = x", "rate = 2 * x"] },
    keeps: { "writer of another": ["src/l.ts", "other = x", "other = 2 * x"] },
  },
  recursion: {
    files: {
      "src/main.ts": main('import { even } from "./e";', "return even(a);"),
      "src/e.ts":
        "export const even = (n: number): boolean => n === 0 || odd(n - 1);\nexport const odd = (n: number): boolean => n !== 0 && even(n - 1);",
    },
    changes: {
      "in the cycle": ["src/e.ts", "n !== 0", "n !== 1"],
      "which of the two": ["src/main.ts", "import { even }", "import { odd as even }"],
    },
    keeps: {
      order: {
        "src/e.ts":
          "export const odd = (n: number): boolean => n !== 0 && even(n - 1);\nexport const even = (n: number): boolean => n === 0 || odd(n - 1);",
      },
      names: {
        "src/main.ts": main('import { g } from "./e";', "return g(a);"),
        "src/e.ts":
          "export const g = (n: number): boolean => n === 0 || h(n - 1);\nconst h = (n: number): boolean => n !== 0 && g(n - 1);",
      },
    },
  },
  "installed packages": {
    files: {
      "src/main.ts": main(
        'import { x } from "lib"; import y from "@acme/b/sub"; import "dotenv/config";',
        "return x + y + a;",
      ),
      "node_modules/lib/package.json": '{ "name": "lib", "version": "1.0.0", "main": "index.js" }',
      "node_modules/lib/index.js": "exports.x = 1; exports.y = 2;",
      "node_modules/@acme/b/package.json":
        '{ "name": "@acme/b", "version": "2.0.0", "exports": { "./sub": "./s.js" }, "dependencies": { "deep": "1" } }',
      "node_modules/@acme/b/s.js": "module.exports = 1;",
      "node_modules/deep/package.json": '{ "name": "deep", "version": "3.0.0" }',
      "node_modules/dotenv/package.json": '{ "name": "dotenv", "version": "1.0.0" }',
      "node_modules/dotenv/config.js": "",
      "node_modules/unrelated/package.json": '{ "name": "unrelated", "version": "1.0.0" }',
    },
    changes: {
      version: ["node_modules/lib/package.json", "1.0.0", "1.0.1"],
      "scoped version": ["node_modules/@acme/b/package.json", "2.0.0", "2.0.1"],
      "for its effect": ["node_modules/dotenv/package.json", "1.0.0", "2.0.0"],
      name: ["src/main.ts", "{ x }", "{ y as x }"],
      patch: { "patches/lib+1.0.0.patch": "diff" },
      "pnpm's patch": {
        "package.json": '{ "pnpm": { "patchedDependencies": { "lib@1.0.0": "p/lib.patch" } } }',
        "p/lib.patch": "diff",
      },
    },
    keeps: {
      "its code": ["node_modules/lib/index.js", "exports.x = 1", "exports.x = 2"],
      "a dependency of it": ["node_modules/deep/package.json", "3.0.0", "3.0.1"],
      "another package": ["node_modules/unrelated/package.json", "1.0.0", "2.0.0"],
      "a patch of another version": { "patches/lib+0.9.0.patch": "diff" },
    },
  },
  "installed packages, with their closure": {
    files: {
      "src/main.ts": main('import y from "b";', "return y + a;"),
      "node_modules/b/package.json":
        '{ "name": "b", "version": "2.0.0", "main": "s.js", "dependencies": { "deep": "1" } }',
      "node_modules/b/s.js": "",
      "node_modules/deep/package.json": '{ "name": "deep", "version": "3.0.0" }',
    },
    options: { hash: { packages: "closure" } },
    changes: { "a dependency of it": ["node_modules/deep/package.json", "3.0.0", "3.0.1"] },
  },
  "packages that are followed, and ones that are not": {
    files: {
      "src/main.ts": main('import { x } from "lib"; import z from "./z";', "return x + z + a;"),
      "src/z.ts": "export default 1;",
      "node_modules/lib/package.json": '{ "name": "lib", "version": "1.0.0", "main": "index.js", "type": "module" }',
      "node_modules/lib/index.js": "export const x = 1; export const y = 1;",
    },
    options: { hash: { include: ["lib"], ignore: ["./z"] } },
    changes: { included: ["node_modules/lib/index.js", "x = 1", "x = 2"] },
    keeps: {
      "its version": ["node_modules/lib/package.json", "1.0.0", "1.0.1"],
      "not reached": ["node_modules/lib/index.js", "y = 1", "y = 2"],
      ignored: ["src/z.ts", "1", "2"],
    },
  },
  "linked workspace packages follow source": {
    files: {
      "packages/app/src/x.ts": "",
      "src/main.ts": main('import { x } from "@ws/lib";', "return x + a;"),
      "node_modules/@ws/lib": "-> packages/lib",
      "packages/lib/package.json": '{ "name": "@ws/lib", "version": "1.0.0", "exports": "./src/index.ts" }',
      "packages/lib/src/index.ts": "export const x = 1; export const y = 1;",
    },
    changes: { source: ["packages/lib/src/index.ts", "x = 1", "x = 2"] },
    keeps: {
      version: ["packages/lib/package.json", "1.0.0", "1.0.1"],
      other: ["packages/lib/src/index.ts", "y = 1", "y = 2"],
    },
  },
  "resolution: tsconfig paths, package imports, folders, aliases": {
    files: {
      "tsconfig.json": '{ "extends": "./tsconfig.base.json" }',
      "tsconfig.base.json": '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
      "package.json": '{ "name": "app", "imports": { "#c": "./src/c.ts" } }',
      "src/main.ts": main(
        'import { a1 } from "@/a"; import { b1 } from "./b"; import { c1 } from "#c"; import { d1 } from "~d/d";',
        "return a + a1 + b1 + c1 + d1;",
      ),
      "src/a.ts": "export const a1 = 1;",
      "src/b/index.ts": "export const b1 = 1;",
      "src/c.ts": "export const c1 = 1;",
      "src/lib/d.ts": "export const d1 = 1;",
    },
    options: { hash: { alias: [{ find: /^~d\//, replacement: "./lib/" }] } },
    changes: {
      paths: ["src/a.ts", "1;", "2;"],
      folder: ["src/b/index.ts", "1;", "2;"],
      imports: ["src/c.ts", "1;", "2;"],
      alias: ["src/lib/d.ts", "1;", "2;"],
    },
  },
  "builtins and globals by name": {
    files: {
      "src/main.ts": main(
        'import { readFile } from "node:fs";',
        "return readFile(String(process.env.X) + Date.now() + a);",
      ),
    },
    changes: {
      builtin: ["src/main.ts", "{ readFile }", "{ stat as readFile }"],
      module: ["src/main.ts", "node:fs", "node:fs/promises"],
      env: ["src/main.ts", "env.X", "env.Y"],
      global: ["src/main.ts", "Date.now()", "performance.now()"],
    },
    keeps: { prefix: ["src/main.ts", "node:fs", "fs"] },
  },
  JSX: {
    files: {
      "src/main.tsx":
        'import { Card } from "./card";\nexport function load(a: number) {\n  return <Card size={a}>\n    text {a}\n  </Card>;\n}',
      "src/card.tsx": "export const Card = (p: any) => <b>{p.children}</b>;",
      "node_modules/react/package.json": '{ "name": "react", "version": "19.0.0" }',
      "node_modules/react/jsx-runtime.js": "",
    },
    changes: {
      component: ["src/card.tsx", "<b>{p.children}</b>", "<i>{p.children}</i>"],
      text: ["src/main.tsx", "text {a}", "text: {a}"],
      "runtime's version": ["node_modules/react/package.json", "19.0.0", "19.0.1"],
    },
    keeps: {
      formatting: ["src/main.tsx", "text {a}", 'text{" "}\n    {a}'],
      "component's name": {
        "src/main.tsx":
          'import { Box } from "./card";\nexport function load(a: number) {\n  return <Box size={a}>text {a}</Box>;\n}',
        "src/card.tsx": "export const Box = (p: any) => <b>{p.children}</b>;",
      },
    },
  },
  "what the build writes in the place of a global": {
    files: { "src/main.ts": main("declare const __RATE__: number;", "return import.meta.env.VITE_X + __RATE__ + a;") },
    options: { hash: { defines: { __RATE__: "2", "import.meta.env.VITE_X": '"x"', __OTHER__: "1" } } },
    changes: { name: ["src/main.ts", /__RATE__/g, "__OTHER__"] },
  },
  "import equals, and aliases of namespaces": {
    files: {
      "src/main.ts":
        'import fs = require("./f");\nimport R = N.R;\nnamespace N { export const R = 1; export const Q = 2; }\nexport function load(a: number) { return fs.used + R + a; }',
      "src/f.ts": "export const used = 1; export const unused = 2;",
    },
    changes: { required: ["src/f.ts", "used = 1", "used = 3"], alias: ["src/main.ts", "R = N.R", "R = N.Q"] },
    keeps: { "what is not used": ["src/f.ts", "unused = 2", "unused = 3"] },
  },
};

describe.each(Object.entries(CASES))("%s", (_, { files, changes = {}, keeps = {}, options }) => {
  const before = hashOf(files, "swc", options);
  test("both routes agree", () => expect(hashOf(files, "babel", options)).toBe(before));
  test.each(Object.entries(changes))("changes: %s", (_name, edit) => {
    const after = edited(files, edit);
    expect(hashOf(after, "swc", options)).not.toBe(before);
    expect(hashOf(after, "babel", options)).toBe(hashOf(after, "swc", options));
  });
  if (Object.keys(keeps).length > 0)
    test.each(Object.entries(keeps))("keeps: %s", (_name, edit) => {
      const after = edited(files, edit);
      expect(hashOf(after, "swc", options)).toBe(before);
      expect(hashOf(after, "babel", options)).toBe(before);
    });
});

test("a define's value is in the hash of who reads it, and of nobody else", () => {
  const files = { "src/main.ts": main("declare const __RATE__: number;", "return __RATE__ + a;") };
  const hash = (defines: Record<string, string>) => hashOf(files, "swc", { hash: { defines } });
  expect(hash({ __RATE__: "1" })).not.toBe(hash({ __RATE__: "2" }));
  expect(hash({ __RATE__: "1", __OTHER__: "1" })).toBe(hash({ __RATE__: "1", __OTHER__: "2" }));
});

describe("what can't be followed", () => {
  const DOUBTS: Record<string, [body: string, what: string]> = {
    eval: ["return eval(a);", "eval"],
    "new Function": ["return new Function(a);", "new Function"],
    "import()": ["return import(a);", "import()"],
    "require()": ["return require(a);", "require()"],
    "import.meta.glob()": ["return import.meta.glob(a);", "import.meta.glob()"],
    unresolved: ['return import("./gone");', '"./gone" can\'t be resolved'],
  };
  test.each(Object.entries(DOUBTS))("%s: the file closure counts, and the way to it is told", (_, [body, what]) => {
    const files = {
      "src/main.ts":
        'import { help } from "./help";\nexport function load(a: any) {\n  "use cache data";\n  return help(a);\n}\n',
      "src/help.ts": `import { far } from "./far";\nexport function help(a: any) { ${body} }\nexport const other = far;`,
      "src/far.ts": "export const far = 1;",
    };
    for (const route of ["swc", "babel"] as const) {
      const root = write(files);
      const result = transform(files["src/main.ts"], { filename: join(root, "src/main.ts"), root, route });
      const [diagnostic] = result?.diagnostics ?? [];
      expect(diagnostic).toMatchObject({ code: "unknown-code", severity: "warning" });
      expect(diagnostic?.message).toContain(`${what}`);
      expect(diagnostic?.fix).toContain("\n\n  src/main.ts#load\n  → src/help.ts#help");
      expect(result?.files).toEqual(["src/far.ts", "src/help.ts"].map((each) => join(root, each)));
    }
    expect(hashOf({ ...files, "src/far.ts": "export const far = 2;" }, "swc")).not.toBe(hashOf(files, "swc"));
  });

  test("source that does not parse counts by its bytes", () => {
    const files = {
      "src/main.ts": main('import { x } from "./x";', "return x + a;"),
      "src/x.ts": "export const x = ;",
    };
    const root = write(files);
    const { diagnostics, hash } = codeHash("src/main.ts", "load", { root });
    expect(diagnostics[0]?.message).toMatch(/can't be read/);
    expect(hashOf({ ...files, "src/x.ts": "export const x = ; " }, "swc")).not.toBe(hash);
  });
});

describe("annotated functions that are not at the top", () => {
  const site = (source: string, index = 0): string => {
    const root = write({ "src/main.ts": source });
    const codes = (["swc", "babel"] as const).map(
      (route) => transform(source, { filename: join(root, "src/main.ts"), root, route })?.sites[index]?.code,
    );
    expect(codes[0]).toBe(codes[1]);
    return codes[0] as string;
  };
  const nested = `const rate = 2;
export function make(scale: number) {
  const helper = (x: number) => x * rate;
  const unused = (x: number) => x + 1;
  return async (a: number) => { "use cache data"; return helper(a) * scale; };
}`;
  test("the code of captured functions counts, that of their neighbours doesn't", () => {
    const before = site(nested);
    expect(site(nested.replace("x * rate", "x / rate"))).not.toBe(before);
    expect(site(nested.replace("rate = 2", "rate = 3"))).not.toBe(before);
    expect(site(nested.replace("x + 1", "x + 2"))).toBe(before);
    expect(site(nested.replaceAll("helper", "assist").replaceAll("scale", "factor"))).toBe(before);
  });

  const method = `class Base { rate = 1; }
export class Repo extends Base {
  static async find(id: number) { "use cache data"; return id * 2; }
  static async all() { "use cache data"; return this.help(); }
  static help() { return 1; }
}`;
  test("a method that reads this depends on its class, another doesn't", () => {
    const [find, all] = [site(method, 0), site(method, 1)];
    expect(site(method.replace("return 1", "return 2"), 0)).toBe(find);
    expect(site(method.replace("return 1", "return 2"), 1)).not.toBe(all);
    expect(site(method.replace("rate = 1", "rate = 2"), 1)).not.toBe(all);
  });

  test("what is keyed is in the hash: an entry of one keying is no answer for another", () => {
    const source = (params: string, options = "") =>
      `import { cacheOptions } from "kept";\nexport async function load(${params}) { "use cache data"; ${options} return 1; }`;
    const before = site(source("a: number, _b: number"));
    expect(site(source("_a: number, b: number"))).not.toBe(before);
    expect(site(source("a: number, b: number"))).not.toBe(before);
    expect(site(source("x: number, b: number", 'cacheOptions({ ignore: ["b"] });'))).toBe(before);
    expect(site(source("a: number, _b: number", 'cacheOptions({ version: "2" });'))).not.toBe(before);
    expect(site(source("a: number, _b: number", 'cacheOptions({ ttl: "1h" });'))).toBe(before);
    expect(site(source("a: number, _b: number", "cacheOptions({ key: () => a });"))).not.toBe(
      site(source("a: number, _b: number", "cacheOptions({ key: () => a % 2 });")),
    );
  });
});

test("codeHash gives an annotated function the hash of its site, and says what is meant by a wrong name", () => {
  const source = main("", '"use cache data"; return a;');
  const root = write({ "src/main.ts": source });
  const result = transform(source, { filename: join(root, "src/main.ts"), root });
  expect(codeHash("src/main.ts", "load", { root }).hash).toBe(result?.sites[0]?.code);
  expect(codeHash(join(root, "src/main.ts"), "load", { root }).files).toEqual([join(root, "src/main.ts")]);
  expect(() => codeHash("src/main.ts", "laod", { root })).toThrow(/Did you mean `load`/);
});
