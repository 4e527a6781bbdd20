/**
 * What a top-level statement does to the bindings of its module. An effect statement (`registry.set("a", load)`) belongs
 * to the code of what it touches; one that touches what is elsewhere (`BigInt.prototype.toJSON = …`) to that of every unit.
 */
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import type { Binding, Scopes } from "../core/scope.ts";

export interface Touched {
  readonly bindings: ReadonlySet<Binding>;
  /** It touches more than bindings of the module: calls a function, which may touch any, or changes what is elsewhere. */
  readonly residue: boolean;
}

/** Of a statement that runs for its effect: what it assigns, calls a method on, or passes as an argument. */
export function touchedBy(statement: ir.Node, scopes: Scopes): Touched {
  const bindings = new Set<Binding>();
  let more = false;
  const add = (node: ir.Node, isTarget: boolean): void => {
    const root = baseOf(node);
    if (root.type !== "Identifier") return;
    const binding = bindingOf(root, scopes);
    if (binding?.scope === scopes.module && binding.kind !== "import") bindings.add(binding);
    else if (binding?.kind === "import" || (!binding && (isTarget || !TOOLS.has(root.name)))) more = true;
  };
  const hand = (value: ir.Node): void => {
    for (const each of valuesIn(value)) {
      const binding = bindingOf(each, scopes);
      if (binding?.scope === scopes.module && binding.kind !== "import") bindings.add(binding);
    }
  };
  const visit = (node: ir.Node): void => {
    const target = targetOf(node);
    if (target) for (const each of targets(target)) add(each, true);
    switch (node.type) {
      case "Function":
        if (node !== statement && !runsHere(node, scopes)) return;
        break;
      case "Identifier": {
        const declared = scopes.referenceOf.get(node) ? null : scopes.declarationOf.get(node);
        if (declared?.scope === scopes.module && declared.kind !== "import") bindings.add(declared);
        break;
      }
      case "Call":
      case "New":
        if (isCalledByName(node.callee)) more ||= isCalledOutside(node.callee, scopes);
        else if (isAssign(node.callee)) {
          if (node.arguments[0]) add(node.arguments[0], true);
        } else add(node.callee, false);
        for (const argument of node.arguments) hand(argument);
        break;
      case "TaggedTemplate":
        more = true;
        break;
      // `const p = A.prototype; p.x = 1`, `for (const each of [A, B]) each.x = 1`.
      case "Declarator":
        if (node.init) hand(node.init);
        break;
      case "ForOf":
      case "ForIn":
        hand(node.right);
        break;
    }
    forEachChild(node, visit);
  };
  visit(statement);
  return { bindings, residue: more || bindings.size === 0 };
}

/** A function that is called where it stands, or handed to what calls it at once. */
function runsHere(fn: ir.Function, scopes: Scopes): boolean {
  const parent = scopes.parentOf.get(fn);
  if (parent?.type !== "Call" && parent?.type !== "New") return false;
  if (parent.callee === fn) return true;
  const { callee } = parent;
  return callee.type === "Member" && callee.property.type === "Name" && ITERATORS.has(callee.property.name);
}

const ITERATORS: ReadonlySet<string> = new Set(
  "forEach map flatMap filter reduce reduceRight some every find findIndex findLast sort replace replaceAll from".split(
    " ",
  ),
);

/** Globals whose methods change nothing, or only what they are handed. */
const TOOLS: ReadonlySet<string> = new Set(
  "console Object Reflect JSON Math Array Number String Boolean BigInt Symbol Promise Date Intl".split(" "),
);

/** Not a function of the statement itself, and no global that only makes a value. */
function isCalledOutside(callee: ir.Expression, scopes: Scopes): boolean {
  const root = baseOf(callee);
  if (root.type !== "Identifier") return false;
  const binding = bindingOf(root, scopes);
  return binding ? binding.scope === scopes.module : !isHarmless(root.name);
}

/**
 * Of an initialiser or a class: does it do more than make a value? A call may; what is only declared does not. Whoever
 * imports the module for its effect gets that.
 */
