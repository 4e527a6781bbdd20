import { describe, expect, test } from "@jest/globals";
import type { SiteKind } from "../../runtime/contract.ts";
import { type Site, TransformError, transform } from "../index.ts";

type Told = Site["options"] | readonly string[];

/** What the site was told, or the codes of what is refused; equal in both routes. */
function told(options: string, { kind = "data" as SiteKind, before = "", file = "a.ts", head = "" } = {}): Told {
  const source = `${head || 'import { cacheOptions } from "kept";'}\n${before}\nexport function f(url) {\n  "use cache ${kind}";\n  ${
    options.includes("ptions(") ? options : `cacheOptions({ ${options} });`
  }\n  return url;\n}\n`;
  const [swc, babel] = (["swc", "babel"] as const).map((route): Told => {
    try {
      const result = transform(source, { filename: file, root: "/project", route });
      expect(result?.code).not.toMatch(/ptions\(/);
      return result?.sites[0]?.options ?? [];
    } catch (error) {
      if (error instanceof TransformError) return error.diagnostics.map((each) => `${each.code}: ${each.message}`);
      throw error;
    }
  });
  expect(babel).toEqual(swc);
  return swc as Told;
}
const refused = (options: string, more = {}): string => {
  const said = told(options, more);
  expect(said).toBeInstanceOf(Array);
  return (said as readonly string[]).join("\n");
};

describe("values that are right", () => {
  const hour = 3_600_000;
  test.each<[string, object]>([
    ["ttl: 60", { ttl: 60_000 }],
    ["ttl: 0.5", { ttl: 500 }],
    ["ttl: 1_000", { ttl: 1_000_000 }],
    ["ttl: 0", { ttl: 0 }],
    ["ttl: -1", { ttl: -1000 }],
    ["ttl: +1", { ttl: 1000 }],
    ['ttl: "500ms"', { ttl: 500 }],
    ['ttl: "90s"', { ttl: 90_000 }],
    ['ttl: "1h30m"', { ttl: 1.5 * hour }],
    ['ttl: "1d"', { ttl: 24 * hour }],
    ['ttl: "1w"', { ttl: 168 * hour }],
    ['ttl: "P1DT2H"', { ttl: 26 * hour }],
    ["ttl: `1h`", { ttl: hour }],
    ['ttl: "1h" as const', { ttl: hour }],
    ['ttl: ("1h")', { ttl: hour }],
    ['ttl: "1h" satisfies string', { ttl: hour }],
    ['"ttl": "1h"', { ttl: hour }],
    ["ttl: null", {}],
    ["ttl: undefined", {}],
    ["ttl: Infinity", {}],
    ['ttl: "5m", staleFor: "1h"', { ttl: 300_000, staleFor: hour }],
    ["maxEntries: 1", { maxEntries: 1 }],
    ["maxEntries: null", {}],
    ["maxEntries: Infinity", {}],
    ['persist: "disk"', { persist: "disk" }],
    ["persist: true", { persist: "disk" }],
    ["persist: false", {}],
    ['scope: "session"', { scope: "session" }],
    ['scope: "global"', {}],
    ['copy: "freeze"', { copy: "freeze" }],
    ['copy: "copy"', {}],
    ['tags: ["a", `b`]', { tags: ["a", "b"] }],
    ["tags: []", { tags: [] }],
    ["spinner: false", { spinner: false }],
    ['spinner: "Loading"', { spinner: "Loading" }],
    ["showTime: true", { showTime: true }],
    ["allowInputs: true", { allowInputs: true }],
    ['version: "2"', { version: "2" }],
    ["version: 2", { version: "2" }],
    ['env: ["API_URL"]', { env: ["API_URL"] }],
    ['ignore: ["url"]', { ignore: ["url"] }],
    ["key: () => [url]", { code: ["key"] }],
    ["", {}],
  ])("%s", (options, expected) => {
    expect(told(options)).toEqual(expected);
  });

  test.each<[string, object]>([
    ["validate: (value) => value.ok", { code: ["validate"] }],
    ["validate(value) { return value.ok; }", { code: ["validate"] }],
    ["async validate(value) { return value.ok; }", { code: ["validate"] }],
    ["validate: async function (value) { return value.ok; }", { code: ["validate"] }],
    ["onRelease: (value) => value.close(), validate: () => true", { code: ["onRelease", "validate"] }],
    ['scope: "session", ttl: 60', { scope: "session", ttl: 60_000 }],
  ])("of a resource: %s", (options, expected) => {
    expect(told(options, { kind: "resource" })).toEqual(expected);
  });

  test.each<[string, string]>([
    ["const ttl = 60;", "ttl"],
    ["const ttl = -(-60);", "ttl"],
    ["const minute = 60 as const; const ttl = minute;", "ttl"],
    ["export const ttl: number = 60;", "ttl: ttl"],
    ["const a = `60s`;", "ttl: a satisfies string"],
    ["function g() { const ttl = 1; return ttl; } const ttl = 60;", "ttl"],
  ])("a constant of the module: %s", (before, options) => {
    expect(told(options, { before })).toEqual({ ttl: 60_000 });
  });

  test("a constant that stands further down", () => {
    expect(told("tags: [tag]", { before: "export const later = () => tag; const tag = 'users';" })).toEqual({
      tags: ["users"],
    });
  });

  test.each<[string, string]>([
    ["const isOpen = (client) => client.isOpen;", "validate: isOpen"],
    ["import { isOpen } from './net';", "validate: isOpen"],
    ["import * as net from './net';", "validate: net.isOpen"],
    ["function validate(client) { return client.isOpen; }", "validate"],
    ["", "onRelease: console.log"],
  ])("a function by name: %s %s", (before, options) => {
    expect(told(options, { before, kind: "resource" })).toEqual({ code: [options.split(":")[0]] });
  });
});

describe("values that are wrong", () => {
  test.each<[string, string]>([
    ['ttl: "10"', 'invalid-option: `ttl` in cacheOptions of f is no duration: "10" has no unit.'],
    ['ttl: ""', 'invalid-option: `ttl` in cacheOptions of f is no duration: "".'],
    ['ttl: "1 month"', "months and years differ in length"],
    ['ttl: "1 fortnight"', 'the units are "ms"'],
    ['ttl: "5M"', "is no duration"],
    ['ttl: "1h1h"', "is no duration"],
    ["ttl: true", "must be seconds or a string with a unit"],
    ["ttl: []", "must be seconds or a string with a unit"],
    ['staleFor: "1h"', "needs a ttl above zero"],
    ['ttl: 0, staleFor: "1h"', "needs a ttl above zero"],
    ["maxEntries: 0", "must be a whole number from 1"],
    ["maxEntries: -1", "must be a whole number from 1"],
    ["maxEntries: 1.5", "must be a whole number from 1"],
    ['maxEntries: "10"', "must be a whole number from 1"],
    ['persist: "redis"', 'must be "disk"'],
    ['persist: "true"', 'must be "disk"'],
    ['scope: "request"', 'must be "global" or "session"'],
    ['scope: "Session"', 'Did you mean "session"?'],
    ["scope: true", 'must be "global" or "session"'],
    ['copy: "deep"', 'must be "copy" or "freeze"'],
    ['tags: "users"', "must be an array of tags"],
    ["tags: [1]", "must be an array of tags"],
    ["env: 'API'", "must be an array of environment variable names"],
    ["ignore: 'url'", "must be an array of parameter names"],
    ['ignore: ["ulr"]', "Did you mean `url`?"],
    ["spinner: 1", "must be true, false or a text"],
    ["showTime: 1", "must be true or false"],
    ['allowInputs: "yes"', "must be true or false"],
    ["version: true", "must be a string"],
    ["key: async () => 1", "must be a plain function without parameters"],
    ["key: (a) => a", "must be a plain function without parameters"],
  ])("%s", (options, words) => {
    expect(refused(options)).toContain(words);
  });

  test.each<[string, string]>([
    ["ttl: Date.now()", "option-not-static: `ttl`"],
    ["ttl: 1 + 1", "option-not-static: `ttl`"],
    ["ttl: url", "option-not-static: `ttl`"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source.
    ["ttl: `${1}h`", "option-not-static: `ttl`"],
    ["tags: [...[]]", "option-not-static: `tags`"],
    ["tags: ['a', , 'b']", "option-not-static: `tags`"],
    ["get ttl() { return 1; }", "option-not-static: `ttl`"],
    ["ttl() { return 1; }", "option-not-static: `ttl`"],
    ["['ttl']: 1", "option-not-static: A computed name"],
    ["...{ ttl: 1 }", "option-not-static: A spread"],
    ["key: 1", "option-not-static: `key`"],
    ["get key() { return () => 1; }", "option-not-static: `key`"],
    ["cacheOptions();", "option-not-static: An argument"],
    ["cacheOptions('1h');", "option-not-static: An argument"],
    ["cacheOptions(...[{}]);", "option-not-static: An argument"],
    ["cacheOptions({}, {});", "option-not-static: An argument"],
  ])("%s can't be read", (options, words) => {
    expect(refused(options)).toContain(words);
  });

  test.each([
    "let ttl = 60; ttl = 1;",
    "let ttl = 60;",
    "var ttl = 60;",
    "const { ttl } = { ttl: 60 };",
    "const ttl = ttl;",
    "const a = ttl; const ttl = a;",
    "import { ttl } from './a';",
    "const ttl = Number('60');",
  ])("no constant: %s", (before) => {
    expect(refused("ttl", { before })).toContain("option-not-static: `ttl`");
  });

  test.each<[string, string]>([
    ["ttk: 1", "Did you mean `ttl`?"],
    ["TTL: 1", "Did you mean `ttl`?"],
    ["maxentries: 1", "Did you mean `maxEntries`?"],
    ["max_entries: 1", "Did you mean `maxEntries`?"],
    ["onrelease: 1", "Did you mean `onRelease`?"],
    ["tag: 1", "Did you mean `tags`?"],
    ["show_spinner: 1", "Unknown option `show_spinner`"],
    ["hash_funcs: 1", "Unknown option `hash_funcs`"],
    ["toString: 1", "Unknown option `toString`"],
    ["__proto__: null", "option-not-static"],
  ])("%s is unknown", (options, words) => {
    expect(refused(options)).toContain(words);
  });

  test.each<[string, SiteKind]>([
    ["validate: () => true", "data"],
    ["onRelease: () => {}", "data"],
    ['persist: "disk"', "resource"],
    ['copy: "freeze"', "resource"],
  ])("%s is not for %s", (options, kind) => {
    expect(refused(options, { kind })).toContain(`has no meaning for "use cache ${kind}"`);
  });
});

describe("found by binding, not by spelling", () => {
  test.each<[string, string]>([
    ['import { cacheOptions as options } from "kept";', "options({ ttl: 60 });"],
    ['import * as kept from "kept";', "kept.cacheOptions({ ttl: 60 });"],
    ['import { "cacheOptions" as o } from "kept"; const options = 1;', "o({ ttl: 60, version: `options(` });"],
    ['import kept = require("kept");', "kept.cacheOptions({ ttl: 60 });"],
  ])("%s", (head, options) => {
    expect(told(options.includes("ptions(") ? options : `${options}/*ptions(*/`, { head })).toMatchObject({
      ttl: 60_000,
    });
  });

  test.each<[string, string]>([
    ['const { cacheOptions } = require("kept");', "cacheOptions({ ttl: 60 });"],
    ['const { cacheOptions: options } = require("kept");', "options({ ttl: 60 });"],
    ['const kept = require("kept");', "kept.cacheOptions({ ttl: 60 });"],
  ])("CommonJS: %s", (head, options) => {
    const source = `${head}\nexports.f = function f(url) {\n  "use cache data";\n  ${options}\n  return url;\n};\n`;
    for (const route of ["swc", "babel"] as const) {
      const result = transform(source, { filename: "a.cjs", root: "/project", route });
      expect(result?.sites[0]?.options).toEqual({ ttl: 60_000 });
      expect(result?.code).not.toContain("ttl: 60 ");
    }
  });

  test.each([
    'import { cacheOptions } from "elsewhere";',
    "const cacheOptions = (options) => options;",
    'import * as kept from "elsewhere"; const { cacheOptions } = kept;',
    'import { cacheTag as cacheOptions } from "kept";',
    "declare function cacheOptions(options: object): void;",
  ])("another function of that name is left where it is: %s", (head) => {
    const source = `${head}\nexport function f(url) {\n  "use cache data";\n  cacheOptions({ anything: url });\n  return url;\n}\n`;
    for (const route of ["swc", "babel"] as const) {
      const result = transform(source, { filename: "a.ts", root: "/project", route });
      expect(result?.sites[0]?.options).toEqual({});
      expect(result?.code).toContain("cacheOptions({ anything: url })");
    }
  });

  test("a parameter of that name", () => {
    const source = `import { cacheOptions } from "kept";\nexport function f(cacheOptions) {\n  "use cache data";\n  cacheOptions({ ttl: 1 });\n  return 1;\n}\n`;
    const result = transform(source, { filename: "a.ts", root: "/project" });
    expect(result?.code).toContain("cacheOptions({ ttl: 1 })");
    expect(result?.code).toContain('from "kept"');
  });
});

describe("the import", () => {
  const use = '\nexport function f() {\n  "use cache data";\n  cacheOptions({ ttl: 1 });\n  return 1;\n}\n';
  test.each<[string, string]>([
    ['import { cacheOptions } from "kept";', ""],
    ['import { cacheOptions, clear } from "kept";', "clear"],
    ['import { clear, cacheOptions } from "kept";', "clear"],
    ['import { clear, cacheOptions, stats } from "kept";', "clear stats"],
    ['import { cacheOptions, } from "kept";', ""],
  ])("%s keeps what else it brings", (head, left) => {
    const rest = left ? `\nexport const others = [${left.split(" ").join(", ")}];` : "";
    for (const route of ["swc", "babel"] as const) {
      const code = transform(head + use + rest, { filename: "a.ts", root: "/project", route })?.code ?? "";
      expect(code).not.toContain("cacheOptions");
      const names = /import \{([^}]*)\} from "kept";/.exec(code)?.[1]?.match(/\w+/g) ?? [];
      expect(names.join(" ")).toBe(left);
    }
  });

  test("stays where it is used for something else", () => {
    const source = `import { cacheOptions } from "kept";${use}export { cacheOptions };\n`;
    for (const route of ["swc", "babel"] as const)
      expect(transform(source, { filename: "a.ts", root: "/project", route })?.code).toContain(
        'import { cacheOptions } from "kept"',
      );
  });
});
