/**
 * What the transform costs a build, against what the build does anyway: parsers, other transforms, whole compilers.
 *
 *     node scripts/bench/transform.js [--check]
 *
 * `--check` fails where a promise is broken: a file without a directive costs one search of its text; of a file with one,
 * all that the SWC route does, its parsing included, costs at most twice `swc.parseSync`, and what Kept adds to a run of
 * Babel at most twice `babel.parseSync`.
 *
 * Times are of the processor, garbage collection included: wall clocks on a busy machine say nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as babel from "@babel/core";
import * as swc from "@swc/core";
import { transformHoistInlineDirective } from "@vitejs/plugin-rsc/transforms";
import { parseSync as parseRolldown } from "rolldown/utils";
import { loadCompiler } from "../compiler.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const compiler = await loadCompiler(
  "plugin/index.ts",
  "plugin/core/draft.ts",
  "plugin/core/transform.ts",
  "plugin/hash/project.ts",
  "plugin/routes.ts",
  "plugin/swc/parse.ts",
  "plugin/babel/parse.ts",
  "scripts/bench/plugin.ts",
);
const { transform, mayHoldDirective, parseSwc, parseBabel, kept, TransformError } = compiler;

/** @typedef {{ filename: string, source: string, hoisted: string }} File */

/** What must cost at most twice the parser that it is set against. */
const PROMISED = new Set(["Kept, SWC route", "Kept's share of it"]);
const ROUNDS = 21;
/** The engine compiles what runs often: a build of some hundred files is past it. */
const WARM = 8;
const PROJECT = "/project";
const ALONE = { cache: false, ignore: ["*"] };
const DIRECTIVE = ' "use cache data";';

const groups = [
  { title: "JavaScript", files: filesOf(["three/src", "svelte/src/internal", "lodash-es", "preact/src"], 40) },
  { title: "TypeScript", files: filesOf(["rxjs/src", "@tanstack/query-core/src", "mobx/src"], 40) },
];

let broken = false;
for (const { title, files } of groups) report(title, files);
reportSearch(groups.flatMap((group) => group.files));
reportVersions();
if (broken && process.argv.includes("--check")) process.exitCode = 1;

/**
 * @param {string} title
 * @param {File[]} files
 */
function report(title, files) {
  const bytes = files.reduce((sum, { source }) => sum + source.length, 0);
  console.log(
    `\n${title}: ${files.length} real files, ${(bytes / 1024).toFixed(0)} KB, one to four functions annotated in each`,
  );
  const isPlain = title === "JavaScript";
  const typescript = isPlain ? [] : ["typescript"];
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
        parserOpts: { plugins: /** @type {any} */ (typescript) },
        plugins: /** @type {any} */ (plugins),
      });
  const empty = () => ({ name: "empty", visitor: {} });
  /** @type {Record<string, (file: File) => unknown>} */
  const contenders = {
    "swc.parseSync": ({ source, filename }) => parseSwc(source, filename, swc),
    "Kept, SWC route": inBuild(),
    "Kept, SWC route, alone": ({ source, filename }) =>
      transform(source, { filename, root: PROJECT, route: "swc", hash: ALONE }),
    "swc.transformSync": ({ source, filename }) =>
      swc.transformSync(source, {
        filename,
        sourceMaps: true,
        swcrc: false,
        jsc: { target: "esnext", parser: { syntax: isPlain ? "ecmascript" : "typescript", decorators: !isPlain } },
      }),
    "babel.parseSync": ({ source, filename }) => parseBabel(source, filename, babel),
    "Kept, Babel route": ({ source, filename }) =>
      transform(source, { filename, root: PROJECT, route: "babel", hash: ALONE }),
    "Babel, empty plugin": inBabel([empty]),
    "Babel, Kept's plugin": inBabel([[kept, { hash: ALONE }]]),
    ...(isPlain && {
      "plugin-rsc: parse (Oxc)": ({ filename, hoisted }) => parseRolldown(filename, hoisted).program,
      "plugin-rsc: parse, hoist, map": ({ filename, hoisted }) => {
        const { output } = transformHoistInlineDirective(
          hoisted,
          /** @type {any} */ (parseRolldown(filename, hoisted).program),
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
    }),
  };
  const times = measure(contenders, files);
  // Babel's printing and its passes over the tree are the host's own: what Kept adds to them is the difference.
  times["Kept's share of it"] =
    /** @type {number} */ (times["Babel, Kept's plugin"]) - /** @type {number} */ (times["Babel, empty plugin"]);
  const against = {
    "Kept, SWC route": "swc.parseSync",
    "Kept, SWC route, alone": "swc.parseSync",
    "swc.transformSync": "swc.parseSync",
    "Kept, Babel route": "babel.parseSync",
    "Babel, empty plugin": "babel.parseSync",
    "Babel, Kept's plugin": "Babel, empty plugin",
    "Kept's share of it": "babel.parseSync",
    "plugin-rsc: parse, hoist, map": "plugin-rsc: parse (Oxc)",
  };
  console.log(`\n| | ms a file | KB/ms | against |\n|---|---:|---:|---|`);
  for (const [name, time] of Object.entries(times)) {
    const base = against[/** @type {keyof typeof against} */ (name)];
    const ratio = base && time / /** @type {number} */ (times[base]);
    console.log(
      `| ${name} | ${(time / files.length).toFixed(3)} | ${(bytes / 1024 / time).toFixed(0)} | ${ratio ? `${ratio.toFixed(2)} × ${base}${PROMISED.has(name) ? " (promised: 2)" : ""}` : ""} |`,
    );
    if (ratio && ratio > 2 && PROMISED.has(name)) broken = true;
  }
}

/**
 * The SWC route as a host of many files runs it: a project for the build, whose files are looked at once a build. None is
 * kept between rounds, and nothing on disk. What the file imports counts by its name: finding and reading the neighbours
 * is measured in `hash.js`.
 */
function inBuild() {
  const route = compiler.routeNamed("swc");
  const options = { root: PROJECT };
  /** @type {Set<string>} */
  let built = new Set();
  /** @type {any} */
  let project;
  return (/** @type {File} */ { source, filename }) => {
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
 * @param {Record<string, (file: File) => unknown>} contenders
 * @param {File[]} files
 */
function measure(contenders, files) {
  /** @type {Record<string, number[]>} */
  const rounds = {};
  for (let round = -WARM; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(contenders)) {
      const time = timed(() => {
        for (const file of files) run(file);
      });
      if (round >= 0) (rounds[name] ??= []).push(time);
    }
  return Object.fromEntries(Object.entries(rounds).map(([name, times]) => [name, median(times)]));
}

/**
 * Milliseconds of the processor.
 *
 * @param {() => void} run
 */
function timed(run) {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
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
      if (round >= 0) (rounds[name] ??= []).push(time);
    }
  console.log(`\nFiles without a directive\n\n| | µs a file | MB/ms |\n|---|---:|---:|`);
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
    `\nNode ${process.version}, ${cpus()[0]?.model ?? "?"}; ${versions.join(", ")}. Processor time, medians of ${ROUNDS} rounds in turns.`,
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
      files.push({ filename, source: annotated, hoisted: annotated });
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
