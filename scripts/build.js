/**
 * Builds `dist/`. The runtime by tsc, one file per module: as ESM, and once more as CommonJS under `dist/cjs/`, because
 * Jest's CommonJS mode can't load ESM. (The registry on `globalThis` makes the two one cache.) The compiler by Rollup, in
 * few files: Node takes half a millisecond for each that it loads, and every host pays for it. As one file per module,
 * what a first build loads took 57 ms of processor time, and takes 23. Its types are tsc's, one file per module.
 *
 * The work is done in a folder beside `dist/` that takes its place at the end, so that whoever reads `dist/` meanwhile
 * never sees half of a build.
 *
 *     node scripts/build.js [--despite-type-errors]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { rollup } from "rollup";
import { readEntries } from "./entries.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
// Beside dist/ and as deep as it: the paths in source maps are relative.
const staging = join(root, `.dist-${process.pid}`);
/** Modules of the compiler that are loaded by their place and not by an import. */
const BY_PLACE = ["plugin/cli/index.ts", "plugin/cli/warm-run.ts", "plugin/node/hooks.ts"];
/** What is loaded together, the first first: what every bundler's plugin is, what a cached build needs, the compiler. */
const LAYERS = {
  host: "plugin/bundlers/rollup-like.ts",
  build: "plugin/build.ts",
  resolver: "plugin/hash/resolve/index.ts",
  compiler: "plugin/compile.ts",
};

