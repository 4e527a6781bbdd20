/**
 * What Kept adds to a build: 2,000 modules, 40 of them annotated, with and without the plugin, on Vite, Rolldown, webpack
 * and esbuild. Two builds with it: the first, for which nothing is cached, and the next, as every build after it is. Each
 * build is a process of its own; the fastest of each kind counts, in turns, so that a busy machine slows all.
 *
 *     npm run build && node scripts/bench/hosts.js [--check] [--rounds 7] [--host vite]
 *
 * The promise of at most 5 % is of the next build, on hosts with a content filter (Vite, Rolldown): `--check` fails above
 * it. webpack is taken from fixtures/apps/webpack.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MODULES = 2000;
const ANNOTATED = 40;
const FILTERED = ["vite", "rolldown"];
const PROMISED = 5;

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
  options: {
    check: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    host: { type: "string", multiple: true },
  },
});
if (positionals[0] === "build") await buildOnce(...positionals.slice(1));
else measure(Number(values.rounds), values.check, values.host ?? Object.keys(HOSTS));

/**
 * @param {string} [host]
 * @param {string} [folder]
 * @param {string} [kept] "with" or "without"
 */
async function buildOnce(host = "", folder = "", kept = "") {
  const started = performance.now();
  const before = process.cpuUsage();
  await HOSTS[host]?.(folder, kept === "with");
  const wall = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ wall, cpu: (user + system) / 1000 }));
  process.exit(0);
}

/**
 * @param {number} rounds
 * @param {boolean} isCheck
 * @param {readonly string[]} hosts
 */
function measure(rounds, isCheck, hosts) {
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; ${MODULES} modules, ${ANNOTATED} annotated; ${rounds} rounds`,
  );
  mkdirSync(join(root, ".cache"), { recursive: true });
  // Inside the package, so that `kept` resolves to it.
  const folder = mkdtempSync(join(root, ".cache", "bench-hosts-"));
  const cache = join(folder, "node_modules", ".cache");
  let isOver = false;
  try {
    writeProject(folder);
    mkdirSync(join(folder, "node_modules"));
    for (const host of hosts) {
      if (host === "webpack" && !existsSync(join(root, "fixtures/apps/webpack/node_modules"))) {
        console.log("webpack: not installed (npm ci --prefix fixtures/apps/webpack)");
        continue;
      }
      /** @type {Record<"without" | "cold" | "warm", Cost[]>} */
      const costs = { without: [], cold: [], warm: [] };
      time(host, folder, "without");
      for (let round = 0; round < rounds; round++) {
        costs.without.push(time(host, folder, "without"));
        rmSync(cache, { recursive: true, force: true });
        costs.cold.push(time(host, folder, "with"));
        costs.warm.push(time(host, folder, "with"));
      }
      const isPromised = FILTERED.includes(host);
      const base = best(costs.without);
      console.log(
        `\n${host} ${versionOf(host)}: ${base.wall.toFixed(0)} ms, ${base.cpu.toFixed(0)} ms of CPU without Kept`,
      );
      for (const kind of /** @type {const} */ (["cold", "warm"])) {
        const cost = best(costs[kind]);
        const overhead = 100 * (cost.wall / base.wall - 1);
        const said = isPromised && kind === "warm";
        if (said && overhead > PROMISED) isOver = true;
        console.log(
          `  ${kind === "cold" ? "first build, nothing cached " : "next build, cached          "} ${percent(cost.wall, base.wall)} time (${(cost.wall - base.wall).toFixed(0)} ms), ${percent(cost.cpu, base.cpu)} CPU${said ? ` (promised: at most ${PROMISED} %)` : ""}`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (isCheck && isOver) process.exitCode = 1;
}

/** @typedef {{ readonly wall: number, readonly cpu: number }} Cost */

/**
 * The least of each: whatever else the machine does only adds.
 *
 * @param {readonly Cost[]} costs
 */
function best(costs) {
  return { wall: Math.min(...costs.map(({ wall }) => wall)), cpu: Math.min(...costs.map(({ cpu }) => cpu)) };
}

/** @param {number} value @param {number} base */
function percent(value, base) {
  const more = 100 * (value / base - 1);
  return `${more >= 0 ? "+" : ""}${more.toFixed(1)} %`.padStart(8);
}

/** @param {string} host */
function versionOf(host) {
  const from = host === "webpack" ? join(root, "fixtures/apps/webpack") : root;
  return JSON.parse(readFileSync(join(from, "node_modules", host, "package.json"), "utf8")).version;
}

/**
 * @param {string} host
 * @param {string} folder
 * @param {"with" | "without"} kind
 * @returns {Cost}
 */
function time(host, folder, kind) {
  rmSync(join(folder, "out"), { recursive: true, force: true });
  const args = [fileURLToPath(import.meta.url), "build", host, folder, kind];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: root });
  if (status !== 0) throw new Error(`${host} ${kind}: ${stderr}`);
  return JSON.parse(/** @type {string} */ (stdout.trim().split("\n").at(-1)));
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
