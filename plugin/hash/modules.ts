/** Every file that the code reaches, read once: source as facts, JSON as its value, anything else as bytes. */
import type * as ir from "../core/ir.ts";
import { inferScopes } from "../core/scope.ts";
import { FACTS_VERSION, type ModuleFacts } from "./facts.ts";
import { type FactsReading, readFacts } from "./read-facts.ts";
import type { Files } from "./resolve/files.ts";
import type { Given } from "./resolve/given.ts";

export type Module =
  | { readonly kind: "code"; readonly facts: ModuleFacts; readonly digest: string }
  | { readonly kind: "json"; readonly value: unknown; readonly digest: string }
  | { readonly kind: "bytes"; readonly digest: string }
  /** Source that can't be read: `why` says so. */
  | { readonly kind: "opaque"; readonly digest: string; readonly why: string };

/** Where facts outlive the process. */
export interface FactsStore {
  get(key: string): ModuleFacts | undefined;
  set(key: string, facts: ModuleFacts): void;
}

export type ReadProgram = (source: string, filename: string) => ir.Program;

export class Modules {
  readonly #files: Files;
  readonly #read: ReadProgram;
  readonly #store: FactsStore | undefined;
  readonly #known = new Map<string, Module>();
  readonly #given: Given;
  /** Given files whose facts still hold on to their trees, the oldest first. */
  readonly #open = new Set<string>();
  /** Digests of those that no longer do: what is asked of them is read again. */
  readonly #closed = new Map<string, string>();

  constructor(
    { files, given }: { readonly files: Files; readonly given: Given },
    read: ReadProgram,
    store?: FactsStore,
  ) {
    this.#files = files;
    this.#given = given;
    this.#read = read;
    this.#store = store;
  }

  get(path: string): Module {
    let found = this.#known.get(path);
    if (!found) this.#known.set(path, (found = this.#load(path)));
    return found;
  }

  /**
   * What a host is about to transform. True where something else was known.
   *
   * @param reading where the source has been read; else it is read when it is asked for
   */
  give(path: string, source: string, reading?: FactsReading): boolean {
    const known = this.#known.get(path);
    const content = this.#given.set(path, source);
    if (known?.kind === "code" && known.digest === content) return false;
    const before = known?.digest ?? this.#closed.get(path);
    if (reading) {
      this.#known.set(path, { kind: "code", facts: reading.facts, digest: content });
      this.#keepOpen(path);
    } else this.#known.delete(path);
    return before !== undefined && before !== content;
  }

  forget(path: string): void {
    this.#known.delete(path);
    this.#closed.delete(path);
  }

  /** The trees of a whole project would be a thousand times its facts. */
  #keepOpen(path: string): void {
    this.#open.delete(path);
    this.#open.add(path);
    if (this.#open.size <= OPEN) return;
    const [oldest = path] = this.#open;
    const { digest: content } = this.#known.get(oldest) ?? {};
    this.#open.delete(oldest);
    this.#known.delete(oldest);
    if (content !== undefined) this.#closed.set(oldest, content);
  }

  isOnDisk(path: string): boolean {
    return this.#files.read(path).isThere;
  }

  get size(): number {
    return this.#known.size;
  }

  #load(path: string): Module {
    const given = this.#given.get(path);
    if (given) return this.#readSource(path, given.source, given.digest);
    const { text, digest: onDisk } = this.#files.read(path);
    if (SOURCE.test(path) && text !== null) return this.#readSource(path, text, onDisk);
    if (/\.json$/.test(path) && text !== null) {
      try {
        return { kind: "json", value: JSON.parse(text), digest: onDisk };
      } catch {
        return { kind: "bytes", digest: onDisk };
      }
    }
    if (COMPONENT.test(path)) return { kind: "opaque", digest: onDisk, why: "its compiler is not known here" };
    return { kind: "bytes", digest: onDisk };
  }

  #readSource(path: string, source: string, content: string): Module {
    const key = `${FACTS_VERSION}-${/\.[cm]?[jt]sx?$/.exec(path)?.[0].slice(1)}-${content}`;
    const kept = this.#store?.get(key);
    if (kept) return { kind: "code", facts: kept, digest: content };
    let program: ir.Program;
    try {
      program = this.#read(source, path);
    } catch (error) {
      return { kind: "opaque", digest: content, why: (error as Error).message.split("\n", 1)[0] as string };
    }
    const facts = settle(readFacts(program, inferScopes(program), source).facts);
    this.#store?.set(key, facts);
    return { kind: "code", facts, digest: content };
  }
}

/** All of it made, and nothing held on to. */
const settle = (facts: ModuleFacts): ModuleFacts => ({ ...facts, units: [...facts.units] });

/** At some 300 kB each. */
const OPEN = 50;

const SOURCE = /\.[cm]?[jt]sx?$/;
/** Source in a language around JavaScript, whose imports can't be seen here. */
const COMPONENT = /\.(?:vue|svelte|astro|mdx|marko)$/;
