/**
 * The compiler from its sources, for scripts: bundled in memory by esbuild, so that no build has to be current.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Loads modules of `plugin/` as one bundle, in which they share what they import.
 *
 * @param {string[]} paths from the root of the repository
 * @returns {Promise<any>} everything that they export
 */
export async function loadCompiler(...paths) {
  const { outputFiles } = await build({
    stdin: { contents: paths.map((path) => `export * from "./${path}";`).join("\n"), resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "error",
  });
  // On disk, under the repository, for Node to find the packages that stay outside of the bundle.
  const file = join(root, ".cache", "scripts", `compiler-${process.pid}.mjs`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, /** @type {any} */ (outputFiles)[0].text);
  return import(pathToFileURL(file).href);
}
