/**
 * What stands for a package in the code hash: its name and version, a patch on it, and, where asked, its dependencies'.
 * A folder of `node_modules` without a version has nothing that could stand for it, and is read like source.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digest } from "../digest.ts";

export interface Package {
  readonly folder: string;
  readonly name: string;
  /** `1.2.3`, with a patch `1.2.3+patch:<digest>`, with the closure of dependencies `1.2.3+closure:<digest>`. */
  readonly version: string;
  /** What the version was read from. */
  readonly files: readonly string[];
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly pnpm?: { readonly patchedDependencies?: Readonly<Record<string, string>> };
  readonly patchedDependencies?: Readonly<Record<string, string>>;
}

export class Packages {
  readonly #root: string;
  readonly #closure: boolean;
  readonly #known = new Map<string, Package | null>();
  #patches: readonly Patch[] | undefined;
  /** Everything that was read, or looked for, to know the packages. */
  readonly consulted = new Set<string>();
  /** Where a new file would be a patch. */
  readonly folders = new Set<string>();

  constructor(root: string, depth: "version" | "closure") {
    this.#root = root;
    this.#closure = depth === "closure";
  }

  /** Of an installed file: the package whose folder it is in, below the last `node_modules`, if that has a version. */
  of(path: string): Package | undefined {
    const folder = folderOf(path);
    if (folder === undefined) return undefined;
    let found = this.#known.get(folder);
    if (found === undefined) this.#known.set(folder, (found = this.#read(folder)));
    return found ?? undefined;
  }

  /** Is it one of the files that say what a package is? */
  has(path: string): boolean {
    return this.consulted.has(path);
  }

  clear(): void {
    this.#known.clear();
    this.#patches = undefined;
    this.consulted.clear();
    this.folders.clear();
  }

  /** Of patch-package (`patches/`), pnpm, Bun (`patchedDependencies`) and Yarn (`.yarn/patches`), from the root upwards. */
  #findPatches(): Patch[] {
    for (let at = this.#root; ; at = dirname(at)) {
      const folders = [join(at, "patches"), join(at, ".yarn/patches")];
      for (const each of folders) this.folders.add(each);
      for (const each of ["package.json", "pnpm-workspace.yaml"]) this.consulted.add(join(at, each));
      const found = [...declaredPatches(at), ...folders.flatMap(patchFiles)];
      if (found.length > 0 || at === dirname(at)) return found;
    }
  }

  #read(folder: string): Package | null {
    const file = join(folder, "package.json");
    const manifest = readManifest(file);
    const { version } = manifest;
    this.consulted.add(file);
    if (typeof version !== "string") return null;
    const name = manifest.name ?? folder.replaceAll("\\", "/").split("/node_modules/").at(-1) ?? folder;
    const patches = (this.#patches ??= this.#findPatches()).filter((each) => each.fits(name, version));
    const patch = patches.map((each) => `+patch:${digest(readFileSync(each.file))}`).join("");
    const closure = this.#closure ? `+closure:${digest(closureOf(folder, this.consulted).join("\n"))}` : "";
    for (const each of patches) this.consulted.add(each.file);
    return {
      folder,
      name,
      version: version + patch + closure,
      files: [file, ...patches.map((each) => each.file)],
    };
  }
}

/** The folder of the package that a file belongs to; `undefined` outside of `node_modules`: then it is source. */
export function folderOf(path: string): string | undefined {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0];
}

function readManifest(file: string): Manifest {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}

/** `name@version` of everything that a package may load, itself left out. */
function closureOf(folder: string, consulted: Set<string>): string[] {
  const seen = new Set<string>([folder]);
  const found = new Set<string>();
  const queue = [folder];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const { dependencies, optionalDependencies, peerDependencies } = readManifest(join(at, "package.json"));
    for (const name of Object.keys({ ...peerDependencies, ...optionalDependencies, ...dependencies })) {
      const next = locate(at, name);
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      consulted.add(join(next, "package.json"));
      const { version } = readManifest(join(next, "package.json"));
      found.add(`${name}@${version}`);
      queue.push(next);
    }
  }
  return [...found].sort();
}

/** Where Node finds a package's dependency: in the nearest `node_modules` up the tree. */
function locate(from: string, name: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    if (existsSync(join(folder, "package.json"))) return folder;
    if (at === dirname(at)) return undefined;
  }
}

// ── patches ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Patch {
  readonly file: string;
  fits(name: string, version: string): boolean;
}

function declaredPatches(folder: string): Patch[] {
  const manifest = readManifest(join(folder, "package.json"));
  const declared = Object.entries({
    ...manifest.patchedDependencies,
    ...manifest.pnpm?.patchedDependencies,
    ...workspacePatches(join(folder, "pnpm-workspace.yaml")),
  });
  return declared.flatMap(([key, path]) => {
    const file = join(folder, path);
    return existsSync(file) ? [{ file, fits: (name, version) => key === name || key === `${name}@${version}` }] : [];
  });
}

/** The one map that is read of `pnpm-workspace.yaml`: `patchedDependencies`, a line each. */
function workspacePatches(file: string): Record<string, string> {
  if (!existsSync(file)) return {};
  const block = /^patchedDependencies:\s*\n((?:[ \t]+.*\n?|\s*\n)*)/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  const pairs = block.matchAll(/^[ \t]+(['"]?)(.+?)\1:\s*(['"]?)(.+?)\3\s*$/gm);
  return Object.fromEntries([...pairs].map((pair) => [pair[2], pair[4]] as [string, string]));
}

function patchFiles(folder: string): Patch[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".patch"))
    .map((file) => ({
      file: join(folder, file),
      fits(name, version) {
        const plus = name.replace("/", "+");
        const dash = name.replace("/", "-");
        return (
          file === `${plus}.patch` ||
          file.startsWith(`${plus}+${version}`) ||
          file.includes(`++${plus}+${version}`) ||
          file.startsWith(`${dash}-npm-${version}-`)
        );
      },
    }));
}