try {
  await build(process.argv.includes("--despite-type-errors"));
} catch (error) {
  console.error(`Build failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(staging, { recursive: true, force: true });
}

/** @param {boolean} despiteTypeErrors */
async function build(despiteTypeErrors) {
  const started = performance.now();
  const entries = readEntries(root);
  compile("tsconfig.build.json", staging, despiteTypeErrors);
  compile("tsconfig.cjs.json", join(staging, "cjs"), despiteTypeErrors);
  await bundleCompiler(entries);
  nameDeclarationsInSpecifiers();
  leaveComputedImports();
  nameCommonJs();
  assertPromised(entries);
  assertPlaces();
  takeThePlaceOfDist();
  const unwritten = entries.filter((entry) => !entry.written).map((entry) => entry.subpath);
  if (unwritten.length > 0) console.log(`Not written yet, so not built: ${unwritten.join(" ")}`);
  const built = entries.filter((entry) => entry.written).map((entry) => entry.subpath);
  console.log(`Built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s: ${built.join(" ")}`);
}

/**
 * @param {string} project
 * @param {string} outDir
 * @param {boolean} despiteTypeErrors
 */
function compile(project, outDir, despiteTypeErrors) {
  const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
  const args = [join(dirname(manifest), "bin/tsc"), "-p", join(root, project), "--outDir", outDir];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit", cwd: root });
  if (status !== 0 && !despiteTypeErrors) throw new Error(`tsc -p ${project} found errors; dist/ is left as it was`);
  if (!existsSync(outDir)) throw new Error(`tsc -p ${project} wrote nothing`);
}

/**
 * The compiler from its sources, in the place of what tsc made of it. What is imported dynamically stays apart, so that a
 * build for which nothing has changed loads no parser.
 *
 * @param {import("./entries.js").Entry[]} entries
 */
async function bundleCompiler(entries) {
  for (const path of filesUnder(join(staging, "plugin"), /\.js(?:\.map)?$/)) rmSync(path);
  const sources = entries.filter(({ written }) => written).map(({ source }) => source);
  const inputs = [...sources.filter((source) => source.startsWith("plugin/")), ...BY_PLACE];
  const bundle = await rollup({
    input: Object.fromEntries(inputs.map((source) => [source.replace(/\.ts$/, ""), join(root, source)])),
    external: (specifier) => !specifier.startsWith(".") && !isAbsolute(specifier),
    plugins: [
      {
        name: "typescript",
        transform: (code, sourcefile) =>
          transformSync(code, { loader: "ts", target: "node20.19", sourcemap: true, sourcefile }),
      },
    ],
    onLog(_, { message }) {
      throw new Error(message);
    },
  });
  await bundle.write({
    dir: staging,
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "plugin/shared/[name].js",
    manualChunks: layerOf,
    minifyInternalExports: false,
    hoistTransitiveImports: false,
  });
}

/**
 * The first layer whose modules load this one. So a layer imports only those before it, and a host loads one file for each
 * layer that it needs.
 *
 * @param {string} id
 * @param {import("rollup").ManualChunkMeta} graph
 * @returns {string | undefined}
 */
function layerOf(id, graph) {
  return Object.entries(LAYERS).find(([, from]) => {
    const reached = new Set([join(root, from)]);
    for (const each of reached) for (const next of graph.getModuleInfo(each)?.importedIds ?? []) reached.add(next);
    return reached.has(id);
  })?.[0];
}

/** tsc writes `./key.js` into the modules and leaves `./key.ts` in their declarations, where only newer compilers follow it. */
function nameDeclarationsInSpecifiers() {
  for (const path of filesUnder(staging, ".d.ts")) {
    rewrite(path, path, (text) => text.replace(/(\b(?:from|import) ?\(?")(\.{1,2}\/[^"\n]+)\.ts"/g, '$1$2.js"'));
  }
}

/**
 * `import(name)` of a computed name gets a helper around the name from tsc, and the comments that tell bundlers to leave
 * it alone (`webpackIgnore`, `turbopackIgnore`) then stand where no bundler reads them: Turbopack refuses the build. The
 * lines stay, for the source maps.
 */
function leaveComputedImports() {
  const helper = /^var __rewriteRelativeImportExtension = [\s\S]*?^};$/m;
  for (const path of filesUnder(staging, ".js")) {
    rewrite(path, path, (text) =>
      text
        .replace(helper, (lines) => lines.replace(/.+/g, ""))
        .replace(/__rewriteRelativeImportExtension\(((?:\/\*.*?\*\/ )*\w+)\)/g, "$1"),
    );
  }
}

/** tsc names what it writes after the source, and a `.js` file is ESM in this package: `key.js` becomes `key.cjs`. */
function nameCommonJs() {
  const folder = join(staging, "cjs");
  for (const path of filesUnder(folder, ".d.ts")) {
    rewrite(path, path.replace(/\.ts$/, ".cts"), (text) =>
      text.replace(/(\b(?:from|import) ?\(?")(\.{1,2}\/[^"\n]+)\.js"/g, '$1$2.cjs"'),
    );
  }
  for (const path of filesUnder(folder, ".js")) {
    rewrite(path, path.replace(/\.js$/, ".cjs"), (text) =>
      text
        .replace(/(\brequire\(")(\.{1,2}\/[^"\n]+)\.js"\)/g, '$1$2.cjs")')
        .replace(/^\/\/# sourceMappingURL=(.+)\.js\.map$/m, "//# sourceMappingURL=$1.cjs.map"),
    );
  }
  for (const path of filesUnder(folder, ".js.map")) {
    rewrite(path, path.replace(/\.js\.map$/, ".cjs.map"), (text) =>
      text.replace(/^(\{"version":3,"file":"[^"]+)\.js"/, '$1.cjs"'),
    );
  }
}

/** @param {import("./entries.js").Entry[]} entries */
function assertPromised(entries) {
  const gone = entries
    .filter((entry) => entry.written)
    .flatMap((entry) => entry.targets)
    .filter((target) => !existsSync(join(staging, relative("dist", target))));
  if (gone.length > 0) throw new Error(`package.json exports what the build doesn't make: ${gone.join(" ")}`);
}

/** Code that names a file by its place beside it has to stand where its source stands: in an entry, not in what is shared. */
function assertPlaces() {
  for (const path of filesUnder(join(staging, "plugin"), ".js"))
    for (const [, name = ""] of readFileSync(path, "utf8").matchAll(/"(\.[^"\n]*\.js)", import\.meta\.url\)/g))
      if (!existsSync(join(dirname(path), name)))
        throw new Error(`${relative(staging, path)} names ${name}, which is not there`);
}

function takeThePlaceOfDist() {
  const retired = join(root, `.dist-${process.pid}-old`);
  if (existsSync(dist)) renameSync(dist, retired);
  renameSync(staging, dist);
  rmSync(retired, { recursive: true, force: true });
}

/**
 * @param {string} folder
 * @param {string | RegExp} ending
 */
function filesUnder(folder, ending) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => (typeof ending === "string" ? name.endsWith(ending) : ending.test(name)))
    .map((name) => join(folder, name));
}

/**
 * @param {string} from
 * @param {string} to
 * @param {(text: string) => string} edit
 */
function rewrite(from, to, edit) {
  const text = edit(readFileSync(from, "utf8"));
  if (to !== from) rmSync(from);
  writeFileSync(to, text);
}
