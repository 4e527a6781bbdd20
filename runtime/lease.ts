/**
 * What memory and a store that many processes share owe to each other: who may compute, and what memory may go on serving.
 * A store that is this process's alone has neither, and pays for neither.
 */
import type { Entry, Shelf } from "./entry.ts";
import { fault } from "./events.ts";
import type { Key } from "./key.ts";
import { drop } from "./lifetime.ts";
import { outsideContexts, quietTimer } from "./platform.ts";
import { shared } from "./shared.ts";
import type { Changed, EntryName, Store } from "./stores/store.ts";

/** The right to compute an entry, as long as no other process is waited for. It ends with the result, or without one. */
export class Grant {
  private readonly store: Store;
  private readonly name: EntryName;
  private readonly token: string;
  private state: "free" | "taken" | "over" = "free";

  constructor(store: Store, name: EntryName, token: string) {
    this.store = store;
    this.name = name;
    this.token = token;
  }

  /** For one run. @returns itself; nothing if another run has it, or it is over */
  take(): this | undefined {
    if (this.state !== "free") return undefined;
    this.state = "taken";
    return this;
  }

  /** With the result. @returns the token; nothing if it is over */
  spend(): string | undefined {
    if (this.state === "over") return undefined;
    this.state = "over";
    return this.token;
  }

  /** If no run has taken it. */
  giveBack(): void {
    if (this.state === "free") this.release();
  }

  /** Without a result: others need not wait. */
  release(): void {
    if (this.state === "over") return;
    this.state = "over";
    const failed = (error: unknown) => fault("store-failed", error, this.name.site);
    try {
      Promise.resolve(this.store.release?.(this.name, this.token)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** Drops an entry from memory when the store says that it may have changed. It doesn't hold the entry in memory. */
export class Watch {
  private readonly shelf: Shelf;
  private readonly key: Key;
  private born = -1;
  /** True if it may have changed already. */
  over = false;

  constructor(shelf: Shelf, key: Key) {
    this.shelf = shelf;
    this.key = key;
  }

  readonly changed: Changed = () => {
    this.over = true;
    const entry = this.shelf.entries.get(this.key);
    if (entry !== undefined && entry.born === this.born) drop(entry, "invalid");
  };

  /** The entry is in memory. */
  bind(entry: Entry): void {
    this.born = entry.born;
    if (this.over) drop(entry, "invalid");
  }
}

const state = shared("lease", () => ({
  /** Entries that their store doesn't know, in the order of their ends. */
  unknown: new Map<Entry, number>(),
  running: false,
}));

/**
 * The store does not know of this entry, or not yet, so nobody will tell when it has changed: it is served no longer than
 * one whose store is not heard of any more.
 */
export function limit(entry: Entry, { staleness }: Store): void {
  if (staleness === undefined || !entry.live) return;
  state.unknown.set(entry, performance.now() + staleness * 0.9);
  if (!state.running) sweep();
}

/** The store knows of it. */
export function unlimit(entry: Entry): void {
  state.unknown.delete(entry);
}

function sweep(): void {
  const at = performance.now();
  for (const [entry, end] of state.unknown) {
    if (end > at) {
      state.running = true;
      outsideContexts(() => quietTimer(sweep, Math.min(end - at, 1000)));
      return;
    }
    state.unknown.delete(entry);
    drop(entry, "invalid");
  }
  state.running = false;
}
