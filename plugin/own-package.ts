/**
 * Kept's own package.json, as a file that every transformed module depends on: hosts that keep modules between runs know
 * the files that a module was made of, but not who made it, and another version of Kept may write something else.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let found: string | undefined;

/** Its absolute path. */
export function ownPackage(): string {
  return (found ??= nearestPackage(dirname(fileURLToPath(import.meta.url))));
}

function nearestPackage(folder: string): string {
  const path = join(folder, "package.json");
  return existsSync(path) ? path : nearestPackage(dirname(folder));
}
