/**
 * What Kept adds to a build: 2,000 modules, 40 of them annotated, with and without the plugin, on Vite, Rolldown, webpack
 * and esbuild. Two builds with it: the first, for which nothing is cached, and the next, as every build after it is.
 * Beside the first, in the same turns: what a plugin would cost that did less.
 *
 *     npm run build && node scripts/bench/hosts.js [--check] [--rounds 20] [--host vite]
 *
 * Each build is a process of its own. A round builds in every way once, in another order each time. What else the machine
 * does only adds, so what counts is the mean of the fastest quarter of each way; the interval is the one in which 95 of
 * 100 other draws of the same rounds end. Beside it stands the median of the rounds' differences, which a busy machine
 * moves. The promise of at most 5 % is of the time of the next build, on hosts with a content filter (Vite, Rolldown):
 * rounds go on until the interval leaves no doubt, or the host's time is up. `--check` fails above it. Kept is a copy in
 * `node_modules`, as users have it. webpack is taken from fixtures/apps/webpack.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { RIVALS, rivalPlugin } from "./hosts-rivals.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MODULES = 2000;
const ANNOTATED = 40;
/** Hosts with a content filter, of which the promise is. */
const FILTERED = ["vite", "rolldown"];
/** Percent that a next build may take more. */
const PROMISED = 5;
/** Seconds for each host: all of it is less than three minutes. */
const BUDGET = { vite: 45, rolldown: 55, esbuild: 18, webpack: 32 };
/** Of first builds and rivals, in the same turns. */
const FEW = 6;

/** @type {Record<string, (folder: string, plugins: any[]) => Promise<unknown>>} */
const HOSTS = {
  async vite(folder, plugins) {
    const { build } = await import("vite");
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
  async rolldown(folder, plugins) {
    const { rolldown } = await import("rolldown");
    const bundle = await rolldown({ input: join(folder, "main.ts"), external: /^kept/, plugins });
    await bundle.write({ file: join(folder, "out/main.js") });
  },
  async esbuild(folder, plugins) {
    const { build } = await import("esbuild");
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
  async webpack(folder, plugins) {
    const app = join(root, "fixtures/apps/webpack");
    const packages = createRequire(join(app, "package.json"));
    const webpack = packages("webpack");
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
    rounds: { type: "string" },
    host: { type: "string", multiple: true },
  },
});
if (positionals[0] === "build") await buildOnce(...positionals.slice(1));
else measureAll(values.rounds === undefined ? undefined : Number(values.rounds), values.host ?? Object.keys(HOSTS));

/**
 * @param {string} [host]
 * @param {string} [folder]
 * @param {string} [way] "without", "first", "next", or a rival
 */
async function buildOnce(host = "", folder = "", way = "") {
  const started = performance.now();
  const before = process.cpuUsage();
  await HOSTS[host]?.(folder, way === "without" ? [] : [await pluginOf(host, folder, way)]);
  const wall = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ wall, cpu: (user + system) / 1000 }));
  process.exit(0);
}

/**
 * @param {string} host
 * @param {string} folder
 * @param {string} way
 */
async function pluginOf(host, folder, way) {
  if (way !== "first" && way !== "next") return rivalPlugin(way);
  const path = join(folder, `node_modules/kept/dist/plugin/bundlers/${host}.js`);
  const { default: kept } = await import(pathToFileURL(path).href);
  return host === "rolldown" ? kept({ root: folder }) : kept();
}

/**
 * @param {number | undefined} rounds instead of as many as there is time for
 * @param {readonly string[]} hosts
 */
