/**
 * A file that reaches us already compiled: another tool came first. Directives survive many compilers, so it would seem to
 * work; but the code hash is then that of the compiler's output, which changes with its version and settings, and source
 * positions are those of the output too.
 */
import { readFileSync } from "node:fs";
import type { Route } from "./core/transform.ts";

/** True where the file on disk is TypeScript and `source`, which stands for it, no longer is. */
export function wasCompiled(source: string, filename: string, route: Route): boolean {
  if (!/\.[cm]?tsx?$/.test(filename)) return false;
  const original = readIfThere(filename);
  if (original === undefined || original === source) return false;
  return isJavaScript(source, route) && !isJavaScript(original, route);
}

export const compiledWarning = (
  file: string,
  advice: string,
  sign = "the file is TypeScript, and what came is JavaScript",
): string =>
  `kept: ${file} reached Kept already compiled: ${sign}. Its code hashes are then those of the other tool's output, which change with its version and settings.\n\n${advice}`;

function readIfThere(filename: string): string | undefined {
  try {
    return readFileSync(filename, "utf8");
  } catch {
    // A file that only the host knows of is nothing to compare with.
    return undefined;
  }
}

function isJavaScript(source: string, route: Route): boolean {
  try {
    route.read(source, "source.js");
    return true;
  } catch {
    return false;
  }
}
