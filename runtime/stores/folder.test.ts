import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { testWhere } from "../../fixtures/where.ts";
import { findFolder } from "./folder.ts";

const top = mkdtempSync(join(tmpdir(), "kept-folder-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

function project(name: string, files: Record<string, string> = {}): string {
  const root = join(top, name);
  for (const [path, text] of Object.entries({ "package.json": `{"name":"@my/${name}"}`, ...files })) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
const at = (cwd: string, env: Record<string, string> = {}, platform = "linux") => ({
  cwd,
  env: { HOME: "/home/ada", ...env },
  platform,
});

describe("the folder for results", () => {
  const installed = project("installed", { "node_modules/x/package.json": "{}", "src/a.ts": "" });
  const bare = project("bare");

  test("is the package's own, in node_modules/.cache, from wherever in the package one starts", () => {
    const folder = join(installed, "node_modules/.cache/kept/my+installed");
    expect(findFolder(undefined, at(installed))).toBe(folder);
    expect(findFolder(undefined, at(join(installed, "src")))).toBe(folder);
  });

  test("is the user's, where there is no node_modules: one for each place", () => {
    expect(findFolder(undefined, at(bare))).toMatch(/^\/home\/ada\/\.cache\/kept\/my\+bare-[0-9a-f]{8}$/);
    expect(findFolder(undefined, at(bare, { XDG_CACHE_HOME: "/c" }))).toMatch(/^\/c\/kept\//);
    expect(findFolder(undefined, at(bare, {}, "darwin"))).toMatch(/^\/home\/ada\/Library\/Caches\/kept\//);
    expect(findFolder(undefined, at(bare, { LOCALAPPDATA: "/l" }, "win32"))).toMatch(/^\/l\/kept\//);
    const other = project("other/deep/bare");
    expect(findFolder(undefined, at(other))).not.toBe(findFolder(undefined, at(bare)));
  });

  test("is the one that is said, with the app's name, so that two deployments share it and two apps don't", () => {
    expect(findFolder("/var/kept", at(installed))).toBe("/var/kept/my+installed");
    expect(findFolder(undefined, at(installed, { KEPT_DIR: "/var/kept" }))).toBe("/var/kept/my+installed");
    expect(findFolder("cache", at(installed))).toBe(join(installed, "cache", "my+installed"));
  });

  test("is found without a package, and without a name", () => {
    expect(findFolder("/var/kept", at(project("nameless", { "package.json": "{}" })))).toBe("/var/kept/app");
    expect(findFolder("/var/kept", at(project("torn", { "package.json": "{" })))).toBe("/var/kept/app");
    expect(findFolder(undefined, at("/"))).toMatch(/kept/);
  });

  const asUser = process.getuid?.() === 0 ? "root may write everywhere" : undefined;
  testWhere("a folder that can't be written to", asUser)("is the user's where node_modules can't be written to", () => {
    const locked = project("locked", { "node_modules/x": "" });
    chmodSync(join(locked, "node_modules"), 0o500);
    expect(findFolder(undefined, at(locked))).toMatch(/^\/home\/ada\//);
  });
});
