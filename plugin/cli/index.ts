#!/usr/bin/env node
/** The command `kept`. */
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { nearest } from "../core/diagnostics.ts";
import { routeNamed } from "../routes.ts";
import { compare } from "./compare.ts";
import { adviseHosts, printAdvice, writeAdvice } from "./init.ts";
import { printChange, printComparison, printExplanation } from "./print.ts";
import { type Scan, type ScanOptions, scan } from "./scan.ts";
import { checkOut, GitError, type State } from "./states.ts";
import { printVerification, verify } from "./verify.ts";

const USAGE = `kept explain <file>[#function]            what a cached function is keyed by and what its code reaches
kept why <function> --since <git-ref>     which code changed, and the way to it
kept diff <git-ref> [<git-ref>]           what a change invalidates; without the second, the working tree

kept verify <dist>                        directives that a build has left untransformed, sites of another contract
kept init [--write]                       the one line for the host of this project

  --root <folder>      the project. Default: the current folder
  --route swc|babel    the parser. Default: swc
  --json               for programs
  --fail-on-change     diff: exit code 1 where anything is invalidated`;

class UsageError extends Error {}

const COMMANDS = { explain, why, diff, verify: verifyBuild, init } as const;

main();

function main(): void {
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
    COMMANDS[name as keyof typeof COMMANDS](rest, values);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof GitError)) throw error;
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
  const { root } = settings(values);
  const advice = adviseHosts(root);
  if (advice.length === 0)
    throw new UsageError(
      `No host of Kept in ${join(root, "package.json")}. The README lists them all, with the line of each.`,
    );
  for (const each of advice) console.log(printAdvice(each, values.write === true && writeAdvice(root, each)));
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
