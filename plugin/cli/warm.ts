/** `kept warm`: calls that a module lists, made in a process with the loader, so that their results are there later. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** One call, as the process that made it tells. */
export interface Warmed {
  readonly name: string;
  readonly site: string | undefined;
  readonly outcome: "hit" | "miss" | "stale" | "none" | "failed";
  readonly persisted: boolean;
  /** ms. */
  readonly took: number;
  /** Of one that failed, with its stack. */
  readonly error?: string;
}

/** From the process: each call when it is done, or why none could be made. */
export type Told = { readonly warmed: Warmed } | { readonly unusable: string };

export interface WarmUp {
  readonly calls: readonly Warmed[];
  /** Why the module could not be used. */
  readonly unusable: string | undefined;
  /** Of the process. */
  readonly code: number;
}

export interface WarmSettings {
  readonly root: string;
  /** Modules that Node imports before, such as `tsx`. */
  readonly imports: readonly string[];
  readonly concurrency: string | undefined;
  /** Where what the module prints goes: out of the way of what a program reads. */
  readonly quiet: boolean;
  readonly onCall: (warmed: Warmed) => void;
}

const NAMES = ["ts", "mts", "js", "mjs"].map((ending) => `kept.warm.${ending}`);

/** @returns nothing if there is none */
export function findWarmModule(root: string, given: string | undefined): string | undefined {
  if (given !== undefined) return [resolve(root, given), resolve(given)].find((path) => existsSync(path));
  return NAMES.map((name) => join(root, name)).find((path) => existsSync(path));
}

/** Function ids are relative to the root, and so is the process. */
export function warmUp(file: string, { root, imports, concurrency, quiet, onCall }: WarmSettings): Promise<WarmUp> {
  const loader = new URL("../node/index.js", import.meta.url).href;
  const runner = fileURLToPath(new URL("./warm-run.js", import.meta.url));
  const before = [loader, ...imports].flatMap((each) => ["--import", each]);
  const child = spawn(process.execPath, [...before, runner, file, root, concurrency ?? ""], {
    cwd: root,
    stdio: ["inherit", quiet ? 2 : "inherit", "inherit", "ipc"],
  });
  const calls: Warmed[] = [];
  let unusable: string | undefined;
  child.on("message", (told: Told) => {
    if ("unusable" in told) unusable = told.unusable;
    else {
      calls.push(told.warmed);
      onCall(told.warmed);
    }
  });
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => done({ calls, unusable, code: code ?? 1 }));
  });
}

export function printCall({ name, site, outcome, persisted, took, error }: Warmed): string {
  const time = took < 1000 ? `${took.toFixed(took < 10 ? 1 : 0)} ms` : `${(took / 1000).toFixed(1)} s`;
  const line = `${outcome.padEnd(6)}  ${time.padStart(8)}  ${site ?? "–"}${name === "" ? "" : `  (${name})`}`;
  if (error !== undefined) return `${line}\n${error.replace(/^(?=.)/gm, "    ")}`;
  if (outcome === "none") return `${line}\n    It calls no cached function, or Kept has not compiled it.`;
  return persisted ? line : `${line}\n    In memory only, so nothing is left of it: it has no \`persist: "disk"\`.`;
}

export function printSummary(calls: readonly Warmed[]): string {
  const counts = ["hit", "miss", "stale", "none", "failed"].flatMap((outcome) => {
    const count = calls.filter((each) => each.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  return `${calls.length} ${calls.length === 1 ? "call" : "calls"}: ${counts.join(", ")}.`;
}
