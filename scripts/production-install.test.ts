/**
 * What a user's production install brings and loads, seen from outside: the packed package is installed into an empty
 * project, and Node itself says which modules `kept` and `kept/runtime` load.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("..", import.meta.url));
const COMPILERS =
  /^(?:@swc\/|@babel\/(?:core|parser|types|traverse|generator|template)$|typescript$|acorn$|oxc-(?:parser|transform|minify)$|esbuild$|vite$|rollup$|rolldown$)/;

let project: string;

beforeAll(() => {
  if (!existsSync(join(root, "dist"))) throw new Error("There is no dist/: run `npm run build` first.");
  project = realpathSync(mkdtempSync(join(tmpdir(), "kept-install-")));
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], root));
  write("package.json", JSON.stringify({ private: true, dependencies: { kept: `file:${packed.filename}` } }));
  run("npm", ["install", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]);
}, 180_000);

afterAll(() => {
  if (project) rmSync(project, { recursive: true, force: true });
});

test("the install brings no compiler and no bundler", () => {
  const names = namesIn(JSON.parse(run("npm", ["ls", "--omit=dev", "--all", "--json"])));
  expect(names).toContain("kept");
  expect(names.filter((name) => COMPILERS.test(name))).toEqual([]);
});

describe("as ESM", () => {
  // A resolve hook sees every import; what CommonJS modules require among themselves stands in Module._cache.
  const hook = `
    import { appendFileSync } from "node:fs";
    let log;
    export const initialize = (data) => { log = data; };
    export const resolve = async (specifier, context, next) => {
      const resolved = await next(specifier, context);
      appendFileSync(log, resolved.url + "\\n");
      return resolved;
    };`;
  const register = `
    import { register } from "node:module";
    register("./hook.mjs", { parentURL: import.meta.url, data: process.env.LOADED });`;

  test.each([["kept"], ["kept/runtime"]])("%s loads the runtime's own files and nothing else", (specifier) => {
    const log = join(project, "loaded.txt");
    write("loaded.txt", "");
    write("hook.mjs", hook);
    write("register.mjs", register);
    write(
      "main.mjs",
      `await import("${specifier}"); console.log(JSON.stringify(Object.keys((await import("node:module")).Module._cache)));`,
    );
    const required: string[] = JSON.parse(
      run(process.execPath, ["--import", "./register.mjs", "main.mjs"], project, { LOADED: log }),
    );
    const main = pathToFileURL(join(project, "main.mjs")).href;
    const imported = readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .filter((url) => url !== main && !url.startsWith("node:"));
    const room = pathToFileURL(join(project, "node_modules/kept/dist/runtime/")).href;
    expect(imported).toContain(room + (specifier === "kept" ? "index.js" : "generated.js"));
    expect(imported.filter((url) => !url.startsWith(room))).toEqual([]);
    expect(required).toEqual([]);
  });
});

describe("as CommonJS", () => {
  test.each([["kept"], ["kept/runtime"]])("%s loads the runtime's own files and nothing else", (specifier) => {
    write("main.cjs", `require("${specifier}"); console.log(JSON.stringify(Object.keys(require.cache)));`);
    const required: string[] = JSON.parse(run(process.execPath, ["main.cjs"]));
    const room = join(project, "node_modules/kept/dist/cjs/runtime/");
    expect(required).toContain(room + (specifier === "kept" ? "index.cjs" : "generated.cjs"));
    expect(required.filter((path) => path !== join(project, "main.cjs") && !path.startsWith(room))).toEqual([]);
  });
});

test("both forms export the same names", () => {
  write(
    "names.mjs",
    `import { createRequire } from "node:module";
     const require = createRequire(import.meta.url);
     for (const each of ["kept", "kept/runtime"]) {
       console.log(JSON.stringify([Object.keys(await import(each)).sort(), Object.keys(require(each)).sort()]));
     }`,
  );
  for (const line of run(process.execPath, ["names.mjs"]).trim().split("\n")) {
    const [esm, commonjs] = JSON.parse(line);
    expect(esm.length).toBeGreaterThan(0);
    expect(commonjs).toEqual(esm);
  }
});

function write(name: string, text: string): void {
  writeFileSync(join(project, name), text);
}

function run(command: string, args: string[], cwd = project, env: Record<string, string> = {}): string {
  // Jest's own flags are none of the user's program.
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...inherited, ...env } });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout;
}

interface Installed {
  /** Absent where npm lists an optional peer that isn't there. */
  readonly version?: string;
  readonly dependencies?: Record<string, Installed>;
}

function namesIn({ dependencies = {} }: Installed): string[] {
  return Object.entries(dependencies).flatMap(([name, installed]) => [
    ...(installed.version === undefined ? [] : [name]),
    ...namesIn(installed),
  ]);
}
