/** `kept warm`, `kept stats --disk` and `kept clear`, as a user runs them, and what a program finds afterwards. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { diskStats, printStats } from "./stats.ts";
import { inBytes } from "./stored.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));
let root: string;
let results: string;

const RIDES = `import { cacheOptions, cacheTag } from "kept";
import { scale } from "./scale.js";

export async function loadRides(year) {
  "use cache data";
  cacheOptions({ persist: "disk" });
  cacheTag("rides");
  return [year * scale];
}

export function countRides(year) {
  "use cache data";
  cacheOptions({ persist: "disk" });
  return year;
}

export function inMemory() {
  "use cache data";
  return 1;
}
`;
const WARM = `import { countRides, inMemory, loadRides } from "./src/rides.js";

export const rides = () => loadRides(2026);
export const memory = () => inMemory();
export default [() => countRides(1), () => countRides(2)];
`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kept-stored-"));
  results = join(root, "node_modules/.cache/kept/shop");
  write("package.json", '{ "name": "shop", "type": "module" }');
  write("src/rides.js", RIDES);
  write("src/scale.js", "export const scale = 2;\n");
  write("kept.warm.js", WARM);
  mkdirSync(join(root, "node_modules"));
  symlinkSync(repository, join(root, "node_modules/kept"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function node(...args: string[]) {
  const { KEPT_DIR: _, ...env } = process.env;
  return spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", env: { ...env, NODE_OPTIONS: "" } });
}
const kept = (...args: string[]) => node(join(repository, "dist/plugin/cli/index.js"), ...args);
const tidy = (text: string) => text.replaceAll(root, "<root>").replace(/ +\d[\d.]* m?s(?= )/g, "  <time>");

/** Every one that it finds, by its bytes. */
const files = () =>
  (existsSync(results) ? (readdirSync(results, { recursive: true, encoding: "utf8" }) as string[]) : [])
    .map((path) => join(results, path))
    .filter((path) => /[\da-f]{32}-[\da-f]{32}$/.test(path) && statSync(path).isFile());

