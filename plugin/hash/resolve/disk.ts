/**
 * Texts that outlive the process, each in a file of its own. Written whole under another name and renamed, so that builds
 * beside each other never see half of one; whatever is not as it was written is no entry. The folder may be deleted at
 * any time. Where somebody sees to it that they are written later, they are there at once all the same.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digest } from "../digest.ts";

export class Disk {
  readonly #folder: string;
  readonly #most: number;
  readonly #onPending: (() => void) | undefined;
  readonly #pending = new Map<string, () => string>();
  #isReady = false;
  #isBroken = false;

  /**
   * @param most how many files there may be when the first is written: of more, the older ones go.
   * @param onPending called when there is something to {@link flush}; without it, all is written at once
   */
  constructor(folder: string, most: number, onPending?: () => void) {
    this.#folder = folder;
    this.#most = most;
    this.#onPending = onPending;
  }

  get(name: string): string | undefined {
    const pending = this.#pending.get(name);
    if (pending) return pending();
    let text: string;
    try {
      text = readFileSync(this.#pathOf(name), "utf8");
    } catch {
      return undefined;
    }
    const end = text.indexOf("\n");
    const content = text.slice(end + 1);
    // Its own digest stands in the first line.
    return end > 0 && text.slice(0, end) === digest(content) ? content : undefined;
  }

  set(name: string, content: () => string): void {
    if (this.#onPending) {
      this.#pending.set(name, content);
      this.#onPending();
    } else this.#write(name, content());
  }

  isThere(): boolean {
    return existsSync(this.#folder);
  }

  /** Makes the folder, also where there is nothing to write. */
  open(): void {
    if (this.#isBroken || this.isThere()) return;
    try {
      mkdirSync(this.#folder, { recursive: true });
    } catch {
      this.#isBroken = true;
    }
  }

  /** Writes what is still to be written. */
  flush(): void {
    for (const [name, content] of this.#pending) this.#write(name, content());
    this.#pending.clear();
  }

  /** A folder that can't be written (a full disk, a read-only image) costs time, and nothing else. */
  #write(name: string, content: string): void {
    if (this.#isBroken) return;
    try {
      if (!this.#isReady) this.#prepare();
      const path = this.#pathOf(name);
      const temporary = `${path}.${Math.random().toString(36).slice(2)}`;
      writeFileSync(temporary, `${digest(content)}\n${content}`);
      renameSync(temporary, path);
    } catch {
      this.#isBroken = true;
    }
  }

  #pathOf(name: string): string {
    return join(this.#folder, name);
  }

  /** Makes the folder, and makes room: the older half goes when there are too many. */
  #prepare(): void {
    mkdirSync(this.#folder, { recursive: true });
    this.#isReady = true;
    const names = readdirSync(this.#folder);
    if (names.length <= this.#most) return;
    const aged = names.map((name) => ({
      name,
      time: statSync(this.#pathOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }));
    aged.sort((a, b) => a.time - b.time);
    for (const { name } of aged.slice(0, names.length - this.#most / 2)) rmSync(this.#pathOf(name), { force: true });
  }
}

/** `node_modules/.cache/kept` of the nearest folder with packages; `undefined`: there is none. */
export function cacheFolderOf(root: string): string | undefined {
  for (let at = root; ; at = dirname(at)) {
    const packages = join(at, "node_modules");
    if (existsSync(packages)) return join(packages, ".cache", "kept");
    if (at === dirname(at)) return undefined;
  }
}
