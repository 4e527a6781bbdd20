/**
 * Facts that outlive the process, by content: a file per module, under its digest. Written whole under another name and
 * renamed, so that builds beside each other never see half of one; whatever is not as it was written is no entry. The
 * folder may be deleted at any time.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest } from "../digest.ts";
import { FACTS_VERSION, type ModuleFacts } from "../facts.ts";
import type { FactsStore } from "../modules.ts";

/** At some 2 kB each, 20 MB. */
const MOST = 10_000;

export class FactsCache implements FactsStore {
  readonly #folder: string;
  #isReady = false;
  #isBroken = false;

  constructor(folder: string) {
    this.#folder = join(folder, `facts-${FACTS_VERSION}-${versionOfKept()}`);
  }

  get(key: string): ModuleFacts | undefined {
    let text: string;
    try {
      text = readFileSync(this.#pathOf(key), "utf8");
    } catch {
      return undefined;
    }
    const end = text.indexOf("\n");
    const content = text.slice(end + 1);
    // Its own digest stands in the first line.
    return end > 0 && text.slice(0, end) === digest(content) ? JSON.parse(content) : undefined;
  }

  /** A folder that can't be written (a full disk, a read-only image) costs time, and nothing else. */
  set(key: string, facts: ModuleFacts): void {
    if (this.#isBroken) return;
    try {
      if (!this.#isReady) this.#prepare();
      const path = this.#pathOf(key);
      const content = JSON.stringify(facts);
      const temporary = `${path}.${Math.random().toString(36).slice(2)}`;
      writeFileSync(temporary, `${digest(content)}\n${content}`);
      renameSync(temporary, path);
    } catch {
      this.#isBroken = true;
    }
  }

  #pathOf(key: string): string {
    return join(this.#folder, key);
  }

  /** Makes the folder, and makes room: the older half goes when there are too many. */
  #prepare(): void {
    mkdirSync(this.#folder, { recursive: true });
    this.#isReady = true;
    const names = readdirSync(this.#folder);
    if (names.length <= MOST) return;
    const aged = names.map((name) => ({
      name,
      time: statSync(this.#pathOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }));
    aged.sort((a, b) => a.time - b.time);
    for (const { name } of aged.slice(0, names.length - MOST / 2)) rmSync(this.#pathOf(name), { force: true });
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

/** Another version may read the same source another way. */
function versionOfKept(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
      if (name === "kept") return version;
    } catch {
      // No package.json here: on upwards.
    }
  }
  return "unknown";
}
