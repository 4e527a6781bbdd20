/**
 * The files of a build, for a host: each as the last build has left it, where its source is the same and everything that
 * its code hashes stand on still holds; else compiled anew. A build in which nothing has changed loads no parser.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Diagnostic } from "./core/diagnostics.ts";
import { mayHoldDirective } from "./core/directive.ts";
import { complete, type Draft, type SourceMap, type TransformResult } from "./core/draft.ts";
import { absolutePath } from "./core/paths.ts";
import type { Route } from "./core/transform.ts";
import { digest } from "./hash/digest.ts";
import { type Grounds, haveSameContents, haveSameMeanings } from "./hash/grounds.ts";
import type { CodeHash, Project } from "./hash/project.ts";
import { cacheFolderOf, Disk } from "./hash/resolve/disk.ts";
import type { FactsCache } from "./hash/resolve/facts-cache.ts";
import { Files } from "./hash/resolve/files.ts";
import { Given } from "./hash/resolve/given.ts";
import type { Resolver } from "./hash/resolve/index.ts";
import { haveSameConfigs, haveSameFiles, type Standing } from "./hash/resolve/standing.ts";
import type { PluginOptions } from "./options.ts";
import { ownPackage, versionOfKept } from "./own-package.ts";

export interface BuildOptions extends PluginOptions {
  readonly root: string;
}

export interface FileOptions {
  /** As the host names it, with its query. */
  readonly filename: string;
  readonly system?: "module" | "commonjs";
  /** Import the hashes from this module, instead of writing them down. */
  readonly hashModule?: string;
}

/** What a host is given. */
export interface Output {
  readonly code: string;
  readonly map: SourceMap;
  /** Absolute paths to watch; none where the module of hashes is imported, which watches them itself. */
  readonly files: readonly string[];
  /** Warnings. Errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
  /** Did the file reach us already compiled? */
  readonly isCompiled: boolean;
}

/** The hashes of one file, as they are now. */
export interface Hashes {
  /** Site id → hash. */
  readonly codes: ReadonlyMap<string, string>;
  /** Absolute paths to watch, the file's own first. */
  readonly files: readonly string[];
  /** What they can't follow. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What is kept of a file from build to build. Plain data. */
interface Kept {
  readonly source: string;
  /** `null`: the source holds no directive after all. */
  readonly draft: Draft | null;
  readonly isCompiled: boolean;
  hashed?: Hashed;
}

interface Hashed {
  readonly hashes: readonly CodeHash[];
  readonly grounds: Grounds;
  /** What its specifiers hang on: the folders, and the name under which the configurations are kept, since many share them. */
  standing: { readonly folders: Standing["folders"]; readonly configs: string };
}

type Compiler = typeof import("./compile.ts") & { readonly route: Route };

/** A file of this build. */
interface Entry {
  readonly name: string;
  readonly path: string;
  readonly source: string;
  readonly options: FileOptions;
  readonly kept: Kept;
}

/** At some 20 kB each, 40 MB. */
const MOST = 2000;

/** Milliseconds: longer than most builds take from their first file to the last. */
const LATER = 2000;
/** Builds that have something to write. */
const unwritten = new Set<Build>();
let isWatchingExit = false;

function flushAll(): void {
  for (const build of unwritten) build.flush();
}

export class Build {
  readonly #options: BuildOptions;
  readonly #files = new Files();
  readonly #given = new Given(this.#files);
  readonly #cache: string | undefined;
  readonly #disk: Disk | undefined;
  /** By path. */
  readonly #entries = new Map<string, Entry>();
  readonly #identity: string;
  #resolver: Resolver | undefined;
  #project: Project | undefined;
  /** Names of configurations → whether they are the same now. */
  readonly #configs = new Map<string, boolean>();
  /** Of folders, as they are now. */
  readonly #stamps = new Map<string, string>();
  #looks: "each time" | "at the next call" | "no more" = "each time";
  #facts: FactsCache | undefined;
  #writing: NodeJS.Timeout | undefined;

  constructor(options: BuildOptions) {
    const { root, hash = {}, route = "swc" } = options;
    this.#options = options;
    this.#cache = hash.cache === false ? undefined : (hash.cache ?? cacheFolderOf(root));
    this.#disk = this.#cache === undefined ? undefined : new Disk(join(this.#cache, "builds"), MOST, this.#writeLater);
    this.#identity = JSON.stringify([SCHEME, versionOfKept(), route, parserVersion(route), keyOf(options)]);
  }

