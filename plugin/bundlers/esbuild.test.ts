import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type BuildOptions, build } from "esbuild";
import kept from "./esbuild.ts";

let root: string;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "kept-esbuild-")));
  const load = 'export async function load(url: string) {\n  "use cache data";\n  return url;\n}\n';
  for (const name of ["load.ts", "load.text.ts"]) writeFileSync(join(root, name), load);
  writeFileSync(join(root, "program.ts"), 'export { load } from "./load.ts";\n');
  writeFileSync(join(root, "attribute.ts"), 'export { default } from "./load.ts" with { type: "text" };\n');
  writeFileSync(join(root, "loader.ts"), 'export { default } from "./load.text.ts";\nexport * from "./load.ts";\n');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const built = async (entry: string, options: BuildOptions = {}): Promise<string> => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "silent",
    external: ["kept/runtime"],
    plugins: [kept({ hash: { cache: false } })],
    ...options,
  });
  return (outputFiles as { text: string }[]).map(({ text }) => text).join();
};

test("what is imported as text is the text of its author", async () => {
  expect(await built("program.ts")).toContain('id: "load.ts#load"');
  const attribute = await built("attribute.ts");
  expect(attribute).toContain("use cache data");
  expect(attribute).not.toContain("kept/runtime");
});

test("so is what has a loader for something else than programs: the one with the longest ending", async () => {
  const both = await built("loader.ts", { loader: { ".text.ts": "text" } });
  expect(both).toContain("use cache data");
  expect(both).toContain('id: "load.ts#load"');
  expect(both).not.toContain('id: "load.text.ts#load"');
  expect(await built("load.ts", { loader: { ".ts": "text" } })).not.toContain("kept/runtime");
});
