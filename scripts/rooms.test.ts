import { describe, expect, test } from "@jest/globals";
import { checkRooms } from "./rooms/check.js";
import { readModule } from "./rooms/imports.js";
import { LAW } from "./rooms/law.js";

const manifest = {
  name: "kept",
  dependencies: { "magic-string": "*" },
  peerDependencies: { "@babel/core": "*", "@swc/core": "*", vite: "*" },
};

/** A tree that keeps the law; each row of the tests below spoils it in one place. */
const lawful: Record<string, string> = {
  "runtime/contract.ts": "export const CONTRACT_VERSION = 1;",
  "runtime/events.ts": "export const emit = () => {};",
  "runtime/stats.ts": 'import { emit } from "./events.ts"; emit();',
  "runtime/stores/store.ts": "export interface Store { get(): void }",
  "runtime/stores/memory.ts": 'import type { Store } from "./store.ts"; export const memory: Store = { get() {} };',
  "runtime/cache.ts":
    'import type { Store } from "./stores/store.ts"; export const cache = (store: Store) => store.get();',
  "runtime/cache.test.ts": 'import { transform } from "../plugin/swc/index.ts"; transform;',
  "plugin/core/emit.ts":
    'import { CONTRACT_VERSION } from "../../runtime/contract.ts"; export const v = CONTRACT_VERSION;',
  "plugin/hash/resolve.ts": 'import { readFileSync } from "node:fs"; export const read = readFileSync;',
  "plugin/babel/index.ts":
    'import type { types } from "@babel/core"; import { v } from "../core/emit.ts"; v as types.Node;',
  "plugin/swc/index.ts":
    'import { parseSync } from "@swc/core"; import { v } from "../core/emit.ts"; export const transform = [parseSync, v];',
  "plugin/bundlers/vite.ts":
    'import type { Plugin } from "vite"; import { transform } from "../swc/index.ts"; transform as Plugin;',
  "scripts/bench.js": 'import "../runtime/cache.ts";',
};

const captions = (paths: string[]) => paths.map((path) => `- \`${path}\` — what it does, in a sentence.`).join("\n");

function check(spoilt: Record<string, string> = {}, architecture?: string): string[] {
  const sources = { ...lawful, ...spoilt };
  const captioned = Object.keys(sources).filter((path) => !path.includes(".test."));
  return checkRooms({ sources, manifest, architecture: architecture ?? captions(captioned) });
}

test("a lawful tree has no violation", () => {
  expect(check()).toEqual([]);
});