export function actsWhenLoaded(unit: ir.Node, scopes: Scopes): boolean {
  let acts = false;
  const visit = (node: ir.Node): void => {
    if (acts || node.type === "Function") return;
    if (node.type === "Class" && node.decorators.length > 0) acts = true;
    if (node.type === "Field" && !node.static) {
      if (node.computed) visit(node.key);
      acts ||= node.decorators.length > 0;
      return;
    }
    if (node.type === "Method" && node.decorators.length > 0) acts = true;
    if (node.type === "StaticBlock" || node.type === "TaggedTemplate" || node.type === "Await") acts = true;
    if (targetOf(node)) acts = true;
    if (node.type === "Call" || node.type === "New") {
      const root = baseOf(node.callee);
      if (root.type !== "Identifier" || bindingOf(root, scopes) || !isHarmless(root.name)) acts = true;
    }
    forEachChild(node, visit);
  };
  if (unit.type === "Declarator" || unit.type === "Class") visit(unit);
  return acts;
}

/** Globals that make a value when they are called. */
const MAKERS: ReadonlySet<string> = new Set(
  "Map Set WeakMap WeakSet WeakRef RegExp Error TypeError RangeError URL URLSearchParams AbortController Function parseInt parseFloat TextEncoder TextDecoder".split(
    " ",
  ),
);

const isHarmless = (global: string): boolean => TOOLS.has(global) || MAKERS.has(global);

/** The binding itself, and what its initialiser makes it another name of, or a part of: `const p = A.prototype`. */
export function aliasesOf(binding: Binding, scopes: Scopes, seen = new Set<Binding>()): ReadonlySet<Binding> {
  if (seen.has(binding)) return seen;
  seen.add(binding);
  for (const declaration of binding.declarations)
    if (declaration.type === "Declarator" && declaration.init)
      for (const each of partsOf(declaration.init)) {
        const root = bindingOf(each, scopes);
        if (root?.scope === scopes.module) aliasesOf(root, scopes, seen);
      }
  return seen;
}

/** The variables of whose values an expression's value may be one, or may hold one. */
function* partsOf(node: ir.Node): Generator<ir.Identifier> {
  switch (node.type) {
    case "Identifier":
      yield node;
      break;
    case "Member":
      yield* partsOf(node.object);
      break;
    case "Chain":
      yield* partsOf(node.expression);
      break;
    // `registry.child("a")`, but not `create()`: that makes a new one.
    case "Call":
      if (node.callee.type === "Member" && !isFreeTool(node.callee)) yield* partsOf(node.callee);
      break;
    case "Array":
      for (const each of node.elements) if (each) yield* partsOf(each.type === "Spread" ? each.argument : each);
      break;
    case "Object":
      for (const each of node.properties) yield* partsOf(each.type === "Spread" ? each.argument : each.value);
      break;
    case "Conditional":
      yield* partsOf(node.consequent);
      yield* partsOf(node.alternate);
      break;
    case "Logical":
      yield* partsOf(node.left);
      yield* partsOf(node.right);
      break;
    case "Assign":
      yield* partsOf(node.right);
      break;
  }
}

const isFreeTool = ({ object }: ir.Member): boolean => object.type === "Identifier" && TOOLS.has(object.name);

/** Methods of arrays, maps and sets that change them. */
export const MUTATORS: ReadonlySet<string> = new Set([
  "push",
  "pop",
  "shift",
  "unshift",
  "splice",
  "sort",
  "reverse",
  "fill",
  "copyWithin",
  "set",
  "add",
  "delete",
  "clear",
]);

/** `Object.assign`, `Object.defineProperty`. */
const isAssign = (callee: ir.Expression): boolean =>
  callee.type === "Member" &&
  callee.object.type === "Identifier" &&
  /^(Object|Reflect)$/.test(callee.object.name) &&
  callee.property.type === "Name" &&
  /^(assign|set|definePropert(y|ies)|deleteProperty|setPrototypeOf)$/.test(callee.property.name);