  /** From now on files are looked at once a build, and this is the next. Else they are looked at for every call. */
  begin(): void {
    this.#looks = "at the next call";
  }

  /** Loads what the files of a project need of which nothing is kept. Rejects where that is missing. */
  async prepare(): Promise<void> {
    if (!this.#disk?.isThere()) this.#openProject(await this.#openCompiler());
  }

  /** `undefined`: there is nothing to do. Rejects with a TransformError. */
  async transform(source: string, options: FileOptions): Promise<Output | undefined> {
    if (!mayHoldDirective(source)) return undefined;
    this.#look();
    const entry = await this.#enter(source, options);
    const { draft, isCompiled } = entry.kept;
    if (!draft) return undefined;
    // A module of hashes is no use to CommonJS, which has them in the text.
    const isWhole = options.hashModule !== undefined && !draft.standIns.some((each) => draft.code.includes(each));
    if (isWhole) return { code: draft.code, map: draft.map, files: [], diagnostics: draft.diagnostics, isCompiled };
    const { code, map, files, diagnostics } = await this.#complete(entry, draft);
    return { code, map, files: [ownPackage(), ...files], diagnostics, isCompiled };
  }

  /** For the module of hashes. */
  async hashes(path: string, options: FileOptions): Promise<Hashes> {
    this.#look();
    // A host with a cache of its own need not have transformed the file in this process.
    const entry = this.#entries.get(path) ?? (await this.#enter(readFileSync(path, "utf8"), options));
    const { draft } = entry.kept;
    if (!draft) return { codes: new Map(), files: [path], diagnostics: [] };
    const { sites, files, diagnostics } = await this.#complete(entry, { ...draft, diagnostics: [] });
    return {
      codes: new Map(sites.map(({ id, code }) => [id, code])),
      files: [path, ownPackage(), ...files],
      diagnostics,
    };
  }

  // ── a file's draft ─────────────────────────────────────────────────────────────────────────────────────────────────

  async #enter(source: string, options: FileOptions): Promise<Entry> {
    const path = absolutePath(this.#options.root, options.filename);
    const content = digest(source);
    const { filename, system, hashModule } = options;
    const name = digest(JSON.stringify([this.#identity, filename, system, hashModule]));
    const before = this.#entries.get(path);
    const known = before?.name === name ? before.kept : this.#readKept(name);
    if (known?.source === content) return this.#keep({ name, path, source, options, kept: known });
    // What follows is done in one go, also where many files wait: the tree of each is used up before that of the next is
    // made. Of many at once, most would be read a second time, and the collector would carry all of them along.
    const compiler = await this.#openCompiler();
    const { root, hash = {} } = this.#options;
    const made = compiler.draft(compiler.route, source, { ...options, root, hash });
    const kept = { source: content, draft: made?.draft ?? null, isCompiled: made?.isCompiled ?? false };
    if (made?.reading) this.#openProject(compiler).give(path, source, made.reading);
    const entry = this.#keep({ name, path, source, options, kept });
    if (made) this.#hash(entry, made.draft, compiler);
    else this.#write(entry);
    return entry;
  }

  #keep(entry: Entry): Entry {
    const { path, source } = entry;
    this.#entries.set(path, entry);
    if (this.#project) this.#project.give(path, source);
    else this.#given.set(path, source);
    return entry;
  }

  // ── its hashes ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #complete(entry: Entry, draft: Draft): Promise<TransformResult> {
    const { source, options, kept } = entry;
    if (!(await this.#holds(entry))) this.#hash(entry, draft, await this.#openCompiler());
    const hashes = kept.hashed?.hashes ?? [];
    return complete(draft, source, { filename: options.filename, root: this.#options.root }, hashes);
  }

  async #holds(entry: Entry): Promise<boolean> {
    const { hashed } = entry.kept;
    if (!hashed || !haveSameContents(hashed.grounds, this.#files, this.#given)) return false;
    const { folders, configs } = hashed.standing;
    // What a package depends on is found in more folders than are looked at.
    const isClosure = this.#options.hash?.packages === "closure";
    if (!isClosure && haveSameFiles(folders, this.#stamps) && this.#haveSameConfigs(configs)) return true;
    const resolver = this.#openResolver(await import("./hash/resolve/index.ts"));
    if (!haveSameMeanings(hashed.grounds, resolver)) return false;
    hashed.standing = this.#standingOf(hashed.grounds, resolver);
    this.#write(entry);
    return true;
  }

  #hash(entry: Entry, { roots }: Draft, compiler: Compiler): void {
    const { path, kept } = entry;
    const project = this.#openProject(compiler);
    const hashes = project.hashNow(path, roots);
    const grounds = project.grounds(
      path,
      roots.map(({ name }) => name),
    );
    kept.hashed = { hashes, grounds, standing: this.#standingOf(grounds, this.#openResolver(compiler)) };
    this.#write(entry);
  }

  // ── what is loaded when the last build's work won't do ─────────────────────────────────────────────────────────────

  async #openCompiler(): Promise<Compiler> {
    const compiler = await import("./compile.ts");
    return { ...compiler, route: await compiler.openRoute(this.#options.route ?? "swc") };
  }

  #openProject(compiler: Compiler): Project {
    const { root, hash = {} } = this.#options;
    if (this.#cache !== undefined) this.#facts ??= new compiler.FactsCache(this.#cache, this.#writeLater);
    const resolver = this.#openResolver(compiler);
    return (this.#project ??= compiler.projectOver(resolver, compiler.route, { ...hash, root }, this.#facts));
  }

  #openResolver({ Resolver }: Pick<Compiler, "Resolver">): Resolver {
    const { root, hash = {} } = this.#options;
    return (this.#resolver ??= new Resolver({ ...hash, root }, this.#files, this.#given));
  }

  #look(): void {
    if (this.#looks === "no more") return;
    this.#configs.clear();
    this.#stamps.clear();
    if (this.#project) this.#project.refresh();
    else if (this.#resolver) this.#resolver.refresh();
    else for (const path of this.#files.refresh()) this.#given.review(path);
    if (this.#looks === "at the next call") this.#looks = "no more";
  }

  // ── from build to build ────────────────────────────────────────────────────────────────────────────────────────────

  #readKept(name: string): Kept | undefined {
    const content = this.#disk?.get(name);
    return content === undefined ? undefined : JSON.parse(content);
  }

  #write({ name, kept }: Entry): void {
    this.#disk?.set(name, () => JSON.stringify(kept));
  }

  /** The host is done with its files: what is to be kept is written while it does the rest. */
  end(): void {
    setImmediate(() => this.flush());
    // A project without a directive is one of which nothing is to be prepared.
    this.#disk?.open();
  }

  /** Writes down what is to be kept. */
  flush(): void {
    clearTimeout(this.#writing);
    unwritten.delete(this);
    this.#disk?.flush();
    this.#facts?.flush();
  }

  /** No file of the host waits for it. Not every host says when it is done, and a process may end at any time. */
  readonly #writeLater = (): void => {
    if (unwritten.has(this)) return;
    if (!isWatchingExit) process.once("exit", flushAll);
    isWatchingExit = true;
    unwritten.add(this);
    this.#writing = setTimeout(() => this.flush(), LATER).unref();
  };

  #haveSameConfigs(name: string): boolean {
    let found = this.#configs.get(name);
    if (found === undefined) {
      const content = this.#disk?.get(name);
      found = content !== undefined && haveSameConfigs(JSON.parse(content), this.#files);
      this.#configs.set(name, found);
    }
    return found;
  }

  #standingOf({ resolved }: Grounds, resolver: Resolver): Hashed["standing"] {
    const questions = Object.entries(resolved).flatMap(([file, answers]) =>
      Object.keys(answers).map((specifier) => [file, specifier] as const),
    );
    const { configs, folders } = resolver.standing(questions);
    const content = JSON.stringify(configs);
    const name = digest(content);
    if (!this.#configs.has(name)) this.#disk?.set(name, () => content);
    this.#configs.set(name, true);
    return { folders, configs: name };
  }
}

/** Raised when something else is kept, or something else is written for the same source by the same version. */
const SCHEME = 2;

/** Options as text, which is the same where they say the same. */
export function keyOf(options: object): string {
  return JSON.stringify(options, (_, value) => (value instanceof RegExp ? String(value) : value));
}

/** Another parser may read the same source another way. Asked without loading it. */
function parserVersion(route: "swc" | "babel"): string {
  const manifest = `${route === "swc" ? "@swc/core" : "@babel/core"}/package.json`;
  try {
    return JSON.parse(readFileSync(createRequire(import.meta.url).resolve(manifest), "utf8")).version;
  } catch {
    // Not installed: what is kept may do, and if not, the route says what is missing.
    return "none";
  }
}
