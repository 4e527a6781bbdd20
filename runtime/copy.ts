/**
 * Private copies of a result. The entry keeps a copy of its own, made when the result is given; the caller of the miss
 * and the caller of each hit get copies of that, so that nobody ever holds what another can change.
 */
import { Graph, type Purpose } from "./copy-graph.ts";
import type { Copy } from "./copy-leaves.ts";
import { planFor } from "./copy-plan.ts";
import { frozenBytes } from "./frozen.ts";

/** What an entry holds of a `data` value. */
export interface Keeper {
  /** A private copy; in `freeze` mode, and of what can't change, the value itself. */
  give(): unknown;
  /** The kept value itself, for stores to write down: never to be changed, never to be handed out. */
  readonly value: unknown;
  /** An estimate of the memory that the kept value takes. */
  readonly bytes: number;
}

/** A kept value and, when asked for, the copy for the caller of the miss. */
export interface Kept {
  readonly keeper: Keeper;
  /** As private a copy as every hit's. Made when it is read. */
  readonly first: unknown;
}

/**
 * Keeps a result.
 *
 * @param mode `freeze`: one deep-frozen copy for all, instead of a copy for each
 * @throws UncopyableResultError with the place in the result and what to write instead
 */
export function keep(value: unknown, mode: "copy" | "freeze", site: { readonly id: string }): Kept {
  return new KeptValue(keeperOf(value, { mode, site: site.id }));
}

/**
 * Keeps a value that nobody else holds, such as what was read from a store, without a copy.
 *
 * @param bytes an estimate of the memory that it takes
 * @param tree true if it is known to be a tree of usual objects: none met twice, none with hidden properties or holes
 */
export function adopt(value: unknown, site: { readonly id: string }, bytes: number, tree: boolean): Keeper {
  return tree && frozenBytes(value) === undefined
    ? new Planned(value, planFor(value), bytes)
    : keeperOf(value, { mode: "copy", site: site.id });
}

class KeptValue implements Kept {
  readonly keeper: Keeper;
  constructor(keeper: Keeper) {
    this.keeper = keeper;
  }
  get first(): unknown {
    return this.keeper.give();
  }
}

function keeperOf(value: unknown, purpose: Purpose): Keeper {
  const frozen = frozenBytes(value);
  if (frozen !== undefined) return new Same(value, frozen);
  const graph = Graph.of(value, purpose);
  if (purpose.mode === "freeze") {
    graph.freeze();
    return new Same(graph.copy, graph.bytes);
  }
  if (graph.shared || graph.unusual) return new Woven(graph, purpose);
  return new Planned(graph.copy, planFor(graph.copy), graph.bytes);
}

/** Nothing can change it: all may have it. */
class Same implements Keeper {
  readonly value: unknown;
  readonly bytes: number;
  constructor(value: unknown, bytes: number) {
    this.value = value;
    this.bytes = bytes;
  }
  give(): unknown {
    return this.value;
  }
}

/** A tree of usual objects: copied by a plan that was made from it. */
class Planned implements Keeper {
  readonly value: unknown;
  readonly copy: Copy;
  readonly bytes: number;
  constructor(value: unknown, copy: Copy, bytes: number) {
    this.value = value;
    this.copy = copy;
    this.bytes = bytes;
  }
  give(): unknown {
    return this.copy(this.value);
  }
}

/** With shared parts, cycles, holes or the like: copied as it was when it was kept. */
class Woven implements Keeper {
  readonly value: unknown;
  readonly bytes: number;
  private readonly purpose: Purpose;
  private readonly whole: ReadonlySet<ArrayBufferLike>;
  constructor(graph: Graph, purpose: Purpose) {
    this.value = graph.copy;
    this.bytes = graph.bytes;
    this.purpose = purpose;
    this.whole = graph.wholeCopies;
  }
  give(): unknown {
    return Graph.of(this.value, this.purpose, this.whole).copy;
  }
}
