/**
 * What this process keeps in memory of a server's entries, as far as the store must know: whom to tell when one changes.
 * The server remembers the same (`CLIENT TRACKING`), tells once, and forgets; clears of functions and tags are published.
 */
import type { Changed } from "./store.ts";

/** An entry that somebody here relies on. */
export interface Item {
  readonly place: string;
  readonly code: string;
  readonly changed: Changed;
  /** `s:<site>` and `t:<tag>`: whose clears it goes with. */
  parts: readonly string[];
}

/** As many keys as the server remembers by default, for all of its clients. */
const MOST = 1_000_000;

export class Near {
  private readonly items = new Map<string, Item>();
  private readonly byPart = new Map<string, Set<Item>>();

  get isEmpty(): boolean {
    return this.items.size === 0;
  }

  /** Before the server is asked, for it may tell of a change before we have read its answer. */
  expect(place: string, code: string, parts: readonly string[], changed: Changed): Item {
    const before = this.items.get(place);
    const item: Item = { place, code, changed, parts: [] };
    if (before !== undefined) this.forget(before);
    this.items.set(place, item);
    this.index(item, parts);
    // The server tells of a place, not of a code.
    if (before !== undefined && before.code !== code) before.changed();
    if (this.items.size > MOST) this.tell(this.items.values().next().value as Item);
    return item;
  }

  /** The answer has come: these are cleared with it, too. */
  index(item: Item, parts: readonly string[]): void {
    if (this.items.get(item.place) !== item) return;
    item.parts = [...item.parts, ...parts];
    for (const part of parts) {
      const some = this.byPart.get(part);
      if (some === undefined) this.byPart.set(part, new Set([item]));
      else some.add(item);
    }
  }

  /** Nobody relies on it. */
  forget(item: Item): void {
    if (this.items.get(item.place) === item) this.items.delete(item.place);
    for (const part of item.parts) {
      const some = this.byPart.get(part);
      some?.delete(item);
      if (some?.size === 0) this.byPart.delete(part);
    }
  }

  placeChanged(place: string): void {
    const item = this.items.get(place);
    if (item !== undefined) this.tell(item);
  }

  partCleared(part: string): void {
    for (const item of [...(this.byPart.get(part) ?? [])]) this.tell(item);
  }

  allChanged(): void {
    const all = [...this.items.values()];
    this.items.clear();
    this.byPart.clear();
    for (const { changed } of all) changed();
  }

  private tell(item: Item): void {
    this.forget(item);
    item.changed();
  }
}
