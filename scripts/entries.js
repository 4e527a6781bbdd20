import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * One subpath of the package: the source it is built from and the files that the exports map promises.
 *
 * @typedef {object} Entry
 * @property {string} subpath `.`, `./runtime`, …
 * @property {string} source `runtime/index.ts`, from the root
 * @property {string[]} targets every path that the exports map names for it, without `./`
 * @property {boolean} commonjs has a `require` condition of its own
 * @property {boolean} written false while no source file stands behind it
 */

/**
 * The exports map of package.json, written by hand there and read here, so that the build, the checks of the packed
 * package and what Node resolves can't disagree.
 *
 * @param {string} root
 * @returns {Entry[]}
 */
export function readEntries(root) {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = [];
  for (const [subpath, conditions] of Object.entries(exports)) {
    if (subpath === "./package.json") continue;
    const targets = leaves(conditions);
    const esm = leaves(conditions.import ?? conditions).find((target) => target.endsWith(".js"));
    if (!esm?.startsWith("dist/"))
      throw new Error(`package.json: exports["${subpath}"] names no dist/**/*.js for import`);
    const source = esm.replace(/^dist\//, "").replace(/\.js$/, ".ts");
    entries.push({
      subpath,
      source,
      targets,
      commonjs: "require" in conditions,
      written: existsSync(join(root, source)),
    });
  }
  return entries;
}

/**
 * @param {unknown} node
 * @returns {string[]}
 */
function leaves(node) {
  if (typeof node === "string") return [node.replace(/^\.\//, "")];
  if (node === null || typeof node !== "object")
    throw new Error(`package.json: can't read ${JSON.stringify(node)} in exports`);
  return Object.values(node).flatMap(leaves);
}
