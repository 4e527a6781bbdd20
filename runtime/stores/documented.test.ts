/** The store that docs/stores.md shows, as it stands there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { transformSync } from "esbuild";
import { conformance, type Store } from "./conformance.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/stores.md", import.meta.url)), "utf8");
const source = /```ts\n(\/\/ table-store\.ts\n[\s\S]*?)```/.exec(page)?.[1] ?? "";

const folder = mkdtempSync(join(tmpdir(), "kept-documented-"));
const file = join(folder, "table-store.mjs");
writeFileSync(file, transformSync(source, { loader: "ts" }).code);
const { tableStore } = (await import(pathToFileURL(file).href)) as { tableStore: (rows?: Map<string, never>) => Store };
rmSync(folder, { recursive: true });

describe("the store of docs/stores.md", () => {
  for (const { name, run } of conformance(() => {
    const rows = new Map<string, never>();
    return { store: tableStore(rows), reopen: () => tableStore(rows) };
  }))
    test(name, run);

  test("is short", () => {
    expect(source.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(28);
  });
});
