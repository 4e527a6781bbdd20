/**
 * What the transform costs a build, against what the build does anyway: parsers, other transforms, whole compilers.
 *
 *     node scripts/bench/transform.js [--check] [--rounds 21]
 *
 * `--check` fails where a promise is broken: a file without a directive costs one search of its text; of a file with one,
 * a route, its parsing included, costs at most twice its parser. What the code hash costs on top is a row of its own, and
 * is measured with everything that the code reaches by `hash.js`.
 *
 * A build runs one parser and one route: so each of them is measured in a process of its own, beside its parser and in
 * turns with it. Wall time decides; processor time, which counts the collector's threads and those that compile, stands
 * beside it, and says what a busy machine does to the clock.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as babel from "@babel/core";
import * as swc from "@swc/core";
import { transformHoistInlineDirective } from "@vitejs/plugin-rsc/transforms";
import { parseSync as parseRolldown } from "rolldown/utils";
import { loadCompiler } from "../compiler.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const compiler = await loadCompiler(
  "plugin/index.ts",
  "plugin/core/draft.ts",
  "plugin/core/emit.ts",
  "plugin/core/module.ts",
  "plugin/core/transform.ts",
  "plugin/hash/project.ts",
  "plugin/routes.ts",
  "plugin/swc/parse.ts",
  "plugin/babel/parse.ts",
  "scripts/bench/plugin.ts",
);
const { transform, mayHoldDirective, parseSwc, parseBabel, kept, TransformError } = compiler;

/** @typedef {{ filename: string, source: string }} File */
/** @typedef {(file: File) => unknown} Contender */
/** @typedef {{ wall: number, cpu: number }} Time milliseconds */

/** What may cost at most twice the parser that it is set against. */
const PROMISED = new Set(["Kept, SWC route", "Kept, Babel route"]);
/** The engine compiles what runs often: a build of some hundred files is past it. */
const WARM = 30;
const PROJECT = "/project";
const ALONE = { cache: false, ignore: ["*"] };
const DIRECTIVE = ' "use cache data";';
const NOTHING = { wall: 0, cpu: 0 };
const FOLDERS = {
  JavaScript: ["three/src", "svelte/src/internal", "lodash-es", "preact/src"],
  TypeScript: ["rxjs/src", "@tanstack/query-core/src", "mobx/src"],
};
/** Each measured in a process of its own, beside the parser that comes first. */
const PROCESSES = {
  swc: ["swc.parseSync", "Kept, SWC route"],
  "swc with hashes": ["swc.parseSync", "Kept, SWC route, with code hashes"],
  "swc alone": ["swc.parseSync", "Kept, SWC route, each file for itself"],
  "swc itself": ["swc.parseSync", "swc.transformSync"],
  babel: ["babel.parseSync", "Kept, Babel route"],
  "babel with hashes": ["babel.parseSync", "Kept, Babel route, with code hashes"],
  "babel plugin": ["babel.parseSync", "Babel, empty plugin", "Babel, Kept's plugin"],
  rsc: ["Oxc (rolldown)", "plugin-rsc: hoist and map"],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false }, rounds: { type: "string", default: "21" } },
});
const ROUNDS = Number(values.rounds);
const [language, part] = positionals;
let broken = false;
if (language && part) measureHere(/** @type {keyof typeof FOLDERS} */ (language), part);
else {
  for (const each of /** @type {(keyof typeof FOLDERS)[]} */ (Object.keys(FOLDERS))) report(each);
  reportSearch(Object.values(FOLDERS).flatMap((folders) => filesOf(folders, 40)));
  reportVersions();
  if (broken && values.check) process.exitCode = 1;
}

/** @param {keyof typeof FOLDERS} language */
function report(language) {
  const files = filesOf(FOLDERS[language], 40);
  const bytes = files.reduce((sum, { source }) => sum + source.length, 0);
  console.log(
    `\n${language}: ${files.length} real files, ${(bytes / 1024).toFixed(0)} KB, one to four functions annotated in each\n`,
  );
  console.log("| | ms a file | KB/ms | × its parser | CPU | |\n|---|---:|---:|---:|---:|---|");
  const said = new Set();
  for (const name of Object.keys(PROCESSES)) {
    if (name === "rsc" && language === "TypeScript") continue;
    const times = measureApart(language, name);
    const [[parser, base] = ["", NOTHING], ...others] = Object.entries(times);
    const row = (/** @type {string} */ what, /** @type {Time} */ { wall, cpu }, /** @type {string} */ note) =>
      console.log(
        `| ${what} | ${(wall / files.length).toFixed(3)} | ${(bytes / 1024 / wall).toFixed(0)} | ${(wall / base.wall).toFixed(2)} | ${(cpu / base.cpu).toFixed(2)} | ${note} |`,
      );
    if (!said.has(parser)) row(parser, base, "");
    said.add(parser);
    for (const [what, time] of others) {
      row(what, time, PROMISED.has(what) ? "promised: 2" : "");
      if (PROMISED.has(what) && time.wall > 2 * base.wall) broken = true;
    }
    // Babel's printing and its passes over the tree are the host's own: what Kept adds to them is the difference.
    const [, empty] = others[0] ?? [];
    const [, all] = others[1] ?? [];
    if (empty && all) {
      const share = { wall: all.wall - empty.wall, cpu: all.cpu - empty.cpu };
      row("Kept's share of it", share, `${(all.wall / empty.wall).toFixed(2)} × Babel with an empty plugin`);
    }
  }
}

