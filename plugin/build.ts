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
import { digest } from "./hash/digest.ts";
import { type Grounds, stillHold } from "./hash/grounds.ts";
import type { CodeHash, Project } from "./hash/project.ts";
import { cacheFolderOf, Disk } from "./hash/resolve/disk.ts";
import { Resolver } from "./hash/resolve/index.ts";
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
  hashed?: { readonly hashes: readonly CodeHash[]; readonly grounds: Grounds };
}

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

export class Build {
  readonly #options: BuildOptions;
  readonly #resolver: Resolver;
  readonly #cache: string | undefined;
  readonly #disk: Disk | undefined;
  /** By path. */
  readonly #entries = new Map<string, Entry>();
  readonly #identity: string;
  #project: Project | undefined;
  #looks: "each time" | "at the next call" | "no more" = "each time";

  constructor(options: BuildOptions) {
    const { root, hash = {}, route = "swc" } = options;
    this.#options = options;
    this.#resolver = new Resolver({ ...hash, root });
    this.#cache = hash.cache === false ? undefined : (hash.cache ?? cacheFolderOf(root));
    this.#disk = this.#cache === undefined ? undefined : new Disk(join(this.#cache, "builds"), MOST);
    this.#identity = JSON.stringify([SCHEME, versionOfKept(), route, parserVersion(route), keyOf(options)]);
  }

  /** From now on files are looked at once a build, and this is the next. Else they are looked at for every call. */
  begin(): void {
    this.#looks = "at the next call";
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
    const kept = known?.source === content ? known : await this.#compile(source, path, content, options);
    const entry = { name, path, source, options, kept };
    this.#entries.set(path, entry);
    if (this.#project) this.#project.give(path, source);
    else this.#resolver.given.set(path, source);
    if (kept !== known && !kept.draft) this.#write(entry);
    return entry;
  }

  async #compile(source: string, path: string, content: string, options: FileOptions): Promise<Kept> {
    const { route = "swc", root, hash = {} } = this.#options;
    const compiler = await import("./compile.ts");
    const made = compiler.draft(route, source, { ...options, root, hash });
    if (made?.reading) (await this.#openProject()).give(path, source, made.reading);
    return { source: content, draft: made?.draft ?? null, isCompiled: made?.isCompiled ?? false };
  }

  // ── its hashes ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #complete(entry: Entry, draft: Draft): Promise<TransformResult> {
    const { source, options, kept } = entry;
    if (!kept.hashed || !stillHold(kept.hashed.grounds, this.#resolver)) await this.#hash(entry, draft);
    const hashes = kept.hashed?.hashes ?? [];
    return complete(draft, source, { filename: options.filename, root: this.#options.root }, hashes);
  }

  async #hash(entry: Entry, { roots }: Draft): Promise<void> {
    const { path, kept } = entry;
    const project = await this.#openProject();
    const hashes = project.hashNow(path, roots);
    const grounds = project.grounds(
      path,
      roots.map(({ name }) => name),
    );
    kept.hashed = { hashes, grounds };
    this.#write(entry);
  }

  async #openProject(): Promise<Project> {
    const { route = "swc", root, hash = {} } = this.#options;
    const compiler = await import("./compile.ts");
    return (this.#project ??= compiler.projectOver(this.#resolver, route, { ...hash, root }, this.#cache));
  }

  #look(): void {
    if (this.#looks === "no more") return;
    if (this.#project) this.#project.refresh();
    else this.#resolver.refresh();
    if (this.#looks === "at the next call") this.#looks = "no more";
  }

  // ── from build to build ────────────────────────────────────────────────────────────────────────────────────────────

  #readKept(name: string): Kept | undefined {
    const content = this.#disk?.get(name);
    return content === undefined ? undefined : JSON.parse(content);
  }

  #write({ name, kept }: Entry): void {
    this.#disk?.set(name, JSON.stringify(kept));
  }
}

/** Raised when something else is kept, or something else is written for the same source by the same version. */
const SCHEME = 1;

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
