import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { adviseHosts, withPlugin, writeAdvice } from "./init.ts";

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
  [["next", "webpack"], "next.config.mjs", "Next.js", "kept/loader"],
  [["@rspack/core"], "rspack.config.js", "Rspack", "kept/rspack"],
  [["@babel/core"], "babel.config.json", "Babel", "kept/babel"],
  [["jest"], "jest.config.js", "Jest", "kept/jest"],
])("%j with %s is %s", (packages, config, host, entry) => {
  project(...packages);
  write(config, "");
  expect(adviseHosts(root)).toEqual([{ host, file: config, lines: expect.stringContaining(entry) }]);
});

test("a project without a bundler is Node's; a folder without a package.json is nobody's", () => {
  expect(adviseHosts(root)).toEqual([]);
  project("express");
  expect(adviseHosts(root)).toMatchObject([{ host: "Node" }]);
});

describe("--write", () => {
  const vite = 'import react from "@vitejs/plugin-react";\n\nexport default {\n  plugins: [react()],\n};\n';

  test("adds the import and the call, once", () => {
    project("vite");
    write("vite.config.js", vite);
    const [advice] = adviseHosts(root);
    expect(writeAdvice(root, advice!)).toBe(true);
    const after = readFileSync(join(root, "vite.config.js"), "utf8");
    expect(after).toBe(`import kept from "kept/vite";\n${vite.replace("[react", "[kept(), react")}`);
    expect(writeAdvice(root, advice!)).toBe(false);
    expect(readFileSync(join(root, "vite.config.js"), "utf8")).toBe(after);
  });

  const lines = 'import kept from "kept/vite";\n\nplugins: [kept()]';
  test.each([
    [
      "an empty list",
      "export default { \n plugins: [] };\n",
      'import kept from "kept/vite";\nexport default { \n plugins: [kept()] };\n',
    ],
    ["no list", "export default {};\n", undefined],
    ["two lists", "export default {\n  plugins: [],\n  worker: {\n  plugins: [] },\n};\n", undefined],
    ["a list of another part", "export default {\n  build: {\n    plugins: [],\n  },\n};\n", undefined],
    ["CommonJS", "module.exports = {\n  plugins: [] };\n", undefined],
  ])("%s", (_, config, expected) => {
    expect(withPlugin(config, lines, "vite.config.js")).toBe(expected);
  });

  test("a Babel configuration in JSON keeps what it has", () => {
    expect(
      JSON.parse(withPlugin('{ "presets": ["a"], "plugins": ["b"] }', '"plugins": ["kept/babel"]', ".babelrc")!),
    ).toEqual({
      presets: ["a"],
      plugins: ["kept/babel", "b"],
    });
  });
});
