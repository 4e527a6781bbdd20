/**
 * The graph between units, made as far as it is asked for: each reference of the facts led to the unit that it means,
 * through imports, barrels and namespaces.
 */
import { dirname, relative } from "node:path";
import type { HashNode } from "./components.ts";
import { digest } from "./digest.ts";
import type { ModuleFacts, Ref, Unit } from "./facts.ts";
import type { Module, Modules } from "./modules.ts";
import { type Resolved, someFiles } from "./resolve/index.ts";

export interface LinkNode extends HashNode {
  /** The file that it stands in, and those that had to be looked at to find its children. */
  readonly files: readonly string[];
  /** For people: `src/rides.ts#load`. */
  readonly file: string | null;
  readonly title: string;
  readonly line?: number;
  /** Why it could not be followed any further. */
  readonly doubts: readonly Doubt[];
  /** What was resolved to make it. As long as files and answers are the same, so is the node. */
  readonly resolved: readonly Answer[];
  /** Which files were looked for, were they there or not. */
  readonly sought: readonly string[];
}

/** The file and the specifier, with `\0` between them, and what it means there. */
export type Answer = readonly [question: string, answer: Resolved];

export interface Doubt {
  readonly what: string;
  readonly file: string;
  readonly line: number | null;
}

export interface LinkOptions {
  /** What the build writes in the place of a global: `process.env.NODE_ENV` → `"production"`. */
  readonly defines?: Readonly<Record<string, string>>;
  readonly jsxImportSource?: string;
}

type Resolve = (file: string, specifier: string) => Resolved;
type Made = Partial<LinkNode> & Pick<LinkNode, "label">;

/** Nodes are asked for by id: a kind, a file and what of it. */
export class Graph {
  readonly #modules: Modules;
  readonly #resolver: Resolve;
  readonly #options: LinkOptions;
  readonly #nodes = new Map<string, LinkNode>();
  /** Of the node that is being made: whose content was looked at, what could not be followed, what was resolved and sought. */
  readonly #looked = new Set<string>();
  #doubts: Doubt[] = [];
  readonly #answers = new Map<string, Resolved>();
  readonly #sought = new Set<string>();
  /** Most nodes stand on their own file alone, and share the list of it. */
  readonly #alone = new Map<string, readonly [string]>();

  constructor(modules: Modules, resolve: Resolve, options: LinkOptions) {
    this.#modules = modules;
    this.#resolver = resolve;
    this.#options = options;
  }

  node(id: string): LinkNode {
    let node = this.#nodes.get(id);
    if (!node) this.#nodes.set(id, (node = this.#make(id)));
    return node;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /**
   * Files have changed, and specifiers mean what they meant: makes those nodes anew that stood on one of them.
   *
   * @returns the ids of nodes that are another now
   */
  renew(changed: ReadonlySet<string>): string[] {
    const before = [...this.#nodes].filter(
      ([, { files, sought }]) => files.some((path) => changed.has(path)) || sought.some((path) => changed.has(path)),
    );
    for (const [id] of before) this.#nodes.delete(id);
    // A root is made by those who have its unit.
    return before.flatMap(([id, node]) => (kindOf(id) !== "root" && isSame(node, this.node(id)) ? [] : [id]));
  }

  /** Those that have been made. */
  get nodes(): ReadonlyMap<string, LinkNode> {
    return this.#nodes;
  }

  binding = (file: string, name: string): string => idOf("binding", file, name);

  effects = (file: string): string => idOf("effects", file);

  /** A unit that is no top-level one: an annotated function. */
  root(file: string, name: string, unit: Unit): string {
    const id = rootOf(file, name);
    // A site's id says where it is; `?load` was asked for by name.
    const title = name.startsWith("?") ? `${file}#${name.slice(1)}` : name;
    this.#nodes.set(id, this.#finish(file, this.#unit(file, unit, true), title));
    return id;
  }

  // ── one method a kind of node ──────────────────────────────────────────────────────────────────────────────────────

  #make(id: string): LinkNode {
    const [kind, file, name] = id.split("\0") as [Kind, string, string];
    switch (kind) {
      case "binding":
        return this.#finish(file, this.#binding(file, name), `${file}#${name}`);
      case "unit": {
        const unit = this.#facts(file)?.units[Number(name)];
        if (!unit) return this.#finish(file, { label: "gone" }, file);
        const { residue, places } = this.#facts(file) as ModuleFacts;
        const place = places[Number(name)];
        const whole = this.#unit(file, unit, !residue.includes(Number(name)));
        const made = place === undefined ? whole : { ...whole, label: `${whole.label} after ${place}` };
        return this.#finish(file, made, `${file}#${unit.names.join(",") || `line ${unit.line}`}`);
      }
      case "namespace":
        return this.#finish(file, this.#namespace(file), `${file}#*`);
      case "whole":
        return this.#finish(file, this.#whole(file), `${file}#module.exports`);
      case "residue":
      case "effects":
        return this.#finish(file, this.#effects(file, kind), `${file}#${kind}`);
      case "json":
        return this.#finish(
          file,
          { label: this.#json(file, JSON.parse(name)) },
          `${file}#${JSON.parse(name).join(".")}`,
        );
      case "bytes":
        return this.#finish(file, { label: `bytes:${this.#module(file).digest}` }, file);
      case "closure":
        return this.#finish(file, this.#closure(file), `${file} and all that it imports`);
      default:
        return this.#finish(null, { label: name, files: file ? file.split("\u0001") : [] }, name);
    }
  }

