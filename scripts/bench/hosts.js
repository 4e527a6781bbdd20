/**
 * What Kept adds to a build: 2,000 modules, 40 of them annotated, with and without the plugin, on Vite, Rolldown, webpack
 * and esbuild. Every build is a process of its own; the fastest of each kind counts, in turns, so that a busy machine
 * slows both.
 *
 *     npm run build && node scripts/bench/hosts.js [--check] [--rounds 5]
 *
 * `--check` fails above 5 % on hosts with a content filter (Vite, Rolldown). webpack is taken from fixtures/apps/webpack.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MODULES = 2000;
const ANNOTATED = 40;
const FILTERED = ["vite", "rolldown"];

/** @type {Record<string, (folder: string, withKept: boolean) => Promise<unknown>>} */
const HOSTS = {
  async vite(folder, withKept) {
    const { build } = await import("vite");
    const plugins = withKept ? [(await import("kept/vite")).default()] : [];
    const ssr = { external: ["kept", "kept/runtime"] };
    await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      plugins,
      ssr,
      build: { ssr: "main.ts", outDir: "out", minify: false },
    });
  },
  async rolldown(folder, withKept) {
    const { rolldown } = await import("rolldown");
    const plugins = withKept ? [(await import("kept/rolldown")).default({ root: folder })] : [];
    const bundle = await rolldown({ input: join(folder, "main.ts"), external: /^kept/, plugins });
    await bundle.write({ file: join(folder, "out/main.js") });
  },
  async esbuild(folder, withKept) {
    const { build } = await import("esbuild");
    const plugins = withKept ? [(await import("kept/esbuild")).default()] : [];
    await build({
      absWorkingDir: folder,
      entryPoints: ["main.ts"],
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: "out/main.js",
      external: ["kept"],
      logLevel: "error",
      plugins,
    });
  },
  async webpack(folder, withKept) {
    const app = join(root, "fixtures/apps/webpack");
    const packages = createRequire(join(app, "package.json"));
    const webpack = packages("webpack");
    const plugins = withKept ? [(await import("kept/webpack")).default()] : [];
    const options = { jsc: { parser: { syntax: "typescript" }, target: "es2022" } };
    const stats = await new Promise((resolve, reject) =>
      webpack(
        {
          context: folder,
          mode: "development",
          target: "node",
          devtool: false,
          entry: "./main.ts",
          output: { path: join(folder, "out") },
          externals: { kept: "commonjs kept", "kept/runtime": "commonjs kept/runtime" },
          resolve: { extensions: [".ts", ".js"] },
          module: { rules: [{ test: /\.ts$/, use: { loader: packages.resolve("swc-loader"), options } }] },
          plugins,
        },
        (/** @type {unknown} */ error, /** @type {any} */ result) => (error ? reject(error) : resolve(result)),
      ),
    );
    if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false }, rounds: { type: "string", default: "5" } },
});
if (positionals[0] === "build") await buildOnce(...positionals.slice(1));
else measure(Number(values.rounds), values.check);

/**
 * @param {string} [host]
 * @param {string} [folder]
 * @param {string} [kept] "with" or "without"
 */
async function buildOnce(host = "", folder = "", kept = "") {
  const started = performance.now();
  await HOSTS[host]?.(folder, kept === "with");
  console.log(performance.now() - started);
  process.exit(0);
}

/**
 * @param {number} rounds
 * @param {boolean} isCheck
 */
function measure(rounds, isCheck) {
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; ${MODULES} modules, ${ANNOTATED} annotated`,
  );
  mkdirSync(join(root, ".cache"), { recursive: true });
  // Inside the package, so that `kept` resolves to it.
  const folder = mkdtempSync(join(root, ".cache", "bench-hosts-"));
  let isOver = false;
  try {
    writeProject(folder);
    for (const host of Object.keys(HOSTS)) {
      if (host === "webpack" && !existsSync(join(root, "fixtures/apps/webpack/node_modules"))) {
        console.log("webpack: not installed (npm ci --prefix fixtures/apps/webpack)");
        continue;
      }
      const best = { without: Number.POSITIVE_INFINITY, with: Number.POSITIVE_INFINITY };
      for (let round = 0; round < rounds; round++)
        for (const kind of /** @type {const} */ (["without", "with"]))
          best[kind] = Math.min(best[kind], time(host, folder, kind));
      const overhead = (best.with / best.without - 1) * 100;
      const isPromised = FILTERED.includes(host);
      if (isPromised && overhead > 5) isOver = true;
      console.log(
        `${host.padEnd(9)} ${best.without.toFixed(0).padStart(6)} ms without, ${best.with.toFixed(0).padStart(6)} ms with: ${overhead >= 0 ? "+" : ""}${overhead.toFixed(1)} %${isPromised ? " (promised: at most 5 %)" : ""}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (isCheck && isOver) process.exitCode = 1;
}

/**
 * @param {string} host
 * @param {string} folder
 * @param {string} kind
 */
function time(host, folder, kind) {
  rmSync(join(folder, "out"), { recursive: true, force: true });
  const args = [fileURLToPath(import.meta.url), "build", host, folder, kind];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: root });
  if (status !== 0) throw new Error(`${host} ${kind}: ${stderr}`);
  return Number(stdout.trim().split("\n").at(-1));
}

/**
 * Modules of about 4 kB; every 50th is annotated and calls its neighbour.
 *
 * @param {string} folder
 */
function writeProject(folder) {
  mkdirSync(join(folder, "src"), { recursive: true });
  const names = Array.from({ length: MODULES }, (_, index) => `m${index}`);
  names.forEach((name, index) => {
    const isAnnotated = index % (MODULES / ANNOTATED) === 0;
    const functions = Array.from(
      { length: 16 },
      (_, n) => `export function f${index}_${n}(items: readonly Item[], limit: number = ${n}): Item[] {
  const found = items.filter((item) => item.id > limit && item.name.length < ${n + 3});
  return found.map((item) => ({ ...item, name: \`\${item.name}-${n}\` }));
}
`,
    );
    const cached = `export function cached${index}(items: Item[], limit: number): Item[] {
  "use cache data";
  return f${index}_0(items, limit).concat(g(items));
}
`;
    const neighbour = index + 1 < MODULES ? index + 1 : 0;
    writeFileSync(
      join(folder, "src", `${name}.ts`),
      `import { f${neighbour}_1 as g } from "./m${neighbour}";
export interface Item { readonly id: number; readonly name: string }
${functions.join("")}${isAnnotated ? cached : ""}export const all${index} = [g, ${functions.map((_, n) => `f${index}_${n}`).join(", ")}];
`,
    );
  });
  writeFileSync(
    join(folder, "main.ts"),
    `${names.map((name, index) => `export { all${index} } from "./src/${name}";`).join("\n")}\n`,
  );
}
