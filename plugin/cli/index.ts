#!/usr/bin/env node
/** The command `kept`. */
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { nearest } from "../core/diagnostics.ts";
import { routeNamed } from "../routes.ts";
import { clear as clearDisk, NoSuchFunction, printCleared, type Target } from "./clear.ts";
import { compare } from "./compare.ts";
import { adviseHosts, printAdvice, writeAdvice } from "./init.ts";
import { printChange, printComparison, printExplanation } from "./print.ts";
import { type Scan, type ScanOptions, scan } from "./scan.ts";
import { checkOut, GitError, type State } from "./states.ts";
import { type Codes, diskStats, printStats } from "./stats.ts";
import { type Disk, openDisk } from "./stored.ts";
import { printVerification, verify } from "./verify.ts";
import { findWarmModule, printCall, printSummary, warmUp } from "./warm.ts";

const USAGE = `kept explain <file>[#function]            what a cached function is keyed by and what its code reaches
kept why <function> --since <git-ref>     which code changed, and the way to it
kept diff <git-ref> [<git-ref>]           what a change invalidates; without the second, the working tree

kept verify <dist>                        directives that a build has left untransformed, sites of another contract
kept init [--write]                       the one line for the host of this project

kept warm [<module>]                      makes the calls that a module exports, so that a deploy starts warm
kept stats --disk                         what is kept on disk of each function, and what belongs to code that is gone
kept clear <function>|--tag <tag>|--all   throws away what is kept on disk

  --root <folder>      the project. Default: the current folder
  --route swc|babel    the parser. Default: swc
  --json               for programs
  --fail-on-change     diff: exit code 1 where anything is invalidated
  --dir <folder>       stats, clear: as configure({ dir }) says. Default: the project's own, or KEPT_DIR
  --import <module>    warm: imported before, as \`node --import\` does; several times if there are several
  --concurrency <n>    warm: calls at a time. Default: 4`;

class UsageError extends Error {}

const COMMANDS = { explain, why, diff, verify: verifyBuild, init, warm, stats, clear } as const;

await main();

