import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { routeNamed } from "../routes.ts";
import { adviseHosts, withPluginInJson, writeAdvice } from "./init.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kept-init-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(root, name), text);
const project = (...packages: string[]) =>
  write("package.json", JSON.stringify({ devDependencies: Object.fromEntries(packages.map((name) => [name, "*"])) }));

test.each([
  [["vite", "rollup"], "vite.config.ts", "Vite", "kept/vite"],
  [["vitest"], "vitest.config.ts", "Vitest", "kept/vite"],
  [["next", "webpack"], "next.config.mjs", "Next.js", "kept/loader"],
  [["@rspack/core"], "rspack.config.js", "Rspack", "kept/rspack"],
  [["bun"], "build.ts", "Bun.build", "kept/bun"],
  [["@babel/core"], "babel.config.json", "Babel", "kept/babel"],
  [["jest"], "jest.config.js", "Jest", "kept/jest"],
])("%j with %s is %s", (packages, config, host, entry) => {
  project(...packages);
  write(config, "");
  expect(adviseHosts(root)).toMatchObject([{ host, file: config, lines: expect.stringContaining(entry) }]);
});

test("a project without a bundler is Node's; a folder without a package.json is nobody's", () => {
  expect(adviseHosts(root)).toEqual([]);
  project("express");
  expect(adviseHosts(root)).toMatchObject([{ host: "Node" }]);
});

describe.each(["swc", "babel"] as const)("--write, %s", (route) => {
  const written = (packages: string[], file: string, config: string): string | undefined => {
    project(...packages);
    write(file, config);
    const [advice] = adviseHosts(root);
    return writeAdvice(root, advice!, routeNamed(route)) ? readFileSync(join(root, file), "utf8") : undefined;
  };
  const VITE = 'import kept from "kept/vite";\n';

  test.each([
    ["an empty list", "export default { \n plugins: [] };\n", `${VITE}export default { \n plugins: [kept()] };\n`],
    [
      "a list, behind a comment and imports, in defineConfig",
      '// ours\nimport react from "react";\nexport default defineConfig({\n  plugins: [react()],\n});\n',
      `// ours\n${VITE}import react from "react";\nexport default defineConfig({\n  plugins: [kept(), react()],\n});\n`,
    ],
    ["nothing yet", "export default {};\n", `${VITE}export default {\n  plugins: [kept()],\n};\n`],
    [
      "options, but no list",
      "export default { root: 1 };\n",
      `${VITE}export default { plugins: [kept()], root: 1 };\n`,
    ],
    [
      "a function that returns the options",
      "export default defineConfig(({ mode }) => ({\n  mode,\n}));\n",
      `${VITE}export default defineConfig(({ mode }) => ({\n  plugins: [kept()],\n  mode,\n}));\n`,
    ],
    [
      "a constant, and the list of another part",
      "const config: UserConfig = {\n  worker: { plugins: [] },\n};\nexport default config;\n",
      `${VITE}const config: UserConfig = {\n  plugins: [kept()],\n  worker: { plugins: [] },\n};\nexport default config;\n`,
    ],
    [
      "CommonJS",
      "module.exports = { plugins: [] };\n",
      'const kept = require("kept/vite").default;\nmodule.exports = { plugins: [kept()] };\n',
    ],
    ["a list that is made elsewhere", "export default { plugins: make() };\n", undefined],
    ["several configurations", "export default [{}, {}];\n", undefined],
    ["what doesn't parse", "export default {", undefined],
  ])("%s", (_, config, expected) => {
    expect(written(["vite"], "vite.config.ts", config)).toBe(expected);
  });

  test("once", () => {
    const config = written(["vite"], "vite.config.ts", "export default {};\n")!;
    expect(written(["vite"], "vite.config.ts", config)).toBeUndefined();
  });

  test("what a build script passes on", () => {
    expect(written(["esbuild"], "build.mjs", 'await esbuild.build({ entryPoints: ["a.ts"] });\n')).toBe(
      'import kept from "kept/esbuild";\nawait esbuild.build({ plugins: [kept()], entryPoints: ["a.ts"] });\n',
    );
  });

  test("both of Next.js's bundlers, unless one is configured", () => {
    const config = written(["next"], "next.config.ts", "export default { cacheComponents: true };\n");
    expect(config).toMatch(/turbopack: \{[\s\S]*kept\/loader[\s\S]*webpack\(config\) \{[\s\S]*cacheComponents: true/);
    expect(written(["next"], "next.config.ts", "export default { turbopack: {} };\n")).toBeUndefined();
  });

  test("around Jest's transformer", () => {
    const config = 'module.exports = {\n  transform: { "\\\\.ts$": ["@swc/jest", { a: 1 }] },\n};\n';
    expect(written(["jest", "@swc/jest"], "jest.config.js", config)).toBe(
      config.replace('["@swc/jest", { a: 1 }]', '["kept/jest", { transformer: ["@swc/jest", { a: 1 }] }]'),
    );
    expect(written(["jest"], "jest.config.js", "module.exports = {};\n")).toContain('{ transformer: "babel-jest" }');
  });
});

test("a Babel configuration in JSON keeps what it has", () => {
  const edit = { where: "exported", what: { plugins: '"kept/babel"' } } as const;
  const config = '{ "presets": ["a"], "plugins": ["b"] }';
  expect(JSON.parse(withPluginInJson(config, edit)!)).toEqual({ presets: ["a"], plugins: ["kept/babel", "b"] });
  expect(withPluginInJson("{ // comment\n}", edit)).toBeUndefined();
});
