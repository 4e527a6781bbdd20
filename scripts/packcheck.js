/**
 * Checks the package as a user gets it: packs it, then lets publint look at the tarball, are-the-types-wrong resolve
 * every entry, and says what is inside.
 *
 *     npm run build && node scripts/packcheck.js
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { readEntries } from "./entries.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

if (!existsSync(join(root, "dist"))) throw new Error("There is no dist/: run `npm run build` first.");
const { tarball, files, size } = pack();
const entries = readEntries(root);
const faults = [
  ...strayFiles(files),
  ...(await publintFaults(tarball)),
  // Both forms: nothing may be wrong. ESM alone: `require` of it is Node's require(esm), which attw can't know.
  ...attwFaults(tarball, "node16", (entry) => entry.commonjs),
  ...attwFaults(tarball, "esm-only", (entry) => !entry.commonjs),
];
const unwritten = entries.filter((entry) => !entry.written).map((entry) => entry.subpath);
if (unwritten.length > 0) console.log(`Not written yet, so not checked: ${unwritten.join(" ")}`);
for (const fault of faults) console.error(fault);
if (faults.length > 0) {
  console.error(`Package: ${faults.length} fault(s).`);
  process.exit(1);
}
console.log(`Package: no faults; ${files.length} files, ${Math.round(size / 1024)} kB packed.`);

function pack() {
  const destination = join(root, ".cache/pack");
  mkdirSync(destination, { recursive: true });
  const packed = spawnSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", destination], {
    cwd: root,
    encoding: "utf8",
  });
  if (packed.status !== 0) throw new Error(`npm pack failed:\n${packed.stderr}`);
  const [report] = JSON.parse(packed.stdout);
  return {
    tarball: join(destination, report.filename),
    /** @type {string[]} */
    files: report.files.map((/** @type {{ path: string }} */ file) => file.path),
    /** @type {number} bytes */
    size: report.size,
  };
}

/** @param {string[]} files */
function strayFiles(files) {
  const allowed = /^(?:dist\/(?:cjs\/)?(?:plugin|runtime)\/|(?:package\.json|README\.md|CHANGELOG\.md|LICENSE)$)/;
  return files
    .filter((file) => !allowed.test(file) || file.includes(".test."))
    .map((file) => `pack: ${file} doesn't belong in the package`);
}

/** @param {string} tarball */
async function publintFaults(tarball) {
  const bytes = readFileSync(tarball);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  if (!pkg) throw new Error("publint read no package.json");
  const waiting = new Set(entries.filter((entry) => !entry.written).map((entry) => entry.subpath));
  return messages
    .filter((message) => !(message.path[0] === "exports" && waiting.has(String(message.path[1]))))
    .map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`);
}

/**
 * @param {string} tarball
 * @param {"node16" | "esm-only"} profile
 * @param {(entry: import("./entries.js").Entry) => boolean} which
 */
function attwFaults(tarball, profile, which) {
  const subpaths = entries.filter((entry) => entry.written && which(entry)).map((entry) => entry.subpath);
  if (subpaths.length === 0) return [];
  const manifest = require.resolve("@arethetypeswrong/cli/package.json");
  const bin = join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.attw);
  if (!existsSync(bin)) throw new Error("are-the-types-wrong has no command line");
  const args = [bin, tarball, "--profile", profile, "--format", "ascii", "--no-emoji", "--entrypoints", ...subpaths];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return status === 0 ? [] : [`attw (${profile}): ${stdout}${stderr}`];
}