/**
 * @param {string} language
 * @param {string} name
 * @returns {Record<string, Time>}
 */
function measureApart(language, name) {
  const args = [fileURLToPath(import.meta.url), language, name, "--rounds", values.rounds];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: root });
  if (status !== 0) throw new Error(`${language}, ${name}: ${stderr}`);
  return JSON.parse(/** @type {string} */ (stdout.trim().split("\n").at(-1)));
}

/**
 * @param {keyof typeof FOLDERS} language
 * @param {string} name
 */
function measureHere(language, name) {
  const contenders = contendersOf(language);
  const chosen = /** @type {Record<string, string[]>} */ (PROCESSES)[name] ?? [];
  const own = Object.fromEntries(chosen.map((each) => [each, /** @type {Contender} */ (contenders[each])]));
  console.log(JSON.stringify(measure(own, filesOf(FOLDERS[language], 40))));
}

/**
 * @param {keyof typeof FOLDERS} language
 * @returns {Record<string, Contender>}
 */
function contendersOf(language) {
  const isPlain = language === "JavaScript";
  const inBabel =
    (/** @type {unknown[]} */ plugins) =>
    (/** @type {File} */ { source, filename }) =>
      babel.transformSync(source, {
        filename,
        cwd: PROJECT,
        babelrc: false,
        configFile: false,
        browserslistConfigFile: false,
        sourceMaps: true,
        compact: false,
        parserOpts: { plugins: /** @type {any} */ (isPlain ? [] : ["typescript"]) },
        plugins: /** @type {any} */ (plugins),
      });
  const empty = () => ({ name: "empty", visitor: {} });
  return {
    "swc.parseSync": ({ source, filename }) => parseSwc(source, filename, swc),
    "Kept, SWC route": inRoute("swc"),
    "Kept, SWC route, with code hashes": inBuild("swc"),
    "Kept, SWC route, each file for itself": ({ source, filename }) =>
      transform(source, { filename, root: PROJECT, route: "swc", hash: ALONE }),
    "swc.transformSync": ({ source, filename }) =>
      swc.transformSync(source, {
        filename,
        sourceMaps: true,
        swcrc: false,
        jsc: { target: "esnext", parser: { syntax: isPlain ? "ecmascript" : "typescript", decorators: !isPlain } },
      }),
    "babel.parseSync": ({ source, filename }) => parseBabel(source, filename, babel),
    "Kept, Babel route": inRoute("babel"),
    "Kept, Babel route, with code hashes": inBuild("babel"),
    "Babel, empty plugin": inBabel([empty]),
    "Babel, Kept's plugin": inBabel([[kept, { hash: ALONE }]]),
    "Oxc (rolldown)": ({ filename, source }) => parseRolldown(filename, source).program,
    "plugin-rsc: hoist and map": ({ filename, source }) => {
      const { output } = transformHoistInlineDirective(
        source,
        /** @type {any} */ (parseRolldown(filename, source).program),
        {
          directive: "use cache data",
          runtime: (value, name) => `register(${value}, ${JSON.stringify(name)})`,
        },
      );
      return [
        output.toString(),
        output.generateMap({ hires: true, source: filename, includeContent: true }).toString(),
      ];
    },
  };
}

/**
 * A route: read, plan, emit, edit, with the map. The hashes are stand-ins.
 *
 * @param {"swc" | "babel"} name
 * @returns {Contender}
 */
function inRoute(name) {
  const route = compiler.routeNamed(name);
  return ({ source, filename }) => {
    const { program, apply } = route.read(source, filename);
    const plan = compiler.planFile(program, source, { root: PROJECT, filename });
    return [apply(plan, compiler.emitModule(plan, source, {})), compiler.describe(plan)];
  };
}

/**
 * All of it, as a host of many files runs it: a project for the build, whose files are looked at once a build. None is
 * kept between rounds, and nothing on disk. What the file imports counts by its name: finding and reading the neighbours
 * is measured in `hash.js`.
 *
 * @param {"swc" | "babel"} name
 * @returns {Contender}
 */
function inBuild(name) {
  const route = compiler.routeNamed(name);
  const options = { root: PROJECT };
  /** @type {Set<string>} */
  let built = new Set();
  /** @type {any} */
  let project;
  return ({ source, filename }) => {
    if (!project || built.has(filename)) {
      project = new compiler.Project(compiler.readerOf(route), { ...options, ...ALONE });
      built = new Set();
    }
    built.add(filename);
    const { draft, reading } = compiler.draftWith(route, source, { ...options, filename });
    project.give(filename, source, reading);
    return compiler.complete(draft, source, { ...options, filename }, project.hashNow(filename, draft.roots));
  };
}

