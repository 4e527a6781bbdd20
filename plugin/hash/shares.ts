/**
 * Who has a part in what the names of a module hold: the code that declares them, the functions that change them, and
 * what does so while the module is loaded, in that order.
 */
import type * as ir from "../core/ir.ts";
import type { Binding, Scopes } from "../core/scope.ts";
import { aliasesOf, changeAt, touchedBy } from "./effects.ts";
import { type BindingFacts, DEFAULT } from "./facts.ts";

export interface Share {
  readonly roots: readonly [ir.Node];
  /** What it declares. */
  readonly own: readonly (Binding | typeof DEFAULT)[];
  readonly effect: boolean;
}

export interface Shares {
  readonly bindings: Record<string, BindingFacts>;
  readonly residue: readonly number[];
  /** By unit: where it stands among those that change what it reads or changes too. */
  readonly places: Readonly<Record<number, string>>;
}

export function shareOut(
  pieces: readonly Share[],
  scopes: Scopes,
  unitAt: (node: ir.Node) => number | undefined,
): Shares {
  const bindings: Record<string, { declared: [number, number][]; contributors: number[]; running: number[] }> =
    Object.create(null);
  const running = new Map<Binding, Set<number>>();
  const late = new Map<Binding, Set<number>>();
  const residue = new Set<number>();
  const share = (binding: Binding, unit: number, by: Map<Binding, Set<number>>): void => {
    for (const each of aliasesOf(binding, scopes)) {
      if (each.kind === "import") {
        // `export const Slider = Object.assign(Root, { Track })` gives what it changes; who else has `Root` here sees it too.
        const isSeen = each.references.some(({ node }) => ![unit, undefined].includes(unitAt(node)));
        if (by === running && isSeen) residue.add(unit);
      } else by.set(each, (by.get(each) ?? new Set()).add(unit));
    }
  };

  for (const [unit, { roots, own, effect }] of pieces.entries()) {
    for (const [index, binding] of own.entries())
      (bindings[nameOf(binding)] ??= { declared: [], contributors: [], running: [] }).declared.push([unit, index]);
    // A decorator of a class is a call that is handed the class.
    if (decorates(roots[0])) residue.add(unit);
    if (!effect) continue;
    const touched = touchedBy(roots[0], scopes);
    for (const binding of touched.bindings) share(binding, unit, running);
    if (touched.residue) residue.add(unit);
  }
  const isEffect = (unit: number): boolean => pieces[unit]?.effect ?? false;
  for (const binding of scopes.module.bindings.values())
    for (const { node, writes } of binding.references) {
      const change = writes ? node : changeAt(node, scopes);
      const unit = change && unitAt(node);
      if (unit === undefined) continue;
      const root = pieces[unit]?.roots[0] as ir.Node;
      share(binding, unit, isEffect(unit) || !runsLater(change as ir.Node, root, scopes) ? running : late);
    }
  shareCalls(pieces, scopes, unitAt, late, (binding, unit) => share(binding, unit, running));

  const ordered = (units: ReadonlySet<number> | undefined, facts: { declared: [number, number][] }): number[] =>
    [...(units ?? [])].filter((unit) => !facts.declared.some(([by]) => by === unit)).sort((a, b) => a - b);
  for (const binding of new Set([...running.keys(), ...late.keys()])) {
    const facts = bindings[binding.name];
    if (!facts) continue;
    facts.running = ordered(running.get(binding), facts);
    facts.contributors = ordered(late.get(binding), facts).filter((unit) => !facts.running.includes(unit));
  }
  const places = placesOf(pieces, scopes, unitAt, bindings);
  return { bindings, residue: [...residue].sort((a, b) => a - b), places };
}

const nameOf = (binding: Binding | typeof DEFAULT): string => (binding === DEFAULT ? DEFAULT : binding.name);

