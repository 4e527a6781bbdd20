/**
 * The code hash of functions, in a project whose files may change under it: facts, then links, then hashes. One project
 * serves every file of a build, and every build of a watcher.
 */
import { hashFrom } from "./components.ts";
import { codeHash } from "./digest.ts";
import type { ModuleFacts, Unit } from "./facts.ts";
import { type Grounds, groundsOf } from "./grounds.ts";
import { type Doubt, Graph, kindOf, type LinkNode, type LinkOptions, rootOf } from "./link.ts";
import { type FactsStore, Modules, type ReadProgram } from "./modules.ts";
import type { FactsReading } from "./read-facts.ts";
import { cacheFolderOf } from "./resolve/disk.ts";
import { FactsCache } from "./resolve/facts-cache.ts";
import { type ResolveOptions, Resolver } from "./resolve/index.ts";

export interface ProjectOptions extends ResolveOptions, LinkOptions {
  /** Where facts are kept between builds; `false`: nowhere. Default: `node_modules/.cache/kept`. */
  readonly cache?: string | false;
}

export interface CodeHash {
  /** `h1:` + 128 bits. */
  readonly hash: string;
  /** Absolute paths of the files that it depends on, the function's own included. Sorted. */
  readonly files: readonly string[];
  readonly doubts: readonly FoundDoubt[];
}

/** Something that can't be followed, and the way to it. */
export interface FoundDoubt extends Doubt {
  /** `src/rides.ts#load`, `src/parse.ts#parse`. */
  readonly path: readonly string[];
}

export interface RootUnit {
  /** Unique in its file. */
  readonly name: string;
  readonly unit: Unit;
}

export class Project {
  readonly #resolver: Resolver;
  readonly #modules: Modules;
  readonly #options: ProjectOptions;
  /** What is left out of paths in messages. */
  readonly #prefix: string;
  #graph: Graph;
  #hashes = new Map<string, string>();
  #results = new Map<string, CodeHash>();

  constructor(read: ReadProgram, options: ProjectOptions, store?: FactsStore, resolver = new Resolver(options)) {
    this.#options = options;
    this.#prefix = `${options.root.replaceAll("\\", "/").replace(/\/$/, "")}/`;
    this.#resolver = resolver;
    this.#modules = new Modules(this.#resolver, read, store);
    this.#graph = this.#newGraph();
  }

  /**
   * Hashes of functions of one file.
   *
   * @param source the file as the host has it, which need not be what is on disk
   */
  hash(file: string, source: string, reading: FactsReading, roots: readonly RootUnit[]): CodeHash[] {
    this.refresh();
    this.give(file, source, reading);
    return this.hashNow(file, roots);
  }

