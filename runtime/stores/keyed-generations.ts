/**
 * Generations: random texts under keys of their own, in a backend that other processes share. What belonged to one counts
 * no more as soon as another is there, or none. A generation is never written twice, so none comes back.
 */
import { quietTimer, stopTimer } from "../platform.ts";
import type { Backend } from "./keyed.ts";

/** `k1.<32 hexadecimal digits>.<ms since 1970 at which it ended another, or 0>`. */
const GENERATION = /^k1\.[\da-f]{32}\.\d+$/;

/** Undefined: there is none. */
type Found = string | undefined;

/** More are not remembered: whoever finds none makes one. */
const MOST_MADE = 10_000;

export class Generations {
  private readonly backend: Backend;
  private readonly now: () => number;
  private readonly ttlOf: (key: string) => number | undefined;
  /** Reads that were begun, counted: one that was begun before a generation was made knows nothing of it. */
  private reads = 0;
  /** Made by this process, for all who found none at the same time. */
  private readonly made = new Map<string, { readonly text: Promise<string>; since: number }>();
  private readonly due = new Set<{ readonly key: string }>();
  private beginning: Promise<void> | undefined = undefined;

  /** @param ttlOf most ms that a generation stays */
  constructor(backend: Backend, now: () => number, ttlOf: (key: string) => number | undefined) {
    this.backend = backend;
    this.now = now;
    this.ttlOf = ttlOf;
  }

  async read(keys: readonly string[]): Promise<Found[]> {
    return keys.length === 0 ? [] : (await this.readWith([], keys)).generations;
  }

  /** @param entries read along with them, in one question */
  async readWith(entries: readonly string[], keys: readonly string[]) {
    const began = ++this.reads;
    const all = await this.backend.read([...entries, ...keys]);
    const generations = keys.map((key, at) => this.note(key, all[entries.length + at], began));
    return { texts: all.slice(0, entries.length), generations };
  }

  private note(key: string, text: unknown, began: number): Found {
    if (typeof text === "string" && GENERATION.test(text)) return text;
    const made = this.made.get(key);
    if (made !== undefined && began > made.since) this.made.delete(key);
    return undefined;
  }

  /**
   * The generations that something new belongs to; where there is none, one begins.
   *
   * @param known those that were there when its run began; what is computed belongs to them, whatever is there by now
   */
  async take(keys: readonly string[], known: readonly Found[]): Promise<string[]> {
    const unknown = keys.filter((_, at) => known[at] === undefined);
    const found = new Map<string, Found>();
    for (const [at, text] of (await this.read(unknown)).entries()) found.set(unknown[at] as string, text);
    return Promise.all(keys.map((key, at) => known[at] ?? found.get(key) ?? this.make(key)));
  }

  private make(key: string): Promise<string> {
    const already = this.made.get(key);
    if (already !== undefined) return already.text;
    const made = { text: this.write(key, 0), since: Number.POSITIVE_INFINITY };
    if (this.made.size >= MOST_MADE) this.made.clear();
    this.made.set(key, made);
    made.text.then(
      () => {
        made.since = this.reads;
      },
      () => {
        if (this.made.get(key) === made) this.made.delete(key);
      },
    );
    return made.text;
  }

  private async write(key: string, at: number): Promise<string> {
    const random = crypto.getRandomValues(new Uint8Array(16));
    const text = `k1.${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}.${Math.ceil(at)}`;
    await this.backend.write(key, text, this.ttlOf(key));
    return text;
  }

  /**
   * Writes a new generation in the place of one. If that fails it rejects, and it stays due.
   */
  end(key: string): Promise<void> {
    this.made.clear();
    this.due.add({ key });
    return this.begin();
  }

  /** Makes up for what is due. */
  async begin(): Promise<void> {
    if (this.due.size === 0) return;
    this.beginning ??= this.beginAll().finally(() => {
      this.beginning = undefined;
    });
    await this.beginning;
    // What became due while the last was being written.
    await this.begin();
  }

  private async beginAll(): Promise<void> {
    for (const due of this.due) {
      // If it arrives after all, it is one more generation, and nothing belongs to it.
      await bounded(this.write(due.key, this.now()));
      this.due.delete(due);
    }
  }
}

/** Whether one of them ended another when a run of `began` was already under way, or later. */
export function isOlder(began: number, generations: readonly string[]): boolean {
  return generations.some((text) => {
    const at = Number(text.slice(text.lastIndexOf(".") + 1));
    return at > 0 && began <= at;
  });
}

/** ms. There are clients that never answer once their connection is gone. */
const PATIENCE = 5000;

/** Rejects if there is no answer. */
export function bounded<T>(answer: Promise<T>, patience: number = PATIENCE): Promise<T> {
  return new Promise((done, fail) => {
    const timer = quietTimer(() => fail(new Error(`no answer in ${patience} ms`)), patience);
    answer.then(done, fail).finally(() => stopTimer(timer));
  });
}
