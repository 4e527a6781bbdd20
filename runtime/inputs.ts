/**
 * Inputs: what a body reads from outside of its arguments (a slider, a cookie, a flag). With `allowInputs` they are part
 * of the key, which is found as a path: which input a run read first, what it gave, which one it read then, and so on.
 * So an input that is read under a condition only counts where the condition holds.
 */
import { type Keeper, keep } from "./copy.ts";
import type { Entry, Shelf } from "./entry.ts";
import { asyncInput, inputRefused, KeptError } from "./errors.ts";
import { fault } from "./events.ts";
import { encodeKey, type Key } from "./key.ts";
import { drop } from "./lifetime.ts";
import { currentRun, outsideRuns, type Run } from "./run.ts";
import { shared } from "./shared.ts";
import { isThenable } from "./thenable.ts";

/** One input that a run has read. */
export interface InputRead {
  readonly input: string;
  readonly args: Keeper;
  /** Input and arguments. */
  readonly question: Key;
  /** What it gave; absent while a promise is open, and if it has failed. */
  answer: { readonly key: Key } | undefined;
}

/** Up to here all calls read the same; what comes next depends on the answer. */
export class InputNode {
  readonly shelf: Shelf;
  /** Key of the entry, if the path ends here. Nothing else is kept on a shelf of a function that allows inputs. */
  readonly path: Key;
  readonly above: { readonly node: InputNode; readonly answer: Key } | { readonly base: Key };
  /** What is read here, if the path goes on. */
  next: Pick<InputRead, "input" | "args" | "question"> | undefined = undefined;
  readonly answers = new Map<Key, InputNode>();

  constructor(shelf: Shelf, path: Key, above: InputNode["above"]) {
    this.shelf = shelf;
    this.path = path;
    this.above = above;
  }

  /** Makes the path lead here (again). */
  attach(): void {
    if ("base" in this.above) {
      (this.shelf.inputs ??= new Map()).set(this.above.base, this);
    } else {
      this.above.node.answers.set(this.above.answer, this);
      this.above.node.attach();
    }
  }

  /** The entry at the end of this path is gone, and with it what led only here. */
  prune(): void {
    if (this.answers.size > 0 || this.shelf.entries.has(this.path)) return;
    if ("base" in this.above) {
      if (this.shelf.inputs?.get(this.above.base) === this) this.shelf.inputs.delete(this.above.base);
    } else if (this.above.node.answers.get(this.above.answer) === this) {
      this.above.node.answers.delete(this.above.answer);
      this.above.node.prune();
    }
  }

  /** All entries whose path comes by here. */
  *entries(): Iterable<Entry> {
    const entry = this.shelf.entries.get(this.path);
    if (entry !== undefined) yield entry;
    for (const node of [...this.answers.values()]) yield* node.entries();
  }
}

interface Registered {
  readonly read: (...args: any[]) => unknown;
}
const inputs = shared("inputs", () => new Map<string, Registered>());

/**
 * Wraps something that is read from outside. Inside a cached function it is refused, unless that function (and each cached
 * function around it) has `allowInputs: true`: then what it gives is part of the key. Elsewhere it is `read` itself.
 *
 * Make inputs at the top of a module, each with a name of its own. Every different answer makes an entry of its own: bound
 * them with `maxEntries`. (A `fault` event, `input-variants`, tells of a function that has passed 1,000.)
 *
 * @throws KeptError `input-refused`; `async-input` where a function that is not `async` would have to wait
 */
export function input<F extends (...args: any[]) => unknown>(name: string, read: F): F {
  function ask(this: unknown, ...args: unknown[]): unknown {
    const run = currentRun();
    if (run === undefined) return read.apply(this, args);
    for (let each: Run | undefined = run; each !== undefined; each = each.parent) {
      if (!each.shelf.site.spec.allowInputs) throw inputRefused(each.shelf.site.id, name);
    }
    const given = outsideRuns(() => read.apply(this, args));
    note(run, name, args, given);
    return given;
  }
  Object.defineProperty(ask, "name", { value: read.name || name });
  inputs.set(name, { read: ask });
  return ask as unknown as F;
}