  #finish(file: string | null, made: Made, title: string): LinkNode {
    const { ordered = NOTHING, unordered = NOTHING } = made;
    const doubts = this.#doubts;
    const closure = file !== null && doubts.length > 0 ? [idOf("closure", file)] : NOTHING;
    const node: LinkNode = {
      label: made.label,
      ordered: closure.length > 0 ? [...ordered, ...closure] : ordered,
      unordered,
      files: this.#takeFiles(file, made.files),
      file,
      title,
      ...(made.line !== undefined && { line: made.line }),
      doubts: doubts.length > 0 ? doubts : NOTHING,
      resolved: this.#answers.size > 0 ? [...this.#answers] : NOTHING,
      sought: this.#sought.size > 0 ? [...this.#sought] : NOTHING,
    };
    if (doubts.length > 0) this.#doubts = [];
    this.#answers.clear();
    this.#sought.clear();
    return node;
  }

  #takeFiles(file: string | null, more: readonly string[] = NOTHING): readonly string[] {
    const looked = this.#looked;
    if (file !== null) looked.add(file);
    let files: readonly string[];
    if (file !== null && looked.size === 1 && more.length === 0) {
      let alone = this.#alone.get(file);
      if (!alone) this.#alone.set(file, (alone = [file]));
      files = alone;
    } else files = [...new Set([...looked, ...more])];
    looked.clear();
    return files;
  }

  #binding(file: string, name: string): Made {
    const facts = this.#facts(file);
    const binding = facts && own(facts.bindings, name);
    if (!binding) return { label: "undeclared" };
    return {
      label: `binding:${binding.declared.map(([, index]) => index).join(",")}`,
      ordered: [...binding.declared.map(([unit]) => unit), ...binding.running].map((unit) => idOf("unit", file, unit)),
      unordered: binding.contributors.map((unit) => idOf("unit", file, unit)),
    };
  }

  #unit(file: string, unit: Unit, withResidue: boolean): Made {
    const ordered: string[] = [];
    const counts: number[] = [];
    for (const ref of unit.refs) {
      const targets = this.#follow(file, ref);
      counts.push(targets.length);
      ordered.push(...targets);
    }
    for (const { what, line } of unit.unknowns) this.#doubts.push({ what, file, line });
    const facts = this.#facts(file);
    if (withResidue && facts && hasResidue(facts)) ordered.push(idOf("residue", file));
    const defined = this.#defined(unit);
    return { label: `unit:${unit.digest}:${counts.join(",")}${defined}`, ordered, line: unit.line };
  }

  /** Values that the build writes into this code. */
  #defined(unit: Unit): string {
    const { defines = {} } = this.#options;
    const found = Object.keys(defines).filter((name) =>
      unit.globals.some((path) => path === name || path.startsWith(`${name}.`)),
    );
    return found
      .map((name) => `:${name}=${defines[name]}`)
      .sort()
      .join("");
  }

  #namespace(file: string): Made {
    const names = this.#exportNames(file, new Set()).sort();
    const named = names.map((name) => [name, this.#lookup(file, [name])] as const).filter(([, ids]) => ids.length > 0);
    const stars = this.#externalStars(file, new Set());
    return {
      label: `namespace:${named.map(([name, ids]) => `${name}/${ids.length}`).join(",")}`,
      ordered: [...named.flatMap(([, ids]) => ids), idOf("effects", file)],
      unordered: stars,
    };
  }

  #whole(file: string): Made {
    const facts = this.#facts(file);
    if (!facts) return { label: "gone" };
    const isEffect = new Set(facts.effects);
    const units = facts.units.map((_, index) => idOf("unit", file, index));
    return {
      label: "whole",
      ordered: units.filter((_, index) => isEffect.has(index)),
      unordered: units.filter((_, index) => !isEffect.has(index)),
    };
  }

  /** Statements that run for their effect, and, of modules imported for theirs, all of them, in the order of execution. */
  #effects(file: string, kind: "residue" | "effects"): Made {
    return { label: kind, ordered: [...this.#effectsOf(file, kind, new Set())] };
  }

  #effectsOf(file: string, kind: "residue" | "effects", seen: Set<string>): ReadonlySet<string> {
    const facts = this.#facts(file);
    const found = new Set<string>();
    if (!facts || seen.has(file)) return found;
    seen.add(file);
    // Importing a barrel for its effect runs what it re-exports.
    const reexported = Object.values(facts.exports).flatMap((each) => ("from" in each ? [each.from] : []));
    for (const specifier of kind === "effects" ? [...facts.imported, ...facts.stars, ...reexported] : facts.imported) {
      // A style sheet changes no value.
      if (STYLE.test(specifier)) continue;
      const resolved = this.#resolve(file, specifier);
      if (resolved.kind === "file" && this.#module(resolved.path).kind === "code")
        for (const each of this.#effectsOf(resolved.path, "effects", seen)) found.add(each);
      else for (const each of this.#target(file, specifier, resolved, [])) found.add(each);
    }
    for (const unit of facts[kind]) found.add(idOf("unit", file, unit));
    return found;
  }

  /** A value in a JSON file, as far down as the path can be followed. */
  #json(file: string, path: readonly string[]): string {
    const module = this.#module(file);
    if (module.kind !== "json") return `bytes:${module.digest}`;
    let { value } = module as { value: unknown };
    for (const name of path) {
      if (typeof value !== "object" || value === null) break;
      if (!Object.hasOwn(value, name)) {
        // A method of arrays or objects sees all of it.
        if (Array.isArray(value) || name in Object.prototype) break;
        return "json:undefined";
      }
      value = (value as Record<string, unknown>)[name];
    }
    return `json:${digest(JSON.stringify(value))}`;
  }

  /** The bytes of a module and of everything that it imports: what is left where code can't be followed. */
  #closure(file: string): Made {
    const seen = new Set<string>();
    const names = new Set<string>();
    const queue = [file];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      for (const specifier of this.#facts(at)?.specifiers ?? []) {
        const resolved = this.#resolve(at, specifier);
        if (resolved.kind === "file") queue.push(resolved.path);
        else if (resolved.kind === "package") names.add(`${resolved.package.name}@${resolved.package.version}`);
      }
    }
    const digests = [...seen].map((each) => this.#module(each).digest);
    return { label: `closure:${digest([...digests, ...names].sort().join("\n"))}`, files: [...seen] };
  }

  // ── where a reference leads ────────────────────────────────────────────────────────────────────────────────────────

  #follow(file: string, ref: Ref): string[] {
    switch (ref.to) {
      case "binding":
        return [idOf("binding", file, ref.name)];
      case "unit":
        return [idOf("unit", file, ref.index)];
      case "jsx": {
        const source = ref.from ?? this.#options.jsxImportSource ?? "react";
        const resolved = this.#resolve(file, `${source}/jsx-runtime`);
        if (resolved.kind === "unresolved") return [leaf(`jsx:${source}`)];
        // Which of the three an element becomes is the compiler's affair.
        const names = resolved.kind === "file" ? ["jsx", "jsxs", "Fragment"] : ["jsx"];
        return names.flatMap((name) => this.#target(file, source, resolved, [name]));
      }
      case "files": {
        const resolved = this.#resolve(file, someFiles(ref.patterns));
        const paths = resolved.kind === "files" ? resolved.paths : [];
        const names = paths.map((path) => relative(dirname(file), path).replaceAll("\\", "/"));
        return [leaf(`files:${names.join(" ")}`), ...paths.map((path) => this.#everything(path))];
      }
      case "exports": {
        const facts = this.#facts(file);
        if (!facts?.commonjs) return [];
        const [name] = ref.names;
        const found = name === undefined || facts.commonjs === "whole" ? undefined : own(facts.exports, name);
        if (found && "binding" in found) return [idOf("binding", file, found.binding)];
        return [idOf("whole", file)];
      }
      case "asset": {
        const resolved = this.#resolve(file, /^[./]/.test(ref.from) ? ref.from : `./${ref.from}`);
        if (resolved.kind !== "file") return [leaf(`asset:${ref.from}`)];
        // `new Worker(new URL("./worker.ts", import.meta.url))` runs it.
        return this.#target(file, ref.from, resolved, []);
      }
      case "module": {
        const resolved = this.#resolve(file, ref.from);
        if (ref.bytes && resolved.kind === "file") return [idOf("bytes", resolved.path)];
        return this.#target(file, ref.from, resolved, ref.names);
      }
    }
  }

  #target(file: string, specifier: string, resolved: Resolved, names: readonly string[]): string[] {
    switch (resolved.kind) {
      case "package": {
        const { name, version, files } = resolved.package;
        return [leaf(`npm:${name}@${version}${resolved.subpath}#${names[0] ?? "*"}`, files)];
      }
      case "name":
        return [leaf(`${resolved.name}#${names[0] ?? "*"}`)];
      case "files":
      case "unresolved":
        if (STYLE.test(specifier)) return [leaf(`style:${specifier}`)];
        // Of a file that is nowhere, nothing can be found.
        if (this.#isOnDisk(file)) this.#doubts.push({ what: `"${specifier}" can't be resolved`, file, line: null });
        return [leaf(`unresolved:${specifier}#${names[0] ?? "*"}`)];
      case "file": {
        if (resolved.bytes) return [idOf("bytes", resolved.path)];
        if (names.length === 0 || WORKER.test(specifier)) return [this.#everything(resolved.path)];
        const found = this.#lookup(resolved.path, names);
        return found.length > 0 ? found : [leaf(`missing:${names[0]}`)];
      }
    }
  }

  #everything(path: string): string {
    const module = this.#module(path);
    switch (module.kind) {
      case "code":
        return idOf(module.facts.commonjs === "whole" ? "whole" : "namespace", path);
      case "json":
        return idOf("json", path, "[]");
      case "opaque":
        this.#doubts.push({ what: `it can't be read (${module.why})`, file: path, line: null });
        return idOf("bytes", path);
      case "bytes":
        return idOf("bytes", path);
    }
  }

  /** The nodes that the exported name (and, in a namespace, the name behind it) stands for; none: there is no such export. */
  #lookup(path: string, names: readonly string[], seen: ReadonlySet<string> = new Set()): string[] {
    const [name, ...rest] = names as [string, ...string[]];
    const module = this.#module(path);
    if (module.kind === "json") return [idOf("json", path, JSON.stringify(name === "default" ? rest : names))];
    if (module.kind !== "code") return [this.#everything(path)];
    const key = `${path}\0${name}`;
    if (seen.has(key)) return [];
    const visited = new Set([...seen, key]);
    const { facts } = module;
    if (facts.commonjs === "whole") return [idOf("whole", path)];
    const found = own(facts.exports, name);
    if (found && "binding" in found) return [idOf("binding", path, found.binding)];
    if (found) {
      const resolved = this.#resolve(path, found.from);
      if (found.bytes && resolved.kind === "file") return [idOf("bytes", resolved.path)];
      const further = found.name === null ? rest : [found.name, ...rest];
      const behind =
        resolved.kind !== "file" || resolved.bytes || further.length === 0
          ? this.#target(path, found.from, resolved, further)
          : this.#lookup(resolved.path, further, visited);
      return this.#through(path, facts, behind);
    }
    if (name === "default") return facts.commonjs === "named" ? [idOf("whole", path)] : [];
    // Of a module whose exports can't be told apart, every name may come.
    const maybe: string[] = [];
    for (const star of facts.stars) {
      const resolved = this.#resolve(path, star);
      if (resolved.kind !== "file") continue;
      const found = this.#lookup(resolved.path, names, visited);
      maybe.push(...found);
      if (found.length > 0 && !found.every((id) => OPAQUE.has(kindOf(id)))) return this.#through(path, facts, maybe);
    }
    // It may come from any package that is re-exported whole.
    const packages = facts.stars.flatMap((star) => {
      const resolved = this.#resolve(path, star);
      return resolved.kind === "file" ? [] : this.#target(path, star, resolved, [name]);
    });
    return this.#through(path, facts, [...maybe, ...packages]);
  }

  /** What is reached by way of a module that runs something of its own. */
  #through(path: string, facts: ModuleFacts, found: string[]): string[] {
    return found.length > 0 && hasResidue(facts) ? [...found, idOf("residue", path)] : found;
  }

  #exportNames(path: string, seen: Set<string>): string[] {
    const facts = this.#facts(path);
    if (!facts || seen.has(path)) return [];
    seen.add(path);
    const names = new Set(Object.keys(facts.exports));
    for (const star of facts.stars) {
      const resolved = this.#resolve(path, star);
      if (resolved.kind !== "file") continue;
      for (const name of this.#exportNames(resolved.path, seen)) if (name !== "default") names.add(name);
    }
    return [...names];
  }

  #externalStars(path: string, seen: Set<string>): string[] {
    const facts = this.#facts(path);
    if (!facts || seen.has(path)) return [];
    seen.add(path);
    return facts.stars.flatMap((star) => {
      const resolved = this.#resolve(path, star);
      if (resolved.kind === "file") return this.#externalStars(resolved.path, seen);
      return this.#target(path, star, resolved, []);
    });
  }

  #facts(path: string): ModuleFacts | undefined {
    const module = this.#module(path);
    return module.kind === "code" ? module.facts : undefined;
  }

  // ── what is asked of the project, and noted ────────────────────────────────────────────────────────────────────────

  #module(path: string): Module {
    this.#looked.add(path);
    return this.#modules.get(path);
  }

  #isOnDisk(path: string): boolean {
    this.#sought.add(path);
    return this.#modules.isOnDisk(path);
  }

  #resolve(file: string, specifier: string): Resolved {
    const resolved = this.#resolver(file, specifier);
    this.#answers.set(`${file}\0${specifier}`, resolved);
    return resolved;
  }
}