async function main(): Promise<void> {
  try {
    const { values, positionals } = readArguments();
    const [name, ...rest] = positionals;
    if (values.help || name === undefined) {
      console.log(USAGE);
      if (!values.help) process.exitCode = 2;
      return;
    }
    if (!Object.hasOwn(COMMANDS, name)) {
      const meant = nearest(name, Object.keys(COMMANDS));
      throw new UsageError(`There is no command \`${name}\`.${meant ? ` Did you mean \`${meant}\`?` : ""}`);
    }
    await COMMANDS[name as keyof typeof COMMANDS](rest, values);
  } catch (error) {
    const isTheirs = [UsageError, GitError, NoSuchFunction].some((kind) => error instanceof kind);
    if (!(error instanceof Error) || !isTheirs) throw error;
    console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error.message);
    process.exitCode = 2;
  }
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        root: { type: "string", default: process.cwd() },
        route: { type: "string", default: "swc" },
        since: { type: "string" },
        json: { type: "boolean", default: false },
        "fail-on-change": { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        disk: { type: "boolean", default: false },
        dir: { type: "string" },
        tag: { type: "string" },
        all: { type: "boolean", default: false },
        import: { type: "string", multiple: true, default: [] },
        concurrency: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Values = ReturnType<typeof readArguments>["values"];

function settings({ root, route }: Values): ScanOptions {
  if (route !== "swc" && route !== "babel") throw new UsageError(`--route is swc or babel, not ${route}.`);
  return { root: resolve(root ?? "."), route };
}

function explain(rest: readonly string[], values: Values): void {
  const [target] = rest;
  if (target === undefined)
    throw new UsageError("kept explain needs a file, or a file and a function: src/rides.ts#load");
  const options = settings(values);
  const at = target.indexOf("#");
  const given = at < 0 ? target : target.slice(0, at);
  const name = at < 0 ? undefined : target.slice(at + 1);
  const file = [resolve(given), resolve(options.root, given)].find((each) => existsSync(each));
  if (file === undefined) throw new UsageError(`There is no file ${given}.`);
  const path = relative(options.root, file).replaceAll("\\", "/");
  const found = scan(options, [path]);
  const sites = found.sites.filter(
    ({ id }) => name === undefined || id === `${path}#${name}` || id.startsWith(`${path}#${name}~`),
  );
  if (sites.length === 0 && found.failures.length === 0) {
    const known = found.sites.map(({ id }) => id.slice(path.length + 1));
    const meant = name === undefined ? undefined : nearest(name, known);
    const annotated = known.length > 0 ? ` It has ${known.join(", ")}.` : "";
    throw new UsageError(
      name === undefined
        ? `${path} has no cached function.`
        : `${path} has no cached function \`${name}\`.${meant ? ` Did you mean \`${meant}\`?` : annotated}`,
    );
  }
  const result = { sites, failures: found.failures };
  console.log(values.json ? JSON.stringify(result, null, 2) : printExplanation(result));
}

function why(rest: readonly string[], values: Values): void {
  const [name] = rest;
  if (name === undefined || values.since === undefined)
    throw new UsageError("kept why needs a function and a commit: kept why src/rides.ts#load --since main");
  const options = settings(values);
  const after = scan(options);
  const fits = (id: string) => id === name || id.endsWith(`#${name}`);
  if (!after.sites.some(({ id }) => fits(id))) {
    const meant = nearest(
      name,
      after.sites.flatMap(({ id }) => [id, id.slice(id.indexOf("#") + 1)]),
    );
    throw new UsageError(`There is no cached function \`${name}\`.${meant ? ` Did you mean \`${meant}\`?` : ""}`);
  }
  const { changed, added } = withState(options, values.since, (before) =>
    compare(before, { ...after, sites: after.sites.filter(({ id }) => fits(id)) }),
  );
  if (values.json) console.log(JSON.stringify({ changed, added }, null, 2));
  else if (changed.length > 0) console.log(changed.map(printChange).join("\n\n"));
  else
    console.log(
      added.length > 0
        ? `${added.join(", ")}: not cached at ${values.since}.`
        : `${name}: the same code as at ${values.since}.`,
    );
}

function diff(rest: readonly string[], values: Values): void {
  const [from, to] = rest;
  if (from === undefined) throw new UsageError("kept diff needs a commit: kept diff main");
  const options = settings(values);
  const comparison = withState(options, from, (before) =>
    to === undefined ? compare(before, scan(options)) : withState(options, to, (after) => compare(before, after)),
  );
  console.log(values.json ? JSON.stringify(comparison, null, 2) : printComparison(comparison));
  if (values["fail-on-change"] && comparison.changed.length > 0) process.exitCode = 1;
}

function verifyBuild(rest: readonly string[], values: Values): void {
  const [target] = rest;
  if (target === undefined || !existsSync(target))
    throw new UsageError(
      target === undefined ? "kept verify needs a folder: kept verify dist" : `There is no ${target}.`,
    );
  const result = verify(target, routeNamed(settings(values).route ?? "swc"));
  console.log(values.json ? JSON.stringify(result, null, 2) : printVerification(result));
  if (result.findings.length > 0) process.exitCode = 1;
}

function init(_rest: readonly string[], values: Values): void {
  const { root, route } = settings(values);
  const advice = adviseHosts(root);
  if (advice.length === 0)
    throw new UsageError(
      `No host of Kept in ${join(root, "package.json")}. The README lists them all, with the line of each.`,
    );
  for (const each of advice)
    console.log(printAdvice(each, values.write === true && writeAdvice(root, each, routeNamed(route))));
}

async function warm(rest: readonly string[], values: Values): Promise<void> {
  const { root } = settings(values);
  const { concurrency, json } = values;
  if (concurrency !== undefined && !/^[1-9]\d*$/.test(concurrency))
    throw new UsageError(`--concurrency is a whole number from 1, not ${concurrency}.`);
  const file = findWarmModule(root, rest[0]);
  if (file === undefined)
    throw new UsageError(
      rest[0] === undefined
        ? `There is no kept.warm.ts in ${root}. It exports the calls: export const rides = () => loadRides(url);`
        : `There is no file ${rest[0]}.`,
    );
  const { calls, unusable, code } = await warmUp(file, {
    root,
    imports: values.import ?? [],
    concurrency,
    quiet: json === true,
    onCall: (call) => void (json || console.log(printCall(call))),
  });
  if (json) console.log(JSON.stringify({ calls, unusable: unusable ?? null }, null, 2));
  else if (calls.length > 0) console.log(printSummary(calls));
  if (unusable !== undefined && !json) console.error(unusable);
  else if (code !== 0 && calls.every(({ outcome }) => outcome !== "failed"))
    console.error(`The process ended with ${code} before all calls were made.`);
  if (code !== 0) process.exitCode = 1;
}

function stats(_rest: readonly string[], values: Values): void {
  if (!values.disk) throw new UsageError("kept stats needs --disk. (In a program, `stats()` counts hits and misses.)");
  const { disk, dir } = diskOf(values);
  const { codes, isUnknown } = currentCodes(settings(values));
  const result = diskStats(disk.readDisk(dir), codes, isUnknown, Date.now());
  console.log(values.json ? JSON.stringify(result, null, 2) : printStats(result, Date.now()));
  if (result.failures.length > 0) process.exitCode = 1;
}

function clear(rest: readonly string[], values: Values): void {
  const targets: Target[] = rest.map((name) => ({ function: name }));
  if (values.tag !== undefined) targets.push({ tag: values.tag });
  if (values.all) targets.push({ all: true });
  const [target, another] = targets;
  if (target === undefined || another !== undefined)
    throw new UsageError("kept clear needs one of: a function, --tag <tag>, --all.");
  const { disk, dir } = diskOf(values);
  const result = clearDisk(disk, dir, target);
  console.log(values.json ? JSON.stringify(result, null, 2) : printCleared(result));
  if (result.failures.length > 0) process.exitCode = 1;
}

function diskOf(values: Values): { disk: Disk; dir: string } {
  const { root } = settings(values);
  const disk = openDisk(root);
  if (disk === undefined) throw new UsageError(`The \`kept\` of ${root} is too old for this command.`);
  return { disk, dir: disk.diskFolder(values.dir, root) };
}

/** The code hash of each function of the project, as far as it can be read. */
function currentCodes(options: ScanOptions): { codes: Codes; isUnknown: (site: string) => boolean } {
  try {
    const { sites, failures } = scan(options);
    const unread = failures.map(({ file }) => `${file}#`);
    return {
      codes: new Map(sites.map(({ id, code }) => [id, code])),
      isUnknown: (site) => unread.some((start) => site.startsWith(start)),
    };
  } catch {
    // No parser here, say: what is on disk can be told all the same.
    return { codes: undefined, isUnknown: () => true };
  }
}

/** The sites as they were at a commit. */
function withState<T>(options: ScanOptions, ref: string, use: (scanned: Scan) => T): T {
  const state: State = checkOut(options.root, ref);
  try {
    return use(scan({ ...options, root: state.root }));
  } finally {
    state.remove();
  }
}
