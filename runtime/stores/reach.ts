/** Whether a store is in reach, and what it could not be told while it was not. */
import { fault } from "../events.ts";
import { Breaker, type BreakerSettings } from "./breaker.ts";
import { readHeader } from "./bytes.ts";
import { Damage } from "./codec.ts";
import { Floors, OwedRemovals } from "./missed.ts";
import type { EntryName, Which } from "./store.ts";

export class Reach {
  readonly breaker: Breaker;
  readonly owed = new OwedRemovals();
  readonly floors = new Floors();
  /** The store, for messages. */
  private readonly name: string;

  constructor(name: string, settings: BreakerSettings) {
    this.name = name;
    this.breaker = new Breaker(settings);
  }

  get isIn(): boolean {
    return this.breaker.state === "closed";
  }

  answered(): void {
    this.breaker.answered();
  }

  /** A call failed, and the program goes on. @param silent the store has said nothing at all meanwhile */
  failed(error: unknown, site?: string, silent = false): void {
    if (!this.isIn) return;
    fault("store-failed", error, site);
    if (this.breaker.failed() || (silent && this.breaker.open())) this.tellOut(error);
  }

  /** It must be told of a removal, before anything of it is served. */
  owe(which: Which, error?: unknown): void {
    this.owed.add(which);
    if (this.breaker.open()) this.tellOut(error);
  }

  /** The end of a try. */
  probed(isBack: boolean): void {
    this.breaker.probed(isBack);
    if (isBack) fault("store-resumed", new Error(`The store \`${this.name}\` is asked again`));
  }

  /**
   * @returns the bytes, unless there is something younger than they are
   * @throws Damage
   */
  current(name: EntryName, given: unknown): Uint8Array | undefined {
    if (given === undefined || given === null) return undefined;
    if (!(ArrayBuffer.isView(given) && "subarray" in given)) throw new Damage("it is no bytes");
    const bytes = given as Uint8Array;
    return !this.floors.isEmpty && this.floors.isOutdated(name, readHeader(bytes).began) ? undefined : bytes;
  }

  private tellOut(why: unknown): void {
    const reason = why instanceof Error ? why.message : String(why);
    const message = `The store \`${this.name}\` is not asked for a while: ${reason}`;
    fault("store-suspended", new Error(message, { cause: why }));
  }
}