  /** Source that holds, in the place of what is on disk, until that changes. */
  give(file: string, source: string, reading?: FactsReading): void {
    if (this.#modules.give(file, source, reading)) this.#renew([file]);
  }

  /** {@link hash} of the project as it was at the last {@link refresh}: for a build, which need not look again and again. */
  hashNow(file: string, roots: readonly RootUnit[]): CodeHash[] {
    return this.#hashAll(roots.map(({ name, unit }) => this.#graph.root(file, name, unit)));
  }

  /** What the hashes of these functions of a file stand on. */
  grounds(file: string, names: readonly string[]): Grounds {
    return groundsOf(this.#nodesFrom(names.map((name) => rootOf(file, name))), this.#resolver);
  }

  /** Hashes of top-level names, as importers of them see them. */
  bindings(names: readonly (readonly [file: string, name: string])[]): CodeHash[] {
    this.refresh();
    return this.#hashAll(names.map(([file, name]) => this.#graph.binding(file, name)));
  }

  /** The hash of everything that a file runs for its effect. */
  effects(file: string): CodeHash {
    this.refresh();
    const [hash] = this.#hashAll([this.#graph.effects(file)]);
    return hash as CodeHash;
  }

  /** What is known of a file since the last {@link refresh}: `undefined` where it is no source that can be read. */
  facts(file: string): ModuleFacts | undefined {
    const module = this.#modules.get(file);
    return module.kind === "code" ? module.facts : undefined;
  }

  /** What a root of {@link hash} reaches: each node once, by the shortest way. */
  *reach(root: string): Generator<{ readonly id: string; readonly node: LinkNode; readonly from: string | null }> {
    const from = new Map<string, string | null>([[root, null]]);
    for (const [id, parent] of from) {
      const node = this.#graph.node(id);
      yield { id, node, from: parent };
      for (const child of [...node.ordered, ...node.unordered]) if (!from.has(child)) from.set(child, id);
    }
  }

  titleOf(id: string): string {
    return this.#graph.node(id).title;
  }

  /** Does `id` change `parent`, rather than being used by it? */
  isContributor(parent: string, id: string): boolean {
    const { label, ordered, unordered } = this.#graph.node(parent);
    if (kindOf(parent) !== "binding") return false;
    const declared = label.split(",").length;
    return ordered.indexOf(id) >= declared || (unordered.includes(id) && !ordered.includes(id));
  }

  #hashAll(roots: readonly string[]): CodeHash[] {
    const hashes = roots.map((root) => this.#hash(root));
    this.#modules.store();
    return hashes;
  }

  #hash(root: string): CodeHash {
    // A site is made anew each time, under the same id.
    if (root.startsWith("root\0")) this.#forgetHash(root);
    let found = this.#results.get(root);
    if (!found) this.#results.set(root, (found = this.#hashAnew(root)));
    return found;
  }

  #hashAnew(root: string): CodeHash {
    const hash = codeHash(hashFrom(root, (id) => this.#graph.node(id), this.#hashes));
    const files = new Set<string>();
    const lists = new Set<readonly string[]>();
    let isDoubtful = false;
    for (const node of this.#nodesFrom([root])) {
      if (node.doubts.length > 0) isDoubtful = true;
      if (lists.has(node.files)) continue;
      lists.add(node.files);
      for (const file of node.files) files.add(file);
    }
    return { hash, files: [...files].sort(), doubts: isDoubtful ? this.#doubtsOf(root) : [] };
  }

  /** As {@link reach} has them, without the ways to them. */
  #nodesFrom(roots: readonly string[]): LinkNode[] {
    const nodes: LinkNode[] = [];
    const seen = new Set(roots);
    for (const id of seen) {
      const node = this.#graph.node(id);
      nodes.push(node);
      for (const child of node.ordered) seen.add(child);
      for (const child of node.unordered) seen.add(child);
    }
    return nodes;
  }

  #doubtsOf(root: string): FoundDoubt[] {
    const doubts: FoundDoubt[] = [];
    const parents = new Map<string, string | null>();
    for (const { id, node, from } of this.reach(root)) {
      parents.set(id, from);
      for (const doubt of node.doubts) doubts.push({ ...doubt, path: this.#pathTo(id, parents) });
    }
    return doubts;
  }

  #pathTo(id: string, parents: ReadonlyMap<string, string | null>): string[] {
    const path: string[] = [];
    for (let at: string | null | undefined = id; at; at = parents.get(at)) {
      const title = this.#graph.node(at).title.replaceAll(this.#prefix, "");
      // A binding and its unit have one name.
      if (path[0] !== title) path.unshift(title);
    }
    return path;
  }

  /** Takes notice of every file that has changed since. */
  refresh(): void {
    const { changed, resolved } = this.#resolver.refresh();
    for (const path of changed) this.#modules.forget(path);
    if (resolved) this.#reset();
    else if (changed.length > 0) this.#renew(changed);
  }

  #reset(): void {
    this.#graph = this.#newGraph();
    this.#hashes = new Map();
    this.#results = new Map();
  }

  /** Files are not what they were, but the meaning of specifiers is: what doesn't hang on them stays. */
  #renew(changed: readonly string[]): void {
    const others = this.#graph.renew(new Set(changed));
    if (others.length === 0) return;
    const parents = new Map<string, string[]>();
    for (const [id, { ordered, unordered }] of this.#graph.nodes)
      for (const child of [...ordered, ...unordered]) {
        const known = parents.get(child);
        if (known) known.push(id);
        else parents.set(child, [id]);
      }
    const affected = new Set(others);
    for (const id of affected) {
      this.#forgetHash(id);
      for (const parent of parents.get(id) ?? []) affected.add(parent);
    }
  }

  #forgetHash(id: string): void {
    this.#hashes.delete(id);
    this.#results.delete(id);
  }

  #newGraph(): Graph {
    return new Graph(this.#modules, (file, specifier) => this.#resolver.resolve(file, specifier), this.#options);
  }
}

const projects = new WeakMap<ReadProgram, Map<string, Project>>();

/** The project of these options, shared by all who read with the same parser. */
export function openProject(read: ReadProgram, options: ProjectOptions): Project {
  let known = projects.get(read);
  if (!known) projects.set(read, (known = new Map()));
  const key = JSON.stringify(options, (_, value) => (value instanceof RegExp ? String(value) : value));
  let project = known.get(key);
  if (!project) {
    const folder = options.cache === false ? undefined : (options.cache ?? cacheFolderOf(options.root));
    project = new Project(read, options, folder === undefined ? undefined : new FactsCache(folder));
    known.set(key, project);
  }
  return project;
}