describe("the import law", () => {
  test.each([
    ["runtime/key.ts", 'import "../plugin/core/emit.ts";', "the runtime never imports the plugin"],
    ["runtime/key.ts", 'export type { v } from "../plugin/core/emit.ts";', "the runtime never imports the plugin"],
    ["runtime/key.ts", 'export type A = import("@swc/core").Node;', "the runtime imports no compiler and no bundler"],
    ["runtime/key.ts", 'const vite = await import("vite"); vite;', "the runtime imports no compiler and no bundler"],
    [
      "plugin/core/plan.ts",
      'import "../../runtime/cache.ts";',
      "of the runtime, the plugin takes only runtime/contract.ts",
    ],
    [
      "plugin/cli/index.ts",
      'export * from "../../runtime/stats.ts";',
      "of the runtime, the plugin takes only runtime/contract.ts",
    ],
    [
      "plugin/core/plan.ts",
      'import type { Node } from "@babel/core";',
      "plugin/core and plugin/hash import no AST package",
    ],
    ["plugin/hash/facts.ts", 'require("@swc/core");', "plugin/core and plugin/hash import no AST package"],
    ["plugin/hash/facts.ts", 'import "vite";', "plugin/core and plugin/hash import no bundler"],
    ["plugin/core/plan.ts", 'import "../swc/index.ts";', "plugin/core and plugin/hash import no route and no host"],
    [
      "plugin/core/plan.ts",
      'import { env } from "node:process"; env;',
      "plugin/core and plugin/hash don't know `process`",
    ],
    ["plugin/hash/resolve.ts", "export const cwd = process.cwd();", "plugin/core and plugin/hash don't know `process`"],
    [
      "plugin/hash/facts.ts",
      "export const { env } = globalThis.process;",
      "plugin/core and plugin/hash don't know `process`",
    ],
    [
      "plugin/hash/facts.ts",
      'import "node:fs/promises";',
      "of plugin/core and plugin/hash, only plugin/hash/resolve touches the file system",
    ],
    [
      "plugin/core/plan.ts",
      'import "fs";',
      "of plugin/core and plugin/hash, only plugin/hash/resolve touches the file system",
    ],
    ["plugin/babel/read.ts", 'import "../swc/index.ts";', "plugin/babel never imports plugin/swc or swc"],
    ["plugin/babel/read.ts", 'import "@swc/core";', "plugin/babel never imports plugin/swc or swc"],
    [
      "plugin/swc/read.ts",
      'import "../babel/index.ts";',
      "plugin/swc never imports plugin/babel or Babel's AST packages",
    ],
    ["plugin/swc/read.ts", 'import "@babel/core";', "plugin/swc never imports plugin/babel or Babel's AST packages"],
    ["runtime/cache.ts", 'import "./stores/memory.ts";', "runtime/cache.ts imports no concrete store"],
    ["runtime/cache.ts", 'import "./stats.ts";', "runtime/cache.ts imports no subscriber"],
    ["runtime/spinner.ts", "export {};", "subscribers import runtime/events.ts"],
    ["runtime/key.ts", 'import "../scripts/bench.js";', "what is shipped imports neither scripts, fixtures nor tests"],
    [
      "plugin/cli/index.ts",
      'import "../../runtime/cache.test.ts";',
      "what is shipped imports neither scripts, fixtures nor tests",
    ],
  ])("%s: %s", (path, source, law) => {
    const violations = check({ [path]: source });
    expect(violations).toContainEqual(
      expect.stringMatching(new RegExp(`^${path.replaceAll(".", "\\.")}[: ].*${law}$`)),
    );
  });

  test("every sentence of it is shown above to bite", () => {
    const spoils: [string, string][] = [
      ["runtime/key.ts", 'import "../plugin/core/emit.ts"; import "vite"; import "../scripts/bench.js";'],
      [
        "plugin/core/plan.ts",
        'import "../../runtime/cache.ts"; import "@swc/core"; import "vite"; import "../swc/index.ts"; import "fs"; process;',
      ],
      ["plugin/babel/read.ts", 'import "@swc/core";'],
      ["plugin/swc/read.ts", 'import "@babel/core";'],
      ["runtime/cache.ts", 'import "./stores/memory.ts"; import "./stats.ts";'],
      ["runtime/spinner.ts", "export {};"],
    ];
    const violations = check(Object.fromEntries(spoils)).join("\n");
    for (const { law } of LAW) expect(violations).toContain(law);
  });

  test("a message names the file, the line and the specifier", () => {
    expect(check({ "runtime/key.ts": '// ключ 🗝\n\nimport "../plugin/core/emit.ts";\n' })).toEqual([
      'runtime/key.ts:3 imports "../plugin/core/emit.ts": the runtime never imports the plugin',
    ]);
  });

  test("strings and comments that look like imports are none", () => {
    const source = 'export const code = `import "../plugin/core/emit.ts"`; // import "vite"';
    expect(check({ "runtime/key.ts": source })).toEqual([]);
  });

  test("a specifier without extension can't slip past", () => {
    expect(check({ "runtime/key.ts": 'import "../plugin/core/emit";' })).toContain(
      'runtime/key.ts:1 imports "../plugin/core/emit": no such source file (write the extension)',
    );
  });
});

describe("packages", () => {
  test("what is shipped needs only dependencies and peers", () => {
    expect(check({ "plugin/swc/read.ts": 'import "magic-string"; import "node:path"; import "fast-check";' })).toEqual([
      'plugin/swc/read.ts:1 imports "fast-check": fast-check is neither a dependency nor a peer dependency',
    ]);
  });

  test("tests and scripts may need more", () => {
    expect(
      check({ "plugin/swc/read.test.ts": 'import "fast-check";', "scripts/bench.js": 'import "mitata";' }),
    ).toEqual([]);
  });

  test("the package doesn't import itself by name", () => {
    expect(check({ "plugin/node/index.ts": 'import "kept/runtime";' })).toEqual([
      'plugin/node/index.ts:1 imports "kept/runtime": inside the package, import by path',
    ]);
  });
});