const NOTHING: readonly never[] = [];

/** With the same hash as long as its children have theirs, and the same to say. */
const isSame = (one: LinkNode, other: LinkNode): boolean =>
  one.label === other.label &&
  one.title === other.title &&
  one.doubts.length + other.doubts.length === 0 &&
  areSame(one.ordered, other.ordered) &&
  areSame(one.unordered, other.unordered) &&
  areSame(one.files, other.files);

const areSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((each, index) => each === others[index]);

/** A module may export `toString`, and facts from disk are objects like any other. */
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

export type Kind =
  | "binding"
  | "unit"
  | "root"
  | "namespace"
  | "whole"
  | "residue"
  | "effects"
  | "json"
  | "bytes"
  | "closure"
  | "leaf";

/** A style sheet changes no value. */
const hasResidue = ({ residue, imported }: ModuleFacts): boolean =>
  residue.length > 0 || imported.some((each) => !STYLE.test(each));

const OPAQUE: ReadonlySet<Kind> = new Set(["whole", "bytes"]);

/** `?worker`: what is imported is not what it exports. */
const WORKER = /[?&](?:shared)?worker\b/;
const STYLE = /\.(?:css|scss|sass|less|styl|stylus|pcss|postcss)(?:\?|$)/;

const idOf = (kind: Kind, file: string, name: string | number = ""): string => `${kind}\0${file}\0${name}`;
export const rootOf = (file: string, name: string): string => idOf("root", file, name);
export const kindOf = (id: string): Kind => id.slice(0, id.indexOf("\0")) as Kind;
const leaf = (label: string, files: readonly string[] = []): string => idOf("leaf", files.join("\u0001"), label);