/** The change in what an expression holds: `x.a = 1`, `delete x.a`, `x.push(1)`, `x.items.set(1, 2)`, `Object.assign(x, y)`. */
export function changeAt(node: ir.Node, scopes: Scopes): ir.Node | undefined {
  let at = node;
  let parent = scopes.parentOf.get(at);
  while (parent?.type === "Member" && parent.object === at) [at, parent] = [parent, scopes.parentOf.get(parent)];
  if (parent?.type === "Call" && parent.arguments[0] === at && isAssign(parent.callee)) return parent;
  if (at === node || !parent) return undefined;
  // `[x.a] = pair`, `({ b: x.b = 1 } = it)`.
  while (parent && isPatternAround(parent, at)) [at, parent] = [parent, scopes.parentOf.get(parent)];
  if (!parent) return undefined;
  if (targetOf(parent) === at) return parent;
  const method = at.type === "Member" && at.property.type === "Name" ? at.property.name : "";
  return parent.type === "Call" && parent.callee === at && MUTATORS.has(method) ? parent : undefined;
}

const isPatternAround = (parent: ir.Node, at: ir.Node): boolean =>
  parent.type === "ArrayPattern" ||
  parent.type === "ObjectPattern" ||
  parent.type === "Rest" ||
  (parent.type === "PatternProperty" && parent.value === at) ||
  (parent.type === "Default" && parent.left === at);

/** What a node assigns to. */
export function targetOf(node: ir.Node): ir.Node | undefined {
  if (node.type === "Assign") return node.left;
  if (node.type === "Update") return node.argument;
  if (node.type === "Unary" && node.operator === "delete") return node.argument;
  if ((node.type === "ForIn" || node.type === "ForOf") && node.left.type !== "Variable") return node.left;
  return undefined;
}

/** The single targets of a pattern. */
function* targets(pattern: ir.Node): Generator<ir.Node> {
  if (pattern.type === "ArrayPattern") for (const each of pattern.elements) if (each) yield* targets(each);
  if (pattern.type === "ObjectPattern")
    for (const each of pattern.properties) yield* targets(each.type === "Rest" ? each.argument : each.value);
  if (pattern.type === "Default") yield* targets(pattern.left);
  else if (pattern.type === "Rest") yield* targets(pattern.argument);
  else yield pattern;
}

/** The variable that an expression starts from: `a` of `a.b().c`. */
export function rootOf(node: ir.Node, scopes: Scopes): Binding | null {
  const base = baseOf(node);
  return base.type === "Identifier" ? bindingOf(base, scopes) : null;
}

function baseOf(node: ir.Node): ir.Node {
  for (let at: ir.Node = node; ; ) {
    if (at.type === "Member") at = at.object;
    else if (at.type === "Chain") at = at.expression;
    else if (at.type === "Call" || at.type === "New") at = at.callee;
    else return at;
  }
}

const bindingOf = (node: ir.Identifier, scopes: Scopes): Binding | null =>
  scopes.referenceOf.get(node)?.binding ?? null;

/** `f(…)`, `f(…).then(…)`: a function runs that may do anything to its module. */
function isCalledByName(callee: ir.Expression): boolean {
  for (let at: ir.Expression = callee; ; ) {
    if (at.type === "Identifier") return at === callee;
    if (at.type === "Member") at = at.object;
    else if (at.type === "Chain") at = at.expression;
    else if (at.type === "Call" || at.type === "New") {
      if (at.callee.type === "Identifier") return true;
      at = at.callee;
    } else return false;
  }
}

/** The variables whose values an expression hands on; a function's body doesn't run here. */
function* valuesIn(node: ir.Node): Generator<ir.Identifier> {
  if (node.type === "Identifier") yield node;
  else if (node.type !== "Function" && node.type !== "Class") {
    const children: ir.Node[] = [];
    forEachChild(node, (child) => void children.push(child));
    for (const child of children) yield* valuesIn(child);
  }
}
