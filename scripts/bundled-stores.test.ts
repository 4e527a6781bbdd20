/** What a bundler makes of the exports map's `node` condition: the built package, as `npm test` has just made it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = mkdtempSync(join(tmpdir(), "kept-bundled-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const PROGRAM = `
  import { caches } from "kept";
  import { cacheData } from "kept/runtime";
  const spec = { v: 1, id: "src/a.ts#f", code: "h1:1", hashed: ["n"], excluded: [], persist: "disk" };
  const call = cacheData(spec);
  let runs = 0;
  const value = call([1], () => ({ runs: ++runs, at: new Date(5) }));
  console.log(JSON.stringify({ runs, value }));
  await caches.close();
`;

/** Esbuild can't be loaded into Jest's own realm, whose `Uint8Array` is another. */
function bundle(platform: "node" | "browser"): string {
  const file = join(out, `${platform}.mjs`);
  const script = `
    import { build } from "esbuild";
    const stdin = { contents: ${JSON.stringify(PROGRAM)}, resolveDir: ${JSON.stringify(root)} };
    const { metafile } = await build({ stdin, bundle: true, format: "esm", platform: "${platform}", target: "es2022",
      metafile: true, outfile: ${JSON.stringify(file)} });
    console.log(JSON.stringify(Object.keys(metafile.inputs)));`;
  const args = ["--input-type=module", "-e", script];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function run(file: string): unknown {
  const env = { ...process.env, NODE_OPTIONS: "", KEPT_DIR: join(out, "kept") };
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: out, encoding: "utf8", env });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

test("a browser's bundle has no disk store in it, and runs", () => {
  const inputs: string[] = JSON.parse(bundle("browser"));
  expect(inputs.filter((path) => /stores\/(?:disk|folder|embedded)/.test(path))).toEqual([]);
  expect(inputs.some((path) => path.endsWith("runtime/persist.js"))).toBe(true);
  for (let time = 0; time < 2; time++) expect(run(join(out, "browser.mjs"))).toMatchObject({ runs: 1 });
});

test("a server's bundle has it inside: it keeps results, in a folder where no package is installed", () => {
  bundle("node");
  const value = { runs: 1, at: "1970-01-01T00:00:00.005Z" };
  expect(run(join(out, "node.mjs"))).toEqual({ runs: 1, value });
  expect(run(join(out, "node.mjs"))).toEqual({ runs: 0, value });
});