/** A function and nothing else: it runs when it is called. */
function isFunction({ roots: [root] }: Share): boolean {
  const value = root.type === "Declarator" ? root.init : root;
  return value?.type === "Function";
}

function decorates(root: ir.Node): boolean {
  const value = root.type === "Declarator" ? root.init : root;
  return value?.type === "Class" && value.decorators.length > 0;
}

/** Does a node stand in a function of its unit that is not called, or handed to a call, where it stands? */
function runsLater(node: ir.Node, root: ir.Node, scopes: Scopes): boolean {
  for (let at: ir.Node | undefined = node; at && at !== root; at = scopes.parentOf.get(at)) {
    if (at.type !== "Function") continue;
    const parent = scopes.parentOf.get(at);
    if (parent?.type !== "Call" && parent?.type !== "New") return true;
  }
  return root.type === "Function";
}

/**
 * `const a = next()`, `static { register(A) }`: what a function of the module changes, its callers change while the
 * module is loaded.
 */
function shareCalls(
  pieces: readonly Share[],
  scopes: Scopes,
  unitAt: (node: ir.Node) => number | undefined,
  late: ReadonlyMap<Binding, ReadonlySet<number>>,
  share: (binding: Binding, unit: number) => void,
): void {
  if (late.size === 0) return;
  const functions = [...scopes.module.bindings.values()].filter((binding) => {
    const [unit] = binding.declarations.map(unitAt);
    return unit !== undefined && isFunction(pieces[unit] as Share);
  });
  const unitOf = new Map(functions.map((each) => [each, unitAt(each.declarations[0] as ir.Node) as number]));
  const callers = new Map<number, Set<number>>();
  for (const [fn, unit] of unitOf)
    for (const { node, reads } of fn.references) {
      const caller = reads ? unitAt(node) : undefined;
      if (caller === undefined || caller === unit) continue;
      const root = (pieces[caller] as Share).roots[0];
      if (!isFunction(pieces[caller] as Share) && runsLater(node, root, scopes)) continue;
      callers.set(unit, (callers.get(unit) ?? new Set()).add(caller));
    }
  for (const [binding, changers] of late) {
    const reached = new Set<number>(changers);
    for (const unit of reached)
      if (isFunction(pieces[unit] as Share)) for (const caller of callers.get(unit) ?? []) reached.add(caller);
    for (const unit of reached) if (!isFunction(pieces[unit] as Share) && !changers.has(unit)) share(binding, unit);
  }
}

/**
 * `const before = rate; rate = 2; const after = rate;`: the same code, at another place among what changes the module
 * while it is loaded.
 */
function placesOf(
  pieces: readonly Share[],
  scopes: Scopes,
  unitAt: (node: ir.Node) => number | undefined,
  bindings: Readonly<Record<string, BindingFacts>>,
): Record<number, string> {
  const changing = Object.entries(bindings).filter(([, { running }]) => running.length > 0);
  const places: Record<number, string> = {};
  if (changing.length === 0) return places;
  const users = new Map<string, Set<number>>();
  for (const binding of scopes.module.bindings.values())
    for (const { node } of binding.references) {
      const unit = unitAt(node);
      if (unit !== undefined) users.set(binding.name, (users.get(binding.name) ?? new Set()).add(unit));
    }
  const found = new Map<number, number[]>();
  for (const [name, { declared, running }] of changing) {
    const reached = new Set<number>([...declared.map(([unit]) => unit), ...running, ...(users.get(name) ?? [])]);
    for (const unit of reached)
      for (const own of pieces[unit]?.own ?? []) for (const user of users.get(nameOf(own)) ?? []) reached.add(user);
    for (const unit of reached) {
      if (isFunction(pieces[unit] as Share)) continue;
      const before = running.filter((each) => each < unit).length;
      found.set(unit, [...(found.get(unit) ?? []), before]);
    }
  }
  for (const [unit, befores] of found) places[unit] = befores.sort((a, b) => a - b).join();
  return places;
}