function measureAll(rounds, hosts) {
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; ${MODULES} modules, ${ANNOTATED} annotated`,
  );
  mkdirSync(join(root, ".cache"), { recursive: true });
  // Inside the package, so that what Kept depends on is found from its copy.
  const folder = mkdtempSync(join(root, ".cache", "bench-hosts-"));
  try {
    writeProject(folder);
    for (const part of ["package.json", "dist"])
      cpSync(join(root, part), join(folder, "node_modules/kept", part), { recursive: true });
    const kept = hosts.map((host) => measure(host, folder, rounds));
    if (values.check && kept.includes(false)) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} host
 * @param {string} folder
 * @param {number | undefined} rounds
 * @returns {boolean} false: the promise is not kept
 */
function measure(host, folder, rounds) {
  if (host === "webpack" && !existsSync(join(root, "fixtures/apps/webpack/node_modules"))) {
    console.log("webpack: not installed (npm ci --prefix fixtures/apps/webpack)");
    return true;
  }
  const isPromised = FILTERED.includes(host);
  const until = Date.now() + 1000 * BUDGET[/** @type {keyof typeof BUDGET} */ (host)];
  const all = ["without", "next", "first", ...(host === "rolldown" ? Object.keys(RIVALS) : [])];
  /** @type {Cost[][]} by round, in the order of `all` */
  const costs = [];
  time(host, folder, "first");
  for (let round = 0; rounds === undefined ? Date.now() < until : round < rounds; round++) {
    const ways = round < FEW || !isPromised ? all : all.slice(0, 2);
    const order = [...ways.keys()];
    order.push(...order.splice(0, round % ways.length));
    if (round % 2 === 1) order.reverse();
    /** @type {Cost[]} */
    const made = [];
    for (const way of order) made[way] = time(host, folder, /** @type {string} */ (ways[way]));
    costs.push(made);
    if (rounds === undefined && isPromised && round >= 2 * FEW) {
      const { low, high } = differenceOf(costs, 1, "wall");
      if (low > PROMISED || high <= PROMISED) break;
    }
  }
  const base = (/** @type {"wall" | "cpu"} */ what) =>
    fastest(costs.flatMap(([cost]) => cost?.[what] ?? [])).toFixed(0);
  console.log(
    `\n${host} ${versionOf(host)}, ${costs.length} rounds: ${base("wall")} ms, ${base("cpu")} ms of CPU without Kept`,
  );
  for (const [index, way] of all.entries()) {
    if (way === "without") continue;
    const title =
      { first: "first build, nothing cached", next: "next build, cached" }[way] ?? RIVALS[way]?.title ?? way;
    const { found, low, high, ms, paired } = differenceOf(costs, index, "wall");
    const cpu = differenceOf(costs, index, "cpu");
    console.log(
      `  ${title.padEnd(50)}${percent(found)} time (${low.toFixed(1)} to ${high.toFixed(1)}), ${ms.toFixed(0)} ms, by pairs ${paired.toFixed(0)} ms;${percent(cpu.found)} CPU, ${cpu.ms.toFixed(0)} ms`,
    );
  }
  if (!isPromised) return true;
  const { found, low, high } = differenceOf(costs, 1, "wall");
  const isKept = found <= PROMISED;
  const isSure = low > PROMISED || high <= PROMISED;
  console.log(
    `  promised: at most ${PROMISED} % of time for the next build: ${isKept ? "kept" : "not kept"}${isSure ? "" : ", but not beyond doubt"}`,
  );
  return isKept;
}

/** @typedef {{ readonly wall: number, readonly cpu: number }} Cost */

/**
 * What a way takes more than a build without a plugin, in the rounds that had both: in percent, and in milliseconds.
 *
 * @param {readonly Cost[][]} costs
 * @param {number} way
 * @param {"wall" | "cpu"} what
 */
function differenceOf(costs, way, what) {
  const pairs = costs.flatMap((round) => {
    const [base, cost] = [round[0], round[way]];
    return base && cost ? [/** @type {const} */ ([base[what], cost[what]])] : [];
  });
  const of = (/** @type {readonly (readonly [number, number])[]} */ some) => {
    const base = fastest(some.map(([before]) => before));
    return { base, ms: fastest(some.map(([, after]) => after)) - base };
  };
  // Always the same draws: the result is one of the rounds alone.
  let seed = 1;
  const draw = () => {
    seed = (seed * 48271) % 0x7fffffff;
    return /** @type {(typeof pairs)[number]} */ (pairs[seed % pairs.length]);
  };
  const draws = Array.from({ length: 1000 }, () => of(pairs.map(draw)))
    .map(({ base, ms }) => (100 * ms) / base)
    .sort((a, b) => a - b);
  const { base, ms } = of(pairs);
  return {
    found: (100 * ms) / base,
    ms,
    low: draws[25] ?? 0,
    high: draws[974] ?? 0,
    paired: median(pairs.map(([before, after]) => after - before)),
  };
}

/**
 * The mean of the fastest quarter.
 *
 * @param {readonly number[]} values
 */
function fastest(values) {
  const few = [...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length / 4));
  return few.reduce((sum, each) => sum + each, 0) / few.length;
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[middle] ?? 0) + (sorted[sorted.length - 1 - middle] ?? 0)) / 2;
}

/** @param {number} value */
function percent(value) {
  return `${value >= 0 ? "+" : ""}${value.toFixed(1)} %`.padStart(9);
}

/** @param {string} host */
function versionOf(host) {
  const from = host === "webpack" ? join(root, "fixtures/apps/webpack") : root;
  return JSON.parse(readFileSync(join(from, "node_modules", host, "package.json"), "utf8")).version;
}

/**
 * @param {string} host
 * @param {string} folder
 * @param {string} way
 * @returns {Cost}
 */
function time(host, folder, way) {
  rmSync(join(folder, "out"), { recursive: true, force: true });
  if (way === "first") rmSync(join(folder, "node_modules/.cache"), { recursive: true, force: true });
  const args = [fileURLToPath(import.meta.url), "build", host, folder, way];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: root });
  if (status !== 0) throw new Error(`${host} ${way}: ${stderr}`);
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