describe("kept warm", () => {
  test("makes the calls that a module exports, and finds them there the next time", () => {
    const first = kept("warm");
    expect([first.stderr, first.status]).toEqual(["", 0]);
    const lines = tidy(first.stdout).trim().split("\n");
    expect(lines.slice().sort()).toEqual(
      [
        "4 calls: 4 miss.",
        '    In memory only, so nothing is left of it: it has no `persist: "disk"`.',
        "miss  <time>  src/rides.js#inMemory  (memory)",
        "miss  <time>  src/rides.js#loadRides  (rides)",
        "miss  <time>  src/rides.js#countRides  (default[0])",
        "miss  <time>  src/rides.js#countRides  (default[1])",
      ].sort(),
    );
    const { calls } = JSON.parse(kept("warm", "--json", "--concurrency", "1").stdout);
    expect(calls.map(({ name, outcome }: { name: string; outcome: string }) => `${name} ${outcome}`)).toEqual([
      "memory miss",
      "rides hit",
      "default[0] hit",
      "default[1] hit",
    ]);
  });

  test("a program that a bundler builds starts warm with it", async () => {
    kept("warm");
    write(
      "src/main.js",
      `import { on } from "kept";\nimport { loadRides } from "./rides.js";\non("miss", () => console.log("miss"));\nconsole.log(await loadRides(2026));\n`,
    );
    const bundle = async () => {
      const { default: plugin } = await import(join(repository, "dist/plugin/bundlers/esbuild.js"));
      const plugins = [plugin({ root })];
      await build({
        absWorkingDir: root,
        entryPoints: ["src/main.js"],
        bundle: true,
        format: "esm",
        platform: "node",
        external: ["kept"],
        outfile: join(root, "dist/main.js"),
        logLevel: "silent",
        plugins,
      });
      return node("dist/main.js").stdout;
    };
    expect(await bundle()).toBe("[ 4052 ]\n");
    write("src/scale.js", "export const scale = 3;\n");
    expect(await bundle()).toBe("miss\n[ 6078 ]\n");
  });

  test("into a store that the module configures, and is done when that is", () => {
    write(
      "store.js",
      `import { configure } from "kept";
import { keyvStore } from "kept/stores/keyv";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
mkdirSync("shared", { recursive: true });
const slowly = (act) => new Promise((done) => setTimeout(() => done(act()), 30));
const file = (key) => "shared/" + key;
configure({
  store: keyvStore({
    get: (key) => slowly(() => (existsSync(file(key)) ? readFileSync(file(key), "utf8") : undefined)),
    set: (key, text) => slowly(() => writeFileSync(file(key), text)),
    delete: (key) => slowly(() => {}),
  }),
});
`,
    );
    write(
      "kept.warm.js",
      `import "./store.js";\nimport { loadRides } from "./src/rides.js";\nexport const rides = () => loadRides(1);\n`,
    );
    expect(kept("warm").stdout).toContain("1 call: 1 miss.");
    expect(kept("warm").stdout).toContain("1 call: 1 hit.");
    expect(existsSync(results)).toBe(false);
  });

  test("a call that fails is told, with the others made, and is the exit code", () => {
    write(
      "kept.warm.js",
      `import { countRides } from "./src/rides.js";\nexport const bad = () => { throw new Error("no database"); };\nexport const good = () => countRides(1);\n`,
    );
    const { stdout, status } = kept("warm");
    expect(status).toBe(1);
    expect(stdout).toContain("Error: no database");
    expect(stdout).toContain("2 calls: 1 miss, 1 failed.");
  });

  test("ends also where something is left open", () => {
    write("kept.warm.js", `setInterval(() => {}, 1000);\n${WARM}`);
    expect(kept("warm").status).toBe(0);
    expect(files()).toHaveLength(3);
  });

  test.each([
    ["export const a = 1;", "exports no call"],
    ["export default 7;", "must be a list of functions"],
    ["export default [Promise.resolve()];", "is no function. Write `() => loadRides(url)`"],
    ['throw new Error("at the top");', "at the top"],
    ['import "./nowhere.js";', "nowhere.js"],
    ["process.exit(3); export const a = () => 1;", "ended with 3"],
  ])("%s is refused", (text, message) => {
    write("kept.warm.js", text);
    const { stderr, status } = kept("warm");
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test("a module of another name, and none", () => {
    write("scripts/calls.mjs", WARM.replace("./src", "../src"));
    expect(kept("warm", "scripts/calls.mjs").status).toBe(0);
    expect(kept("warm", "calls.mjs").stderr).toContain("There is no file calls.mjs.");
    expect(kept("warm", "--concurrency", "many").status).toBe(2);
    rmSync(join(root, "kept.warm.js"));
    const none = kept("warm");
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining("There is no kept.warm.ts")]);
  });

  ((process.features as { typescript?: unknown }).typescript === undefined ? test : test.skip)(
    "TypeScript in a Node that can't: says what to type",
    () => {
      write("kept.warm.ts", WARM);
      expect(kept("warm").stderr).toContain("kept warm --import tsx");
    },
  );
});