describe("cycles", () => {
  test("two files that import each other", () => {
    expect(
      check({ "runtime/key.ts": 'import "./copy.ts";', "runtime/copy.ts": 'import { type a } from "./key.ts";' }),
    ).toEqual(["import cycle: runtime/copy.ts → runtime/key.ts → runtime/copy.ts"]);
  });

  test("a longer round is told by its shortest way", () => {
    expect(
      check({
        "runtime/a.ts": 'import "./b.ts";',
        "runtime/b.ts": 'import "./c.ts"; import "./d.ts";',
        "runtime/c.ts": 'import "./d.ts";',
        "runtime/d.ts": 'import "./a.ts";',
      }),
    ).toEqual([
      "import cycle: runtime/a.ts → runtime/b.ts → runtime/d.ts → runtime/a.ts",
      expect.stringContaining("runtime/c.ts"),
    ]);
  });

  test("a type-only import loads nothing", () => {
    const key = 'import "./copy.ts";';
    expect(check({ "runtime/key.ts": key, "runtime/copy.ts": 'import type { a } from "./key.ts";' })).toEqual([]);
    expect(check({ "runtime/key.ts": key, "runtime/copy.ts": 'export type { a } from "./key.ts";' })).toEqual([]);
  });

  test("a file that imports itself", () => {
    expect(check({ "runtime/key.ts": 'import "./key.ts";' })).toEqual([
      "import cycle: runtime/key.ts → runtime/key.ts",
    ]);
  });

  test("a diamond is none", () => {
    expect(
      check({
        "runtime/a.ts": 'import "./b.ts"; import "./c.ts";',
        "runtime/b.ts": 'import "./d.ts";',
        "runtime/c.ts": 'import "./d.ts";',
        "runtime/d.ts": "export {};",
      }),
    ).toEqual([]);
  });
});

describe("captions", () => {
  const paths = Object.keys(lawful).filter((path) => !path.includes(".test."));

  test("a file without one", () => {
    expect(check({}, captions(paths.slice(1)))).toEqual([`ARCHITECTURE.md captions no ${paths[0]}`]);
  });

  test("one for a file that is gone", () => {
    expect(check({}, captions([...paths, "runtime/gone.ts"]))).toEqual([
      "ARCHITECTURE.md captions runtime/gone.ts, which is gone",
    ]);
  });

  test("an empty one, and two for one file", () => {
    expect(check({}, `${captions(paths)}\n- \`${paths[0]}\` —\n`)).toEqual([
      `ARCHITECTURE.md says nothing about ${paths[0]}`,
      `ARCHITECTURE.md captions ${paths[0]} twice`,
    ]);
  });
});

test("file names that name no mechanism", () => {
  expect(check({ "plugin/core/utils.ts": "export {};", "runtime/helpers/a.ts": "export {};" })).toHaveLength(2);
});

describe("reading a module", () => {
  const specifiers = (source: string) => readModule("a.ts", source).imports.map(({ specifier }) => specifier);

  test("every way to import", () => {
    const source = `
      import a, { type B } from "1"; import type { C } from "2"; export * from "3"; export type * from "4";
      export type { D } from "5"; let x: import("6").F; const y = import("7"); require("8"); require.resolve("9");
      import z = require("10"); export { q } from "11"; import "12"; import * as n from "13";`;
    expect(specifiers(source)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"]);
  });

  test("type-only is told from the rest", () => {
    const source =
      'import type { A } from "1"; export type * from "2"; let x: import("3").F; import { type B } from "4";';
    expect(readModule("a.ts", source).imports.map(({ typeOnly }) => typeOnly)).toEqual([true, true, true, false]);
  });

  test.each(["process.cwd()", "const { env } = process", "globalThis.process?.env", "f({ process })", "a[process]"])(
    "%s reads process",
    (source) => expect(readModule("a.ts", `\n${source}`).processLine).toBe(2),
  );

  test.each([
    "a.process",
    "({ process: 1 })",
    "class A { process() {} }",
    "type T = { process: (process: 1) => void }",
  ])("%s doesn't", (source) => expect(readModule("a.ts", source).processLine).toBeNull());
});