function note(run: Run, name: string, args: unknown[], given: unknown): void {
  const { spec, id } = run.shelf.site;
  const read: InputRead = {
    input: name,
    args: keep(args, "copy", { id }).keeper,
    question: encodeKey([name, ...args], { id, hashed: ["input", name], rest: 1 }),
    answer: undefined,
  };
  const take = (value: unknown) => {
    read.answer = { key: encodeKey([value], { id, hashed: [name] }) };
  };
  if (!isThenable(given)) {
    take(given);
  } else {
    if (!spec.async) throw asyncInput(id, name);
    Promise.resolve(given)
      .then(take)
      .catch((error: unknown) => fault("input-failed", error, id));
  }
  for (let each: Run | undefined = run; each !== undefined; each = each.parent) {
    if (each.done || each.inputs?.some((known) => Object.is(known.question, read.question))) continue;
    (each.inputs ??= []).push(read);
  }
}

/**
 * Reads the inputs that an entry for `base` depends on, as they are now.
 *
 * @returns the key of that entry; where there is none, a key for the run that is going to find out
 */
export function pathOf(shelf: Shelf, base: Key): Key | Promise<Key> {
  const root = shelf.inputs?.get(base);
  return root === undefined ? rootPath(base) : follow(root);
}

function follow(from: InputNode): Key | Promise<Key> {
  let node = from;
  while (node.next !== undefined) {
    const { next } = node;
    const given = ask(node);
    if (isThenable(given)) {
      if (!node.shelf.site.spec.async) return node.path;
      const here = node;
      return Promise.resolve(given).then(
        (value) => {
          const below = step(here, value);
          return below instanceof InputNode ? follow(below) : below;
        },
        // The body reads it, too, and is the one to fail.
        () => childPath(here.path, next.question, undefined),
      );
    }
    if (given === FAILED) return node.path;
    const below = step(node, given);
    if (!(below instanceof InputNode)) return below;
    node = below;
  }
  return node.path;
}

const FAILED: unique symbol = Symbol("failed");

function ask({ next, shelf }: InputNode): unknown {
  const { input, args } = next as InputRead;
  try {
    return inputs.get(input)?.read(...(args.give() as unknown[])) ?? (inputs.has(input) ? undefined : FAILED);
  } catch (error) {
    if (error instanceof KeptError) throw error;
    fault("input-failed", error, shelf.site.id);
    return FAILED;
  }
}

function step(node: InputNode, given: unknown): InputNode | Key {
  const { input, question } = node.next as InputRead;
  const answer = encodeKey([given], { id: node.shelf.site.id, hashed: [input] });
  return node.answers.get(answer) ?? childPath(node.path, question, answer);
}

/** What a run has read makes its path. @returns where it ends; nothing if an answer is missing */
export function plant(shelf: Shelf, base: Key, reads: readonly InputRead[]): InputNode | undefined {
  let node = shelf.inputs?.get(base) ?? new InputNode(shelf, rootPath(base), { base });
  for (const read of reads) {
    if (read.answer === undefined) {
      fault("input-unsettled", undefined, shelf.site.id);
      return undefined;
    }
    if (node.next === undefined || !Object.is(node.next.question, read.question)) replan(node, read);
    const { key } = read.answer;
    const path = childPath(node.path, read.question, key);
    node = node.answers.get(key) ?? new InputNode(shelf, path, { node, answer: key });
  }
  if (node.next !== undefined) replan(node, undefined);
  return node;
}

/** The body went another way than before with the same answers: what was kept below this point can't be found again. */
function replan(node: InputNode, next: InputRead | undefined): void {
  for (const entry of [...node.entries()]) drop(entry, "replace");
  node.answers.clear();
  node.next = next;
}

/** All entries for these arguments, whatever the inputs gave. */
export function entriesUnder(shelf: Shelf, base: Key): readonly Entry[] {
  return [...(shelf.inputs?.get(base)?.entries() ?? [])];
}

const PATH = { id: "input", hashed: ["path"] };
const rootPath = (base: Key): Key => encodeKey(["arguments", base], PATH);
const childPath = (path: Key, question: Key, answer: Key): Key => encodeKey(["answer", path, question, answer], PATH);
