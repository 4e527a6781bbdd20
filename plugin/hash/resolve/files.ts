/** Files as they are now: read once, and again only when the file system says that they may have changed. */
import { type BigIntStats, readFileSync, statSync } from "node:fs";
import { digest } from "../digest.ts";

export interface FileState {
  readonly isThere: boolean;
  /** Of source and JSON; `null` of other files, and where there is none. */
  readonly text: string | null;
  /** Of the content. */
  readonly digest: string;
}

interface Kept extends FileState {
  readonly stamp: string;
  /** Written so shortly before it was read that a further write may leave the same stamp. */
  readonly racy: boolean;
}

/** Clocks of file systems tick as coarsely as every 10 ms; some count in whole seconds. */
const RACY_MS = 1100;

export class Files {
  readonly #states = new Map<string, Kept>();

  read(path: string): FileState {
    const known = this.#states.get(path);
    if (known) return known;
    return this.#load(path);
  }

  /** Looks at every file that was read. Gives the paths whose content is another now. */
  refresh(): string[] {
    const changed: string[] = [];
    for (const [path, before] of this.#states) {
      if (!before.racy && stampOf(path) === before.stamp) continue;
      if (this.#load(path).digest !== before.digest) changed.push(path);
    }
    return changed;
  }

  #load(path: string): FileState {
    const stamp = stampOf(path);
    let content: string | Buffer | null = null;
    if (stamp !== MISSING) {
      try {
        content = TEXT.test(path) ? readFileSync(path, "utf8") : readFileSync(path);
      } catch {
        // Gone since, or a folder: the same to us.
      }
    }
    const state = {
      stamp,
      racy: isRacy(stamp, Date.now()),
      isThere: content !== null,
      text: typeof content === "string" ? content : null,
      digest: content === null ? MISSING : digest(content),
    };
    this.#states.set(path, state);
    return state;
  }
}

const TEXT = /\.(?:[cm]?[jt]sx?|json)$/;
const MISSING = "missing";

/** May what was looked at by then have been written once more since, and the stamp be the same? */
export const isRacy = (stamp: string, by: number): boolean =>
  stamp !== MISSING && by - Number(stamp.split(" ", 1)[0]) / 1e6 < RACY_MS;

/** Changes whenever the file (or the list of a folder's files) does, but for writes within one tick of the clock. */
export function stampOf(path: string): string {
  let stat: BigIntStats | undefined;
  try {
    stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // Below a file, or not to be seen: to us it isn't there.
  }
  return stat ? `${stat.mtimeNs} ${stat.ctimeNs} ${stat.size} ${stat.ino}` : MISSING;
}
