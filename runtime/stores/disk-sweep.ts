/** Throws away what is over, unused or too much, in small steps. Several processes may do it at once. */
import { lstatSync, readdirSync, rmSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { readFrame, readStart } from "./disk-file.ts";

export interface SweepOptions {
  /** The folder with a folder for each function. */
  readonly root: string;
  readonly maxBytes: number;
  /** ms. */
  readonly unusedFor: number;
  /** ms since 1970. */
  readonly now: () => number;
}

interface Found {
  readonly path: string;
  readonly bytes: number;
  readonly used: number;
}

/** Nobody writes for so long (ms): whoever began it is gone. */
const ABANDONED = 3_600_000;
/** Makes room for some time, not for one entry. */
const ROOM = 0.9;
/** Enough for the frame of an entry with many tags. */
const FRAME_BYTES = 2048;

/** @returns bytes that are left */
export function* sweep({ root, maxBytes, unusedFor, now }: SweepOptions): Generator<void, number> {
  const kept: Found[] = [];
  let total = 0;
  for (const folder of names(root)) {
    const place = join(root, folder);
    // Not a link, which would lead to files that are none of ours.
    if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    if (folder.includes(".gone-")) {
      if (now() - ageOf(place) > ABANDONED) rmSync(place, { recursive: true, force: true });
      continue;
    }
    for (const name of names(place)) {
      yield;
      const path = join(place, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isFile() !== true) continue;
      const idle = now() - found.mtimeMs;
      if (idle > unusedFor || (name.endsWith("~") && idle > ABANDONED) || (folder !== "tags" && isOver(path, now())))
        discard(path);
      else if (folder !== "tags") {
        kept.push({ path, bytes: found.size, used: found.mtimeMs });
        total += found.size;
      }
    }
  }
  if (total <= maxBytes) return total;
  kept.sort((a, b) => a.used - b.used);
  for (const { path, bytes } of kept) {
    if (total <= maxBytes * ROOM) break;
    yield;
    discard(path);
    total -= bytes;
  }
  return total;
}

function isOver(path: string, at: number): boolean {
  if (path.endsWith("~")) return false;
  try {
    const start = readStart(path, FRAME_BYTES);
    return start !== undefined && at >= readFrame(start).until;
  } catch {
    // Damaged, or with more tags than that: whoever asks for it finds out.
    return false;
  }
}

function ageOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
}

/** Nothing if it isn't a folder. */
function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was first, or may not: then it stays.
  }
}
