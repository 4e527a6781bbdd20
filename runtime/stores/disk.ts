/**
 * `kept/stores/disk`: entries as files, each written beside its place and renamed into it, so that whoever reads sees
 * all of one version or all of another. The file system is the index: any number of processes share a folder with no
 * lock between them, and a process that dies leaves at most a file that nobody looks for.
 *
 *     <folder>/1/<site>/<key>-<code>      one entry; all three are digests
 *     <folder>/1/tags/<tag>               when the tag was last cleared
 *     <folder>/1/swept                    when the folder was last swept, and how much was in it
 *
 * Why not LMDB: its file is mapped into memory, so that a file cut off by a full disk or a crash ends the process with
 * SIGBUS, and a garbled one with SIGSEGV, where no one can catch it (`scripts/faults/lmdb.js` counts).
 *
 * Reads are synchronous. Writes are made behind, in later turns of the event loop, and at the latest when the process
 * exits; until then this process reads what is waiting.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, utimesSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { drained, sizeOf } from "./bytes.ts";
import {
  digestOf,
  type Frame,
  isEntry,
  isMissing,
  LAYOUT,
  OVER,
  readEntryFile,
  readFrame,
  writeFrame,
} from "./disk-file.ts";
import { sweep } from "./disk-sweep.ts";
import { shutStore, suspicionOf } from "./disk-trust.ts";
import { type Job, WriteBehind } from "./disk-write.ts";
import type { EntryName, Source, Store, Which } from "./store.ts";

export { type DiskReport, diskFolder, type ReportedEntry, readDisk } from "./disk-report.ts";

export interface DiskOptions {
  /** The folder; it is made when something is written. */
  readonly dir: string;
  /** Most bytes of all entries together: the ones used least recently go first. Default 2 GiB. */
  readonly maxBytes?: number | undefined;
  /** Entries that nobody has used for so long (ms) are swept, such as those of code that is gone. Default 30 days. */
  readonly unusedFor?: number | undefined;
  /** Told of failures that the program is spared: a full disk, a folder that can't be written to. */
  readonly onFault?: ((error: unknown) => void) | undefined;
  /** Nothing is believed that is not sealed (`configure({ secret })`): then the folder may be one that others write to. */
  readonly sealed?: boolean | undefined;
  /** ms since 1970, in fractions. */
  readonly now?: (() => number) | undefined;
}

const DAY = 86_400_000;
/** Used again within it: not noted, for the price of it. */
const NOTE_USE_AFTER = 60_000;

export function diskStore(options: DiskOptions): Store {
  const { dir, maxBytes = 2 * 2 ** 30, unusedFor = 30 * DAY, onFault = () => {} } = options;
  const now = options.now ?? (() => performance.timeOrigin + performance.now());
  const suspicion = options.sealed ? undefined : suspicionOf(dir);
  if (suspicion !== undefined) return shutStore(suspicion, onFault);
  const root = join(dir, LAYOUT);
  const folders = new Map<string, string>();
  const codes = new Map<string, string>();
  const uses = new Map<string, number>();
  const behind = new WriteBehind({
    root,
    onFault,
    afterwards: trim,
    note,
    sweep: () => sweep({ root, maxBytes, unusedFor, now }),
    maxBytes,
    now,
  });

  function folderOf(site: string): string {
    let folder = folders.get(site);
    if (folder === undefined) {
      if (folders.size > 10_000) folders.clear();
      folder = join(root, digestOf(site));
      folders.set(site, folder);
    }
    return folder;
  }
  function fileOf({ site, code, key }: EntryName): string {
    let ending = codes.get(code);
    if (ending === undefined) {
      if (codes.size > 10_000) codes.clear();
      ending = `-${digestOf(code)}`;
      codes.set(code, ending);
    }
    return `${folderOf(site)}${sep}${digestOf(key)}${ending}`;
  }

  /** When a tag was last cleared. */
  function clearedAt(tag: string): number {
    try {
      return Number(readFileSync(join(root, "tags", tag), "latin1")) || Number.POSITIVE_INFINITY;
    } catch (error) {
      return isMissing(error) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    }
  }
  function isOver({ until, began, tags }: Frame): boolean {
    if (until !== Number.POSITIVE_INFINITY && now() >= until) return true;
    return tags.length > 0 && tags.some((tag) => began <= clearedAt(tag));
  }

  function read(name: EntryName): Uint8Array | Source | undefined {
    const path = fileOf(name);
    const waiting = behind.waiting(path);
    if (waiting !== undefined) {
      const frame = readFrame(waiting);
      return isOver(frame) ? undefined : waiting.subarray(frame.length);
    }
    const found = readEntryFile(path, isOver);
    if (found === OVER) discard(path);
    else if (found !== undefined) behind.use(path);
    return found === OVER ? undefined : found;
  }

  /** Notes a use, for those who sweep. */
  function note(path: string): void {
    const at = now();
    if (at - (uses.get(path) ?? 0) < NOTE_USE_AFTER) return;
    if (uses.size > 100_000) uses.clear();
    uses.set(path, at);
    utimesSync(path, at / 1000, at / 1000);
  }

  /** Keeps the bound of a function: the entries that were used least recently go. */
  function trim({ path, maxEntries }: Job): void {
    if (maxEntries === undefined) return;
    const folder = dirname(path);
    const names = readdirSync(folder).filter(isEntry);
    if (names.length <= maxEntries) return;
    const aged = names.map((name) => ({ name, used: modifiedAt(join(folder, name)) }));
    aged.sort((a, b) => b.used - a.used);
    for (const { name } of aged.slice(maxEntries)) discard(join(folder, name));
  }

  return {
    name: "disk",
    can: { sync: true, ttl: true, tags: true, lease: false, watch: false },

    get(name) {
      const found = read(name);
      return found === undefined || found instanceof Uint8Array ? found : drained(found);
    },

    read,

    set(name, pieces, about) {
      const path = fileOf(name);
      const all = [writeFrame(about), ...pieces];
      behind.put({ path, pieces: all, bytes: sizeOf(all), maxEntries: about.maxEntries, tags: about.tags });
    },

    remove(which: Which) {
      uses.clear();
      if ("tag" in which) {
        behind.forget((job) => job.tags.includes(which.tag));
        if (modifiedAt(root) > 0) behind.writeNow(join(root, "tags", digestOf(which.tag)), String(now()));
      } else if (which.site === undefined) {
        behind.forget(() => true);
        discardFolder(root);
      } else if (which.key === undefined) {
        const folder = folderOf(which.site);
        behind.forget(({ path }) => dirname(path) === folder);
        discardFolder(folder);
      } else {
        const folder = folderOf(which.site);
        const start = `${digestOf(which.key)}-`;
        behind.forget(({ path }) => dirname(path) === folder && basename(path).startsWith(start));
        for (const name of listed(folder)) if (name.startsWith(start)) discard(join(folder, name));
      }
    },

    flush: () => behind.flush(),
    close: () => behind.close(),
  };
}

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

let discarded = 0;

/** Out of the way at once, so that what others write meanwhile is either gone with it or stays. */
function discardFolder(folder: string): void {
  const aside = `${folder}.gone-${process.pid}-${++discarded}`;
  try {
    renameSync(folder, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  rmSync(aside, { recursive: true, force: true, maxRetries: 3 });
}
