/**
 * Builds `dist/`: every module of plugin/ and runtime/ one to one as ESM with declarations (tsc), and the entries that
 * Jest's CommonJS mode must be able to `require` once more as CommonJS (rolldown).
 *
 * The work is done in a folder beside `dist/` that takes its place at the end, so that whoever reads `dist/` meanwhile
 * never sees half of a build.
 *
 *     node scripts/build.js [--despite-type-errors]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { readEntries } from "./entries.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Beside dist/ and as deep as it: the paths in source maps are relative.
const staging = join(root, `.dist-${process.pid}`);

try {
  await build(process.argv.includes("--despite-type-errors"));
} finally {
  rmSync(staging, { recursive: true, force: true });
}

/** @param {boolean} despiteTypeErrors */
async function build(despiteTypeErrors) {
  const started = performance.now();
  const entries = readEntries(root);
  emitModules(despiteTypeErrors);
  await emitCommonJs(entries.filter((entry) => entry.commonjs && entry.written));
  assertPromised(entries);
  takeThePlaceOfDist();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const built = entries.filter((entry) => entry.written).map((entry) => entry.subpath);
  const unwritten = entries.filter((entry) => !entry.written).map((entry) => entry.subpath);
  if (unwritten.length > 0) console.log(`Not written yet, so not built: ${unwritten.join(" ")}`);
  console.log(`Built dist/ in ${seconds} s: ${built.join(" ")}`);
}

/** @param {boolean} despiteTypeErrors */
function emitModules(despiteTypeErrors) {
  const require = createRequire(import.meta.url);
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  const args = [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", staging];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit", cwd: root });
  if (status !== 0 && !despiteTypeErrors) fail("tsc found errors; dist/ is left as it was.");
  if (!existsSync(staging)) fail("tsc wrote nothing.");
}

/**
 * Rolldown writes the modules (it knows how to name them `.cjs` and to rewrite the specifiers); the declarations are
 * tsc's, renamed. One file per module, as in the ESM build, so that a stack trace reads alike in both.
 *
 * @param {import("./entries.js").Entry[]} entries
 */
async function emitCommonJs(entries) {
  if (entries.length === 0) return;
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry.source.replace(/\.ts$/, ""), join(root, entry.source)])),
    platform: "node",
    external: (id) => !id.startsWith(".") && !id.startsWith(root),
    tsconfig: false,
    transform: { target: "node20" },
    onLog(level, log) {
      if (level === "warn") fail(`rolldown: ${log.message}`);
    },
  });
  const { output } = await bundle.write({
    dir: join(staging, "cjs"),
    format: "cjs",
    exports: "named",
    preserveModules: true,
    preserveModulesRoot: root,
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    sourcemap: true,
  });
  await bundle.close();
  for (const chunk of output) {
    if (chunk.type === "chunk" && chunk.fileName.startsWith("runtime/"))
      copyDeclaration(chunk.fileName.replace(/\.cjs$/, ""));
  }
  // Modules of types alone leave no chunk, but the declarations beside them refer to theirs.
  for (const name of readdirSync(join(staging, "runtime"), { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(".d.ts")) copyDeclaration(join("runtime", name.replace(/\.d\.ts$/, "")));
  }
}

/** @param {string} module path without extension, from the root of dist */
function copyDeclaration(module) {
  const source = readFileSync(join(staging, `${module}.d.ts`), "utf8");
  const target = join(staging, "cjs", `${module}.d.cts`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(
    target,
    source
      .replace(/((?:from|import)\s*\(?\s*")(\.{1,2}\/[^"]+)\.(?:js|ts)"/g, '$1$2.cjs"')
      .replace(/^\/\/# sourceMappingURL=.*$/m, ""),
  );
}

/** @param {import("./entries.js").Entry[]} entries */
function assertPromised(entries) {
  const gone = entries
    .filter((entry) => entry.written)
    .flatMap((entry) => entry.targets)
    .filter((target) => !existsSync(join(staging, relative("dist", target))));
  if (gone.length > 0)
    fail(`The exports map of package.json names files that the build doesn't make: ${gone.join(" ")}`);
  const tests = readdirSync(staging, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(".test."));
  if (tests.length > 0) fail(`Tests in the build: ${tests.join(" ")}`);
}

function takeThePlaceOfDist() {
  const dist = join(root, "dist");
  const retired = join(root, `.dist-${process.pid}-old`);
  if (existsSync(dist)) renameSync(dist, retired);
  renameSync(staging, dist);
  rmSync(retired, { recursive: true, force: true });
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  rmSync(staging, { recursive: true, force: true });
  console.error(`Build failed: ${message}`);
  process.exit(1);
}
