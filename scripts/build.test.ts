/** What `dist/` is loaded as: every entry by Node, and for a build no more than it needs. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readEntries } from "./entries.js";

const root = fileURLToPath(new URL("..", import.meta.url));
let project: string;

beforeAll(() => {
  if (!existsSync(join(root, "dist"))) throw new Error("There is no dist/: run `npm run build` first.");
  // Inside the package, so that Rollup is found.
  mkdirSync(join(root, ".cache"), { recursive: true });
  project = realpathSync(mkdtempSync(join(root, ".cache", "build-test-")));
  mkdirSync(join(project, "node_modules"));
});
afterAll(() => {
  if (project) rmSync(project, { recursive: true, force: true });
});

test("every entry can be imported, and what has a default export there has one", () => {
  const entries = readEntries(root).filter(({ source }) => source.startsWith("plugin/"));
  const files = entries.map(({ source }) => join(root, "dist", source.replace(/\.ts$/, ".js")));
  write("all.mjs", `for (const file of ${JSON.stringify(files)}) console.log(Object.keys(await import(file)).join());`);
  const found = run("all.mjs").trim().split("\n");
  const told = Object.fromEntries(entries.map(({ subpath }, index) => [subpath, found[index]]));
  for (const { subpath, source } of entries) {
    const text = readFileSync(join(root, source), "utf8");
    expect([subpath, told[subpath]?.split(",").includes("default")]).toEqual([subpath, /^export default /m.test(text)]);
  }
  expect(told["./swc"]).toBe("defaultRoute,swcRoute,transform");
  expect(told["./jest"]).toContain("createTransformer");
});

test("a build loads the compiler when nothing is kept, and else two files of Kept and no package", () => {
  write("main.js", 'export function load(url) {\n  "use cache data";\n  return url;\n}\n');
  write(
    "hook.mjs",
    `import { appendFileSync } from "node:fs";
export const resolve = async (specifier, context, next) => {
  const resolved = await next(specifier, context);
  appendFileSync(${JSON.stringify(join(project, "loaded.txt"))}, resolved.url + "\\n");
  return resolved;
};
`,
  );
  write(
    "build.mjs",
    `import { Module, register } from "node:module";
import { rollup } from "rollup";
register("./hook.mjs", import.meta.url);
const { default: kept } = await import(${JSON.stringify(pathToFileURL(join(root, "dist/plugin/bundlers/rollup.js")).href)});
const bundle = await rollup({ input: "main.js", external: /^kept/, plugins: [kept({ root: ${JSON.stringify(project)} })] });
const { output } = await bundle.generate({ format: "esm" });
console.log(JSON.stringify({ code: output[0].code, required: Object.keys(Module._cache) }));
`,
  );
  const build = () => {
    write("loaded.txt", "");
    const { code, required } = JSON.parse(run("build.mjs")) as { code: string; required: string[] };
    const urls = readFileSync(join(project, "loaded.txt"), "utf8").trim().split("\n");
    const ours = pathToFileURL(join(root, "dist/plugin/")).href;
    const loaded = urls.filter((url) => url.startsWith(ours)).map((url) => url.slice(ours.length));
    const packages = [...urls.filter((url) => url.startsWith("file:") && !url.startsWith(ours)), ...required];
    return {
      code,
      loaded: [...new Set(loaded)].sort(),
      packages: packages.filter((each) => /swc|oxc|magic/.test(each)),
    };
  };
  const first = build();
  expect(first.loaded).toEqual([
    "bundlers/rollup.js",
    "shared/build.js",
    "shared/compiler.js",
    "shared/host.js",
    "shared/resolver.js",
  ]);
  expect(first.packages.join()).toMatch(/@swc\/core.*oxc-resolver|oxc-resolver.*@swc\/core/);
  const next = build();
  expect(next.loaded).toEqual(["bundlers/rollup.js", "shared/build.js", "shared/host.js"]);
  expect(next.packages).toEqual([]);
  expect(next.code).toBe(first.code);
});

const write = (name: string, text: string) => writeFileSync(join(project, name), text);

function run(script: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: project,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  if (status !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}
