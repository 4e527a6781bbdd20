/**
 * What the code hash costs, as ratios in one run: ten functions cold against only parsing the modules that they reach,
 * linking anew after one edit against cold, and what a thousand modules weigh. Cold is the project, not the compiler: as in
 * a build of many files, its code has run before. Wall time decides; CPU time, which counts the collector's threads and
 * those that compile, stands beside it.
 *
 *     node --expose-gc scripts/bench/hash.js [--check]
 *
 * `--check` fails where a promise is broken: cold takes at most three times the parsing, an edit at most a tenth of cold.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as swc from "@swc/core";
import { loadCompiler } from "../compiler.js";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { Project, FactsCache, routeNamed, parseSwc } = await loadCompiler(
  "plugin/hash/project.ts",
  "plugin/hash/resolve/facts-cache.ts",
  "plugin/routes.ts",
  "plugin/swc/parse.ts",
);

const PROMISED = { cold: 3, edit: 0.1 };
const ROUNDS = 31;
/** Before the first that counts. */
const WARM_UP = 10;
const FUNCTIONS = 10;

const root = mkdtempSync(join(tmpdir(), "kept-bench-"));
try {
  cpSync(join(repository, "node_modules/rxjs/src"), root, { recursive: true });
  run();
} finally {
  rmSync(root, { recursive: true, force: true });
}

function run() {
  const modules = filesBelow(root);
  const names = modules
    .filter((file) => /internal[\\/]operators[\\/]/.test(file))
    .flatMap((file) => exportsOf(file).slice(0, 1))
    .filter((_, index, all) => index % Math.floor(all.length / FUNCTIONS) === 0)
    .slice(0, FUNCTIONS);
  const reached = [
    ...new Set(
      open()
        .bindings(names)
        .flatMap((/** @type {{ files: string[] }} */ each) => each.files),
    ),
  ].filter((/** @type {string} */ file) => /\.ts$/.test(file));
  const edited = /** @type {string} */ (reached.find((file) => /OperatorSubscriber/.test(file)) ?? reached[0]);
  const cache = join(root, "cache");
  open(new FactsCache(cache)).bindings(names);

  /** @type {Record<"parse" | "cold" | "warm" | "edit" | "idle", Time[]>} */
  const times = { parse: [], cold: [], warm: [], edit: [], idle: [] };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    if (round === WARM_UP) for (const list of Object.values(times)) list.length = 0;
    times.parse.push(timeOf(() => reached.forEach((file) => void parseSwc(readFileSync(file, "utf8"), file, swc))));
    const project = open();
    times.cold.push(timeOf(() => project.bindings(names)));
    times.warm.push(timeOf(() => open(new FactsCache(cache)).bindings(names)));
    writeFileSync(edited, `${readFileSync(edited, "utf8")}\nexport const edit${round} = ${round};\n`);
    times.edit.push(timeOf(() => project.bindings(names)));
    times.idle.push(timeOf(() => project.bindings(names)));
  }
  const parse = median(times.parse);
  const cold = median(times.cold);
  const warm = median(times.warm);
  const edit = median(times.edit);
  const idle = median(times.idle);
  console.log(
    `${names.length} functions in a project of ${modules.length} modules, of which they reach ${reached.length}`,
  );
  console.log(
    `${cpus()[0]?.model.trim()}, Node ${process.version}, @swc/core ${swc.version}; medians of ${ROUNDS} rounds after ${WARM_UP} (CPU in brackets)\n`,
  );
  line("parse what they reach, and nothing more", parse, parse);
  line("cold: read, parse, facts, link, hash", cold, parse);
  line("a new process, facts on disk", warm, parse);
  line("after an edit of one reached module", edit, parse);
  line("nothing has changed", idle, parse);
  console.log(
    `\ncold is ${(cold.wall / parse.wall).toFixed(2)} of parsing; an edit is ${((100 * edit.wall) / cold.wall).toFixed(1)} % of cold`,
  );
  weigh();
  if (!process.argv.includes("--check")) return;
  if (cold.wall / parse.wall > PROMISED.cold || edit.wall / cold.wall > PROMISED.edit) {
    console.error("A promise is broken.");
    process.exitCode = 1;
  }
}

/** Facts, links and hashes of every export of a thousand modules. */
function weigh() {
  const folder = join(root, "thousand");
  for (const name of ["three/src", "rxjs/src"])
    cpSync(join(repository, "node_modules", name), join(folder, name), { recursive: true });
  const files = filesBelow(folder).slice(0, 1000);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const project = new Project(read, { root: folder });
  const count = project.bindings(files.flatMap((file) => exportsOf(file, project))).length;
  globalThis.gc?.();
  const used = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  console.log(
    `${files.length} modules and ${count} hashed exports take ${used.toFixed(0)} MB${globalThis.gc ? "" : " (without --expose-gc: garbage included)"}`,
  );
}

/** @param {string} source @param {string} filename */
function read(source, filename) {
  return routeNamed("swc").read(source, filename).program;
}

/** @param {any} [store] */
function open(store) {
  return new Project(read, { root }, store);
}

/** @param {string} file */
function exportsOf(file, project = open()) {
  return Object.values(project.facts(file)?.exports ?? {}).flatMap((/** @type {any} */ each) =>
    "binding" in each ? [[file, each.binding]] : [],
  );
}

/** @typedef {{ wall: number, cpu: number }} Time in milliseconds */

/**
 * No garbage is collected on purpose: that throws away the code that is measured.
 *
 * @param {() => unknown} work
 * @returns {Time}
 */
function timeOf(work) {
  const before = process.cpuUsage();
  const start = performance.now();
  work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { wall, cpu: (user + system) / 1000 };
}

/** @param {Time[]} times @returns {Time} */
function median(times) {
  /** @param {"wall" | "cpu"} each */
  const of = (each) => /** @type {number} */ (times.map((time) => time[each]).sort((a, b) => a - b)[times.length >> 1]);
  return { wall: of("wall"), cpu: of("cpu") };
}

/** @param {string} name @param {Time} time @param {Time} base */
function line(name, time, base) {
  console.log(
    `${name.padEnd(42)} ${time.wall.toFixed(1).padStart(8)} ms  ${(time.wall / base.wall).toFixed(2).padStart(6)} ×` +
      `   (${time.cpu.toFixed(1)} ms, ${(time.cpu / base.cpu).toFixed(2)} ×)`,
  );
}

/** @param {string} folder */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /(?<!\.d)\.[cm]?[jt]s$/.test(path))
    .map((path) => join(folder, path))
    .sort();
}
