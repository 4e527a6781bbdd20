/**
 * Kept's own package.json, as a file that every transformed module depends on: hosts that keep modules between runs know
 * the files that a module was made of, but not who made it, and another version of Kept may write something else.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
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

let spoken: string | undefined;

/**
 * `0.1.0`: what another version of Kept made of the same source may be something else. Where Kept is not installed but
 * worked on, also when its own files were last written.
 */
export function versionOfKept(): string {
  if (spoken !== undefined) return spoken;
  const { version } = JSON.parse(readFileSync(ownPackage(), "utf8")) as { version: string };
  const folder = dirname(fileURLToPath(import.meta.url));
  const isInstalled = /[\\/]node_modules[\\/]/.test(folder);
  return (spoken = isInstalled ? version : `${version}-${newestIn(folder).toString(36)}`);
}

function newestIn(folder: string): number {
  const times = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? newestIn(path) : statSync(path).mtimeMs;
  });
  return Math.max(0, ...times);
}
