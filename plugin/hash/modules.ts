/** Every file that the code reaches, read once: source as facts, JSON as its value, anything else as bytes. */
import type * as ir from "../core/ir.ts";
import { inferScopes } from "../core/scope.ts";
import { FACTS_VERSION, type ModuleFacts } from "./facts.ts";
import { completed, madeOf, noneMadeOf, type PartialFacts } from "./partial-facts.ts";
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
  get(key: string): PartialFacts | undefined;
  set(key: string, facts: PartialFacts): void;
}

export type ReadProgram = (source: string, filename: string) => ir.Program;

export class Modules {
  readonly #files: Files;
  readonly #read: ReadProgram;
  readonly #store: FactsStore | undefined;
  readonly #known = new Map<string, Module>();
  readonly #given: Given;
  /** Facts that hold on to their trees, by content, the oldest first: of others what is asked for is read again. */
  readonly #open = new Map<string, ModuleFacts>();
  /** Files of which more is known than is stored. */
  readonly #unstored = new Map<string, { readonly key: string; readonly facts: ModuleFacts }>();

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
    if (reading) {
      this.#keepOpen(contentKey(path, content), reading.facts);
      const facts = this.#completed(path, source, content, madeOf(reading.facts), () => {});
      this.#known.set(path, { kind: "code", facts, digest: content });
    } else this.#known.delete(path);
    return known !== undefined && known.digest !== content;
  }

  forget(path: string): void {
    this.#known.delete(path);
    this.#unstored.delete(path);
  }

  /** Stores what has been found out since. */
  store(): void {
    for (const { key, facts } of this.#unstored.values()) this.#store?.set(key, madeOf(facts));
    this.#unstored.clear();
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
    const key = contentKey(path, content);
    const onMade = (): void => {
      if (this.#store) this.#unstored.set(path, { key, facts });
    };
    const stored = this.#store?.get(key);
    let known = stored;
    if (!known) {
      let program: ir.Program;
      try {
        program = this.#read(source, path);
      } catch (error) {
        return { kind: "opaque", digest: content, why: (error as Error).message.split("\n", 1)[0] as string };
      }
      known = noneMadeOf(this.#readFacts(key, source, () => program));
    }
    const facts = this.#completed(path, source, content, known, onMade);
    if (!stored) onMade();
    return { kind: "code", facts, digest: content };
  }

  #completed(path: string, source: string, content: string, facts: PartialFacts, onMade: () => void): ModuleFacts {
    const key = contentKey(path, content);
    return completed(facts, () => this.#readFacts(key, source, () => this.#read(source, path)), onMade);
  }

  #readFacts(key: string, source: string, read: () => ir.Program): ModuleFacts {
    let facts = this.#open.get(key);
    if (!facts) {
      const program = read();
      facts = readFacts(program, inferScopes(program), source).facts;
    }
    this.#keepOpen(key, facts);
    return facts;
  }

  /** The trees of a whole project would be a thousand times its facts. */
  #keepOpen(key: string, facts: ModuleFacts): void {
    this.#open.delete(key);
    this.#open.set(key, facts);
    if (this.#open.size <= OPEN) return;
    const [oldest = key] = this.#open.keys();
    this.#open.delete(oldest);
  }
}

const contentKey = (path: string, content: string): string =>
  `${FACTS_VERSION}-${/\.[cm]?[jt]sx?$/.exec(path)?.[0].slice(1)}-${content}`;

/** At some 300 kB each. */
const OPEN = 50;

const SOURCE = /\.[cm]?[jt]sx?$/;
/** Source in a language around JavaScript, whose imports can't be seen here. */
const COMPONENT = /\.(?:vue|svelte|astro|mdx|marko)$/;
