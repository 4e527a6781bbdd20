/** Which entries a shared store will tell of when they change: other tiers, and memory, may serve these meanwhile. */
import { placeOf } from "./missed.ts";
import type { Changed, EntryName } from "./store.ts";

export interface Vouch {
  readonly name: EntryName;
  /** For the shared store. */
  readonly changed: Changed;
  readonly tells: Changed[];
  isOver: boolean;
}

/** What is beyond is asked of the shared store again. */
const MOST = 100_000;
/** Memory asks again only for what it does not have any more. */
const MOST_TELLS = 8;

export class Vouches {
  private readonly kept = new Map<string, Vouch>();
  private readonly ended: (name: EntryName) => void;

  /** @param ended called for each that has ended */
  constructor(ended: (name: EntryName) => void) {
    this.ended = ended;
  }

  /** To be given to the shared store with a question; then {@link keep} it if there was an answer. */
  expect(name: EntryName, changed: Changed | undefined): Vouch {
    const vouch: Vouch = {
      name,
      tells: changed === undefined ? [] : [changed],
      isOver: false,
      changed: () => {
        if (vouch.isOver) return;
        vouch.isOver = true;
        const place = placeOf(name);
        if (this.kept.get(place) === vouch) this.kept.delete(place);
        this.ended(name);
        for (const tell of vouch.tells.splice(0)) tell();
      },
    };
    return vouch;
  }

  keep(vouch: Vouch): void {
    if (vouch.isOver) return;
    if (this.kept.size >= MOST) this.kept.clear();
    this.kept.set(placeOf(vouch.name), vouch);
  }

  has(name: EntryName): boolean {
    return this.kept.has(placeOf(name));
  }

  /** `changed` is told, too. @returns false if there is nobody to tell it */
  join(name: EntryName, changed: Changed): boolean {
    const vouch = this.kept.get(placeOf(name));
    if (vouch === undefined) return false;
    if (vouch.tells.push(changed) > MOST_TELLS) vouch.tells.shift()?.();
    return true;
  }
}
