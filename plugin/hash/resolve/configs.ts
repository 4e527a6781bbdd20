/**
 * What decides the meaning of specifiers besides the files that they lead to: manifests, tsconfigs and what these extend,
 * and the folders in which a new file would come first. Only where to look: what it means is the resolver's to know.
 */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { Files } from "./files.ts";

export class Configs {
  readonly #files: Files;
  readonly #watch: (folder: string) => void;
  readonly #seen = new Set<string>();
  readonly #paths = new Set<string>();
  /** `paths` of tsconfigs that give more than one place to look in. */
  readonly #candidates: { readonly prefix: string; readonly suffix: string; readonly target: string }[] = [];

  constructor(files: Files, watch: (folder: string) => void) {
    this.#files = files;
    this.#watch = watch;
  }

  /** Is it one of the files that decide? */
  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** All of them, also those that are not there. */
  get paths(): Iterable<string> {
    return this.#paths;
  }

  clear(): void {
    this.#seen.clear();
    this.#paths.clear();
    this.#candidates.length = 0;
  }

  /** The manifests and tsconfigs that hold in a folder: its own and those of all folders around. */
  holdIn(folder: string): void {
    for (let at = folder; !this.#seen.has(at); at = dirname(at)) {
      this.#seen.add(at);
      this.#read(join(at, "package.json"));
      this.#readTsconfig(join(at, "tsconfig.json"));
    }
  }

  /** Where a specifier that is no path is looked for: in installed packages, and where `paths` say. */
  placesOf(folder: string, specifier: string): void {
    const [name = ""] = /^(?:@[^/]+\/)?[^/]+/.exec(specifier) ?? [];
    for (let at = folder; ; at = dirname(at)) {
      const packages = join(at, "node_modules");
      this.#watch(packages);
      if (existsSync(packages))
        for (let each = join(packages, name); each !== packages; each = dirname(each)) this.#watch(each);
      if (at === dirname(at)) break;
    }
    for (const { prefix, suffix, target } of this.#candidates) {
      if (!specifier.startsWith(prefix) || !specifier.endsWith(suffix)) continue;
      const path = target.replace("*", specifier.slice(prefix.length, specifier.length - suffix.length));
      this.#watch(dirname(path));
      if (!EXTENSION.test(path)) this.#watch(path);
    }
  }

  #read(path: string): string {
    this.#paths.add(path);
    return this.#files.read(path).text ?? "";
  }

  #readTsconfig(path: string): void {
    if (this.#paths.has(path)) return;
    const text = this.#read(path);
    if (text === "") return;
    const folder = dirname(path);
    const config = parseLoosely(text);
    for (const each of [config.extends ?? []].flat())
      if (/^\.{1,2}\/|^\.{1,2}$/.test(each) || isAbsolute(each)) this.#readReferred(join2(folder, each));
    for (const each of config.references ?? []) if (each.path) this.#readReferred(join2(folder, each.path));
    const { baseUrl = ".", paths = {} } = config.compilerOptions ?? {};
    for (const [pattern, targets] of Object.entries(paths)) {
      const [prefix = "", suffix = ""] = pattern.split("*");
      for (const target of targets)
        this.#candidates.push({ prefix, suffix, target: join2(join2(folder, baseUrl), target) });
    }
  }

  /** The extension may be missing, and a folder stands for its `tsconfig.json`. */
  #readReferred(path: string): void {
    for (const each of [path, `${path}.json`, join(path, "tsconfig.json")]) this.#readTsconfig(each);
  }
}

export const EXTENSION = /\.[cm]?[jt]sx?$|\.json$/;

const join2 = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));

interface Tsconfig {
  readonly extends?: string | readonly string[];
  readonly references?: readonly { readonly path?: string }[];
  readonly compilerOptions?: { readonly baseUrl?: string; readonly paths?: Readonly<Record<string, string[]>> };
}

/** With comments and trailing commas. What isn't even that says nothing. */
function parseLoosely(text: string): Tsconfig {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (each) => (each[0] === '"' ? each : ""));
  try {
    return JSON.parse(plain.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, "$1")) ?? {};
  } catch {
    return {};
  }
}
