/**
 * Whether others can put files where a program keeps its own. In a folder that everybody may write to, `/tmp` above all,
 * anyone can make ours before we do, fill it with entries of theirs, or make it a link to where files of ours are then
 * overwritten or swept. What everybody else may do to the rest of the file system is its owner's affair.
 */
import { lstatSync, mkdirSync, realpathSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Store } from "./store.ts";

const EVERYBODY_WRITES = 0o002;
/** Whoever may write there can't remove or rename what is another's. */
const STICKY = 0o1000;

/**
 * Makes the folder at once where someone else could make it first.
 *
 * @returns why it is not to be used, as a sentence; nothing if it may be
 */
export function suspicionOf(folder: string): string | undefined {
  const user = process.getuid?.();
  // Windows has no such folder: the one for temporary files is each user's own.
  if (user === undefined) return undefined;
  const path = resolve(folder);
  const first = look(path, user);
  if (first === "anyone's") {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    } catch {
      // What can't be made can't be written to either; that is told then.
    }
  }
  const found = first === "anyone's" ? look(path, user) : first;
  return found?.startsWith("!") ? found.slice(1) : undefined;
}

/** @returns `anyone's` if the first part that is missing can be made by everybody; a suspicion with a `!` before it */
function look(path: string, user: number): string | undefined {
  return lookAt(path, user) ?? lookAt(realPathOf(path), user);
}

function lookAt(path: string, user: number): string | undefined {
  const parents = [path];
  for (let at = path; dirname(at) !== at; at = dirname(at)) parents.unshift(dirname(at));
  let isShared = false;
  let isOpen = false;
  for (const each of parents) {
    const found = statsOf(each);
    if (found === undefined) return isOpen ? "anyone's" : undefined;
    if (isShared && found.uid !== user && found.uid !== 0)
      return `!${each} belongs to another user, and stands where everybody may write.`;
    if (found.isSymbolicLink()) return undefined;
    isOpen = (found.mode & EVERYBODY_WRITES) !== 0;
    if (isOpen && (found.mode & STICKY) === 0) return `!Everybody may write to ${each}.`;
    isShared = isOpen;
  }
  return undefined;
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Of as much of the path as there is. */
function realPathOf(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      return realpathSync(at);
    } catch {
      if (dirname(at) === at) return path;
    }
  }
}

/** In place of a store whose folder is not to be used: nothing is read, nothing is written, and that is said once. */
export function shutStore(suspicion: string, onFault: (error: unknown) => void): Store {
  let isTold = false;
  const tell = (): undefined => {
    if (isTold) return;
    isTold = true;
    const error = new Error(
      `Results are kept in memory only: ${suspicion} Choose a folder of your own by configure({ dir }) or KEPT_DIR, ` +
        "take the right to write from the others (chmod o-w), or let nothing be believed that is not sealed: configure({ secret }).",
    );
    process.emitWarning(`Kept: ${error.message}`, { code: "KEPT_DISK" });
    onFault(error);
  };
  const can = { sync: true, ttl: true, tags: true, lease: false, watch: false };
  return { name: "disk", can, get: tell, set: tell, remove() {}, flush() {}, close() {} };
}
