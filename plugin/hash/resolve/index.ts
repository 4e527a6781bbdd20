/**
 * Specifier → file, package or builtin, by oxc-resolver: exports and imports of package.json, conditions, tsconfig paths,
 * `.js` for `.ts`, folders, symlinks. Only what a host knows better comes first: its aliases.
 */
import { createRequire, isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import type { NapiResolveOptions, ResolverFactory } from "oxc-resolver";
import { Configs, EXTENSION } from "./configs.ts";
import { Files, isRacy, stampOf } from "./files.ts";
import { listFiles } from "./folders.ts";
import { Given } from "./given.ts";
import { folderOf, type Package, Packages } from "./packages.ts";
import type { Standing } from "./standing.ts";

export type Resolved =
  | { readonly kind: "file"; readonly path: string; readonly bytes: boolean }
  | { readonly kind: "package"; readonly package: Package; readonly subpath: string }
  /** Known by its name alone: a builtin of Node, Kept itself, what the options say to leave out. */
  | { readonly kind: "name"; readonly name: string }
  /** Those that fit a pattern. */
  | { readonly kind: "files"; readonly paths: readonly string[] }
  | { readonly kind: "unresolved" };

/** Asks for the files that fit one of the patterns. */
export const someFiles = (patterns: readonly string[]): string => `files:${JSON.stringify(patterns)}`;

/** As Vite has them: a name stands for itself and for what is below it. */
export interface Alias {
  readonly find: string | RegExp;
  readonly replacement: string;
}

export interface ResolveOptions {
  readonly root: string;
  readonly alias?: readonly Alias[];
  readonly conditions?: readonly string[];
  readonly packages?: "version" | "closure";
  /** Packages (`lodash`, `@acme/*`) that are followed like the project's own source. */
  readonly include?: readonly string[];
  /** Specifiers that count by their name alone. */
  readonly ignore?: readonly string[];
}

const SOURCE = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json"];

const DEFAULTS: NapiResolveOptions = {
  tsconfig: "auto",
  extensions: SOURCE,
  extensionAlias: {
    ".js": [".ts", ".tsx", ".js", ".jsx"],
    ".jsx": [".tsx", ".jsx"],
    ".mjs": [".mts", ".mjs"],
    ".cjs": [".cts", ".cjs"],
  },
  mainFields: ["module", "main"],
  symlinks: true,
};

/** `?raw`, `?url`: the content is what is imported. But a worker runs, however it is loaded. */
const CONTENT_QUERY = /\?(?!.*worker)(?:.*&)?(?:raw|url|inline|no-inline)\b/;

export class Resolver {
  readonly files: Files;
  readonly given: Given;
  /** No folder has been looked at before. */
  #since = Date.now();
  readonly #options: ResolveOptions;
  readonly #packages: Packages;
  readonly #configs: Configs;
  readonly #oxc: ResolverFactory;
  readonly #known = new Map<string, Resolved>();
  /** Question → the folders that its answer hangs on. */
  readonly #watched = new Map<string, ReadonlySet<string>>();
  #watching = new Set<string>();
  /** Folders where a new file could change what a specifier means. */
  readonly #folders = new Map<string, string>();
  readonly #include: (name: string) => boolean;
  readonly #ignore: (name: string) => boolean;

  constructor(options: ResolveOptions, files = new Files(), given = new Given(files)) {
    this.#options = options;
    this.files = files;
    this.given = given;
    this.#packages = new Packages(options.root, options.packages ?? "version");
    this.#configs = new Configs(this.files, (folder) => this.#watch(folder));
    this.#include = matcher(options.include ?? []);
    this.#ignore = matcher(options.ignore ?? []);
    const conditions = options.conditions ?? ["node", "import"];
    this.#oxc = new (loadOxc().ResolverFactory)({ ...DEFAULTS, conditionNames: [...conditions, "default"] });
  }

  /** What `specifier` means in `file`. */
  resolve(file: string, specifier: string): Resolved {
    const key = questionOf(file, specifier);
    let found = this.#known.get(key);
    if (!found) {
      this.#watched.set(key, (this.#watching = new Set()));
      this.#known.set(key, (found = this.#resolve(file, specifier)));
    }
    return found;
  }

  /** Takes notice of what has changed on disk: the files, and whether specifiers may have another meaning now. */
  refresh(): { readonly changed: readonly string[]; readonly resolved: boolean } {
    const changed = this.files.refresh();
    for (const path of changed) this.given.review(path);
    return { changed, resolved: this.#forget(changed) };
  }

  #forget(changed: readonly string[]): boolean {
    if (changed.some((path) => this.#configs.has(path) || this.#packages.has(path))) return this.clear();
    for (const [folder, stamp] of this.#folders) if (stampOf(folder) !== stamp) return this.clear();
    return false;
  }

  /** What the answers to these questions, which have been asked, hang on. */
  standing(questions: Iterable<readonly [file: string, specifier: string]>): Standing {
    const configs: Record<string, string> = {};
    const folders: Record<string, string> = {};
    for (const path of [...this.#configs.paths, ...this.#packages.consulted])
      configs[path] = this.files.read(path).digest;
    for (const [file, specifier] of questions)
      for (const path of this.#watched.get(questionOf(file, specifier)) ?? []) {
        const stamp = this.#folders.get(path) ?? "unknown";
        folders[path] = isRacy(stamp, this.#since) ? "racy" : stamp;
      }
    return { configs, folders };
  }

  clear(): true {
    this.#since = Date.now();
    this.#known.clear();
    this.#watched.clear();
    this.#folders.clear();
    this.#packages.clear();
    this.#configs.clear();
    this.#oxc.clearCache();
    return true;
  }

  #resolve(file: string, specifier: string): Resolved {
    if (specifier.startsWith("files:")) {
      const patterns: string[] = JSON.parse(specifier.slice("files:".length));
      const { paths, folders } = listFiles(dirname(file), this.#options.root, patterns);
      for (const each of folders) this.#watch(each);
      return { kind: "files", paths };
    }
    if (specifier === "kept" || specifier.startsWith("kept/")) return { kind: "name", name: specifier };
    if (this.#ignore(specifier)) return { kind: "name", name: specifier };
    const aliased = this.#alias(specifier);
    // Also those that this version of Node has not got, and those of other runtimes.
    if (/^(?:bun|cloudflare|workerd|deno):/.test(aliased)) return { kind: "name", name: aliased };
    if (isBuiltin(aliased) || aliased.startsWith("node:"))
      return { kind: "name", name: `node:${aliased.replace(/^node:/, "")}` };
    const bytes = CONTENT_QUERY.test(aliased);
    this.#configs.holdIn(dirname(file));
    const path = this.#find(file, aliased.replace(/\?.*$/, ""));
    if (path === undefined) return { kind: "unresolved" };
    this.#configs.holdIn(dirname(path));
    const installed = this.#packages.of(path);
    for (const each of this.#packages.consulted) this.files.read(each);
    if (installed && !this.#include(installed.name)) {
      this.#watch(installed.folder);
      for (const each of this.#packages.folders) this.#watch(each);
      return { kind: "package", package: installed, subpath: subpathOf(aliased, installed, path) };
    }
    this.#watch(dirname(path));
    return { kind: "file", path, bytes };
  }

  #find(file: string, specifier: string): string | undefined {
    if (specifier.startsWith(".")) {
      const place = join(dirname(file), specifier);
      this.#watch(dirname(place));
      if (!EXTENSION.test(place)) this.#watch(place);
    } else this.#configs.placesOf(dirname(file), specifier);
    // A path from the root of the site, as HTML and Vite write it.
    const request =
      specifier.startsWith("/") && !isInside(specifier, this.#options.root)
        ? join(this.#options.root, specifier)
        : specifier;
    return this.#oxc.resolveFileSync(file, request).path ?? this.#oxc.resolveFileSync(file, specifier).path;
  }

  #alias(specifier: string): string {
    for (const { find, replacement } of this.#options.alias ?? []) {
      if (typeof find !== "string") {
        if (find.test(specifier)) return specifier.replace(find, replacement);
      } else if (specifier === find || specifier.startsWith(find.endsWith("/") ? find : `${find}/`))
        return replacement + specifier.slice(find.length);
    }
    return specifier;
  }

  #watch(folder: string): void {
    this.#watching.add(folder);
    if (!this.#folders.has(folder)) this.#folders.set(folder, stampOf(folder));
  }
}

const questionOf = (file: string, specifier: string): string => `${dirname(file)}\0${specifier}`;

const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** `/map` of `lodash/map`; of an alias that leads into a package, the path in it. */
function subpathOf(specifier: string, { name, folder }: Package, path: string): string {
  if (specifier === name || specifier.startsWith(`${name}/`)) return specifier.slice(name.length);
  const installedAs = folder.replaceAll("\\", "/").split("/node_modules/").at(-1) as string;
  if (specifier === installedAs || specifier.startsWith(`${installedAs}/`)) return specifier.slice(installedAs.length);
  return path.slice((folderOf(path) ?? "").length).replaceAll("\\", "/");
}

/** `name` fits itself and what is below it; `@acme/*` everything that begins so. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  return (name) =>
    patterns.some((pattern) =>
      pattern.endsWith("*")
        ? name.startsWith(pattern.slice(0, -1))
        : name === pattern || name.startsWith(`${pattern}/`),
    );
}

/** A native module: loaded when there is something to resolve. */
const loadOxc = (): typeof import("oxc-resolver") => createRequire(import.meta.url)("oxc-resolver");