describe("kept stats --disk", () => {
  test("tells what is kept of each function, and what belongs to code that is gone", () => {
    expect(kept("stats", "--disk").stdout).toBe(`Nothing is kept in ${results}.\n`);
    kept("warm");
    const bytes = files().reduce((sum, path) => sum + readFileSync(path).length, 0);
    const { stdout, status } = kept("stats", "--disk");
    expect(status).toBe(0);
    expect(stdout).toContain(`${results}: 3 entries, ${inBytes(bytes)}`);
    expect(stdout).toMatch(/src\/rides\.js#countRides +2 +\d+ B +\d+ s ago +\d+ s ago {2}0\n/);
    expect(stdout).toMatch(/src\/rides\.js#loadRides +1 +\d+ B +\d+ s ago +\d+ s ago {2}0\n/);

    write("src/scale.js", "export const scale = 3;\n");
    kept("warm");
    write("src/rides.js", RIDES.replace("countRides", "numberOfRides"));
    const { functions, entries } = JSON.parse(kept("stats", "--disk", "--json").stdout);
    expect(entries).toBe(4);
    expect(functions).toMatchObject([
      { site: "src/rides.js#loadRides", entries: 2, otherCode: 1, isThere: true, over: 0 },
      { site: "src/rides.js#countRides", entries: 2, otherCode: 2, isThere: false },
    ]);
    write("src/rides.js", `${RIDES}const = 1;`);
    expect(kept("stats", "--disk").stdout).toContain("?: the project's code could not be read here");
  });

  test("a damaged folder is told, not thrown", () => {
    kept("warm");
    const [first, second, third] = files() as [string, string, string];
    writeFileSync(first, "garbage");
    writeFileSync(second, readFileSync(second).subarray(0, 30));
    rmSync(third);
    mkdirSync(third);
    const { stdout, stderr, status } = kept("stats", "--disk");
    expect([stderr, status]).toEqual(["", 0]);
    expect(stdout).toContain("Damaged, or of another version; no harm, nobody is served them: 2 entries");
    expect(kept("clear", "--all").status).toBe(0);
    writeFileSync(join(results, "1"), "a file in the way");
    const inTheWay = kept("stats", "--disk");
    expect([inTheWay.status, inTheWay.stdout]).toEqual([1, expect.stringContaining("it is no folder")]);
  });

  test("another folder, as configure({ dir }) and KEPT_DIR say", () => {
    const env = { ...process.env, NODE_OPTIONS: "", KEPT_DIR: join(root, "elsewhere") };
    const cli = join(repository, "dist/plugin/cli/index.js");
    spawnSync(process.execPath, [cli, "warm"], { cwd: root, env });
    expect(kept("stats", "--disk").stdout).toContain("Nothing is kept");
    for (const dir of ["elsewhere", "elsewhere/shop"])
      expect(kept("stats", "--disk", "--dir", dir).stdout).toContain("3 entries");
  });

  test("says that it needs --disk", () => {
    expect(kept("stats").stderr).toContain("kept stats needs --disk");
  });

  test("in words: sealed, damaged, old", () => {
    const at = { began: 0, until: 5, used: 0, bytes: 1500 };
    const entry = { ...at, site: "a#f", code: "h1:1", state: "readable" as const };
    const report = {
      dir: "here",
      isThere: true,
      entries: [entry, { ...entry, state: "sealed" as const, site: undefined, code: undefined }],
      failures: [{ path: "x", message: "closed" }],
    };
    const now = 86_400_000 * 40;
    expect(
      printStats(
        diskStats(report, new Map([["a#f", "h1:2"]]), () => false, now),
        now,
      ),
    ).toBe(
      `here: 2 entries, 3.0 kB

     entries    size       oldest    last used  of other code
a#f        1  1.5 kB  40 days ago  40 days ago  1

Sealed, so that whose they are is hidden: 1 entry, 1.5 kB.

x can't be looked at: closed`,
    );
  });
});

describe("kept clear", () => {
  test("of a function, by its id or its name; and no other's", () => {
    kept("warm");
    const { stdout } = kept("clear", "countRides");
    expect(tidy(stdout)).toMatch(/^Cleared src\/rides\.js#countRides in <root>\/.+\/shop: 2 entries, \d+ B\.\n$/);
    expect(files()).toHaveLength(1);
    expect(JSON.parse(kept("clear", "src/rides.js#loadRides", "--json").stdout)).toMatchObject({ entries: 1 });
    expect(files()).toHaveLength(0);
  });

  test("of a tag, and of everything", () => {
    kept("warm");
    expect(kept("clear", "--tag", "rides").stdout).toContain("Cleared the tag `rides`");
    const { calls } = JSON.parse(kept("warm", "--json", "--concurrency", "1").stdout);
    expect(calls.map(({ outcome }: { outcome: string }) => outcome)).toEqual(["miss", "miss", "hit", "hit"]);
    expect(kept("clear", "--all").stdout).toMatch(/Cleared everything .*: 3 entries/);
    expect(kept("stats", "--disk").stdout).toContain("Nothing is kept");
    expect(kept("clear", "--all").stdout).toMatch(/: 0 entries/);
  });

  test("refuses what it does not know, with a suggestion", () => {
    kept("warm");
    const unknown = kept("clear", "cuontRides");
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining("Did you mean `countRides`?")]);
    expect(kept("clear").stderr).toContain("kept clear needs one of");
    expect(kept("clear", "countRides", "--all").stderr).toContain("kept clear needs one of");
    expect(files()).toHaveLength(3);
  });
});