/**
 * Each contender over all files, in turns, so that none has the quiet minute; the median of the rounds.
 *
 * @param {Record<string, Contender>} contenders
 * @param {File[]} files
 */
function measure(contenders, files) {
  /** @type {Record<string, Time[]>} */
  const rounds = {};
  for (let round = -WARM; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(contenders)) {
      const time = timed(() => {
        for (const file of files) run(file);
      });
      if (round >= 0) (rounds[name] ??= []).push(time);
    }
  const middle = (/** @type {Time[]} */ times) => ({
    wall: median(times.map(({ wall }) => wall)),
    cpu: median(times.map(({ cpu }) => cpu)),
  });
  return Object.fromEntries(Object.entries(rounds).map(([name, times]) => [name, middle(times)]));
}

/**
 * @param {() => void} run
 * @returns {Time}
 */
function timed(run) {
  const started = performance.now();
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - started, cpu: (user + system) / 1000 };
}

/** @param {File[]} files */
function reportSearch(files) {
  const plain = files.map(({ source }) => source.replaceAll(DIRECTIVE, ""));
  const repeated = Array.from({ length: 20 }, () => plain).flat();
  const bytes = repeated.reduce((sum, source) => sum + source.length, 0);
  let found = 0;
  const contenders = /** @type {Record<string, (source: string) => unknown>} */ ({
    '`source.includes("use cache")`': (source) => source.includes("use cache"),
    "Kept's test": (source) => mayHoldDirective(source),
    "Kept's transform": (source) => transform(source, { filename: "/project/a.ts", root: PROJECT }),
  });
  /** @type {Record<string, number[]>} */
  const rounds = {};
  for (let round = -WARM; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(contenders)) {
      const time = timed(() => {
        // What nobody reads, the engine leaves out.
        for (const source of repeated) if (run(source)) found++;
      });
      if (round >= 0) (rounds[name] ??= []).push(time.cpu);
    }
  console.log(`\nFiles without a directive\n\n| | µs of CPU a file | MB/ms |\n|---|---:|---:|`);
  const times = Object.entries(rounds).map(([name, each]) => /** @type {const} */ ([name, median(each)]));
  for (const [name, ms] of times)
    console.log(`| ${name} | ${((ms * 1000) / repeated.length).toFixed(2)} | ${(bytes / 1e6 / ms).toFixed(2)} |`);
  if (found > 0) throw new Error("a file without a directive was taken for one");
  const [search = 0, test = 0, whole = 0] = times.map(([, ms]) => ms);
  // One search, and a call.
  if (Math.max(test, whole) > 1.5 * search + 0.0005 * repeated.length) broken = true;
}

function reportVersions() {
  const names = ["@swc/core", "@babel/core", "@vitejs/plugin-rsc", "rolldown"];
  const versions = names.map(
    (name) => `${name} ${JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version}`,
  );
  console.log(
    `\nNode ${process.version}, ${cpus()[0]?.model ?? "?"}; ${versions.join(", ")}. Medians of ${ROUNDS} rounds in turns; a process for each.`,
  );
}

/**
 * Real files of a size that people write, with some of their functions annotated.
 *
 * @param {string[]} folders
 * @param {number} most
 * @returns {File[]}
 */
function filesOf(folders, most) {
  /** @type {File[]} */
  const files = [];
  for (const folder of folders) {
    const start = join(root, "node_modules", folder);
    let left = Math.ceil(most / folders.length);
    for (const name of readdirSync(start, { recursive: true, encoding: "utf8" }).sort()) {
      if (left === 0) break;
      if (!/\.[cm]?[jt]s$/.test(name) || /\.d\.ts$|\.min\./.test(name)) continue;
      const source = readFileSync(join(start, name), "utf8");
      if (source.length < 1500 || source.length > 40_000) continue;
      const filename = join(PROJECT, folder, name);
      const annotated = annotate(source, filename);
      if (!annotated) continue;
      files.push({ filename, source: annotated });
      left--;
    }
  }
  return files;
}

/**
 * @param {string} source
 * @param {string} filename
 */
function annotate(source, filename) {
  const places = [...source.matchAll(/^(?:export )?(?:default )?(?:async )?function \w+\([^{}]*\)[^{}]*\{$/gm)]
    .map(({ 0: text, index }) => index + text.length)
    .slice(0, 4);
  if (places.length === 0) return undefined;
  const annotated = places.reduceRight((text, at) => text.slice(0, at) + DIRECTIVE + text.slice(at), source);
  try {
    // A warning draws a code frame: what it costs is no part of what a file costs that is right.
    return transform(annotated, { filename, root: PROJECT })?.diagnostics.length === 0 ? annotated : undefined;
  } catch (error) {
    if (error instanceof TransformError) return undefined;
    throw error;
  }
}

/** @param {number[]} values */
function median(values) {
  return /** @type {number} */ ([...values].sort((a, b) => a - b)[values.length >> 1]);
}
