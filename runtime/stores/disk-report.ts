/** What is in a folder of results, read from the beginnings of its files alone; what can't be read is told, not thrown. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { readHeader } from "./bytes.ts";
import { isEntry, isMissing, LAYOUT, readFrame, readStart } from "./disk-file.ts";
import { findFolder } from "./folder.ts";
import { isSealed } from "./seal.ts";

export interface ReportedEntry {
  /** `src/rides.ts#load`; of a sealed entry, and of a damaged one, there is none. */
  readonly site: string | undefined;
  /** The code hash. */
  readonly code: string | undefined;
  readonly bytes: number;
  /** ms since 1970: when the run began that gave it; nothing where that can't be read. */
  readonly began: number | undefined;
  /** ms since 1970: not served from then on; `Infinity` without an end. */
  readonly until: number | undefined;
  /** ms since 1970: last written or asked for. */
  readonly used: number;
  /** `sealed`: written with `configure({ secret })`, so that names are hidden. */
  readonly state: "readable" | "sealed" | "damaged";
}

export interface DiskReport {
  readonly dir: string;
  /** Nothing has been kept there, or it has been cleared. */
  readonly isThere: boolean;
  readonly entries: readonly ReportedEntry[];
  /** What could not be looked at, in words. */
  readonly failures: readonly { readonly path: string; readonly message: string }[];
}

/** Most headers end before; one with a long key or many tags is read again. */
const FIRST = 4096;
const MOST = 2 ** 20;

/**
 * The folder in which an app's results are.
 *
 * @param dir what `configure({ dir })` says in it; a folder that results are in is taken as it is
 */
export function diskFolder(dir: string | undefined, root: string): string {
  const folder = findFolder(dir, { cwd: root, env: process.env, platform: process.platform });
  if (dir === undefined || isFolder(join(folder, LAYOUT))) return folder;
  const given = isAbsolute(dir) ? dir : join(root, dir);
  return isFolder(join(given, LAYOUT)) ? given : folder;
}

/** @param dir the folder, as {@link diskFolder} gives it */
export function readDisk(dir: string): DiskReport {
  const entries: ReportedEntry[] = [];
  const failures: { path: string; message: string }[] = [];
  const root = join(dir, LAYOUT);
  const attempt = <T>(path: string, act: () => T, otherwise: T): T => {
    try {
      return act();
    } catch (error) {
      // Another process has removed it meanwhile.
      if (!isMissing(error)) failures.push({ path, message: error instanceof Error ? error.message : String(error) });
      return otherwise;
    }
  };
  const list = (path: string) => attempt(path, () => readdirSync(path, { withFileTypes: true }), [] as Dirent[]);
  const isThere = attempt(root, () => statSync(root).isDirectory(), false);
  if (!isThere) {
    const other = attempt(root, () => statSync(root, { throwIfNoEntry: false }), undefined);
    if (other !== undefined) failures.push({ path: root, message: "it is no folder" });
    return { dir, isThere, entries, failures };
  }
  for (const folder of list(root)) {
    if (!folder.isDirectory() || folder.name === "tags" || folder.name.includes(".gone-")) continue;
    for (const { name } of list(join(root, folder.name))) {
      if (!isEntry(name)) continue;
      const path = join(root, folder.name, name);
      const entry = attempt(path, () => readEntryOf(path), undefined);
      if (entry !== undefined) entries.push(entry);
    }
  }
  return { dir, isThere, entries, failures };
}

function readEntryOf(path: string): ReportedEntry | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) return undefined;
  const known = { bytes: found.size, used: found.mtimeMs };
  const unknown = { site: undefined, code: undefined, began: undefined, until: undefined, ...known };
  for (const most of [FIRST, MOST]) {
    const start = readStart(path, most);
    if (start === undefined) return undefined;
    try {
      const { began, until, length } = readFrame(start);
      const bytes = start.subarray(length);
      if (isSealed(bytes)) return { ...unknown, began, until, state: "sealed" };
      const { site, code } = readHeader(bytes);
      return { ...known, site, code, began, until, state: "readable" };
    } catch {
      // Its beginning was too short, or it is damaged.
    }
    if (start.length < most) break;
  }
  return { ...unknown, state: "damaged" };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
