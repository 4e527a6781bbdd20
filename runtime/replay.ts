/**
 * Effects that are worth repeating: a line printed, a chart drawn, a header set. What a body does through an element is
 * recorded with its result, and done again on every hit.
 */
import { type Keeper, keep } from "./copy.ts";
import type { Entry } from "./entry.ts";
import { elementInside, ReplayError, UncopyableResultError } from "./errors.ts";
import { fault } from "./events.ts";
import { currentRun, outsideRuns, type Run } from "./run.ts";
import { shared } from "./shared.ts";
import { isThenable } from "./thenable.ts";

/** One effect of a run. */
export interface Recorded {
  readonly element: string;
  readonly args: Keeper;
}

/** An element can be told apart by name only: what is recorded may outlive the process. */
interface Registered {
  readonly play: (...args: any[]) => unknown;
}
const elements = shared("elements", () => new Map<string, Registered>());

/** What {@link element} gives. */
export type Element<F extends (...args: any[]) => unknown> = F & Disposable;

/**
 * Wraps a side effect, so that a cached function which causes it causes it on every call: on a miss by running, on a hit
 * by playing what was recorded, in order. Arguments are recorded as private copies. Calls made in nested cached functions
 * belong to the outer ones as well. Elsewhere it is `fn` itself.
 *
 * Make elements at the top of a module, each with a name of its own: a recording refers to it by name, and the latest
 * element of a name plays it. `using`, or `[Symbol.dispose]()`, takes one away; a hit that needs it throws then, rather
 * than causing some other effect.
 *
 * In a refresh behind a stale hit there is nobody to see the effect: it is recorded, not caused, and gives `undefined`.
 *
 * @throws ReplayError when called in a cached function with arguments that can't be copied; when made inside one
 */
export function element<F extends (...args: any[]) => unknown>(name: string, fn: F): Element<F> {
  const inside = currentRun();
  if (inside !== undefined) throw elementInside(inside.shelf.site.id, name);
  function play(this: unknown, ...args: unknown[]): unknown {
    const run = currentRun();
    if (run === undefined) return fn.apply(this, args);
    if (record(run, name, args)) return undefined;
    return outsideRuns(() => fn.apply(this, args));
  }
  const registered: Registered = { play };
  elements.set(name, registered);
  Object.defineProperty(play, "name", { value: fn.name || name });
  Object.defineProperty(play, Symbol.dispose ?? Symbol.for("Symbol.dispose"), {
    value: () => void (elements.get(name) === registered && elements.delete(name)),
  });
  return play as unknown as Element<F>;
}

/** True if effects of this name can be played here. */
export function isKnown(element: string): boolean {
  return elements.has(element);
}

/** @returns true if nobody is there to see the effect */
function record(run: Run, name: string, args: readonly unknown[]): boolean {
  const { id } = run.shelf.site;
  let kept: Keeper;
  try {
    kept = keep(args, "copy", { id }).keeper;
  } catch (error) {
    if (error instanceof UncopyableResultError) throw ReplayError.unrecordable(id, name, error);
    throw error;
  }
  let behind = false;
  for (let each: Run | undefined = run; each !== undefined; each = each.parent) {
    if (!each.done) (each.effects ??= []).push({ element: name, args: kept });
    behind ||= each.behind;
  }
  return behind;
}

/**
 * Plays what was recorded with an entry, in order.
 *
 * @returns a promise if an effect gives one and the site can wait for it
 */
export function replay(entry: Entry): void | Promise<void> {
  const { site } = entry.shelf;
  const recorded = entry.replay ?? [];
  for (const each of recorded) if (!elements.has(each.element)) throw ReplayError.unknown(site.id, each.element);
  for (let at = 0; at < recorded.length; at++) {
    const effect = playOne(site.id, recorded[at] as Recorded);
    if (!isThenable(effect)) continue;
    if (site.spec.async) return playRest(site.id, recorded, at + 1, effect);
    Promise.resolve(effect).catch((error) => fault("replay-failed", error, site.id));
  }
}

async function playRest(site: string, recorded: readonly Recorded[], from: number, first: unknown): Promise<void> {
  await first;
  for (const each of recorded.slice(from)) await playOne(site, each);
}

function playOne(site: string, { element, args }: Recorded): unknown {
  const registered = elements.get(element);
  if (registered === undefined) throw ReplayError.unknown(site, element);
  return registered.play(...(args.give() as unknown[]));
}
