/**
 * What a top-level statement does to the bindings of its module. An effect statement (`registry.set("a", load)`) belongs
 * to the code of what it touches; one that touches nothing here (`BigInt.prototype.toJSON = …`) to that of every unit.
 */
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import type { Binding, Scopes } from "../core/scope.ts";

export interface Touched {
  readonly bindings: ReadonlySet<Binding>;
  /** It touches no binding of the module, or calls a function of the module, which may touch any. */
  readonly residue: boolean;
}

/** Of a statement that runs for its effect: what it assigns, calls a method on, or passes as an argument. */
export function touchedBy(statement: ir.Node, scopes: Scopes): Touched {
  const bindings = new Set<Binding>();
  let callsLocal = false;
  const add = (binding: Binding | null | undefined): void => {
    if (binding?.scope === scopes.module && binding.kind !== "import") bindings.add(binding);
  };
  const visit = (node: ir.Node): void => {
    const target = targetOf(node);
    if (target) for (const each of targets(target)) add(rootOf(each, scopes));
    if (node.type === "Identifier") {
      const reference = scopes.referenceOf.get(node);
      if (reference?.writes) add(reference.binding);
      else if (!reference) add(scopes.declarationOf.get(node));
    }
    if (node.type === "Call" || node.type === "New") {
      const { callee } = node;
      const root = rootOf(callee, scopes);
      if (root && isCalledByName(callee)) callsLocal ||= root.scope === scopes.module && root.kind !== "import";
      else add(root);
      for (const argument of node.arguments) for (const each of valuesIn(argument)) add(bindingOf(each, scopes));
    }
    forEachChild(node, visit);
  };
  visit(statement);
  return { bindings, residue: callsLocal || bindings.size === 0 };
}

/**
 * Of an initialiser or a class, which run too, but mostly to make a value: only what they visibly change. Nested
 * functions run later, if at all.
 */
export function changedBy(unit: ir.Node, scopes: Scopes): ReadonlySet<Binding> {
  const bindings = new Set<Binding>();
  const add = (binding: Binding | null | undefined): void => {
    if (binding?.scope === scopes.module && binding.kind !== "import") bindings.add(binding);
  };
  const visit = (node: ir.Node): void => {
    if (node.type === "Function") return;
    const target = targetOf(node);
    if (target) for (const each of targets(target)) add(rootOf(each, scopes));
    if (node.type === "Call") {
      const { callee } = node;
      if (callee.type === "Function") forEachChild(callee, visit);
      else if (callee.type === "Member" && callee.property.type === "Name" && MUTATORS.has(callee.property.name))
        add(rootOf(callee, scopes));
      if (isAssign(callee) && node.arguments[0]) add(rootOf(node.arguments[0], scopes));
    }
    forEachChild(node, visit);
  };
  visit(unit);
  return bindings;
}

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
  callee.object.name === "Object" &&
  callee.property.type === "Name" &&
  /^(assign|definePropert(y|ies)|setPrototypeOf)$/.test(callee.property.name);

/** The change in what an expression holds: `x.a = 1`, `delete x.a`, `x.push(1)`, `x.items.set(1, 2)`, `Object.assign(x, y)`. */
export function changeAt(node: ir.Node, scopes: Scopes): ir.Node | undefined {
  let at = node;
  let parent = scopes.parentOf.get(at);
  if (parent?.type === "Call" && parent.arguments[0] === node && isAssign(parent.callee)) return parent;
  while (parent?.type === "Member" && parent.object === at) [at, parent] = [parent, scopes.parentOf.get(parent)];
  if (at === node || !parent) return undefined;
  if (targetOf(parent) === at) return parent;
  const method = at.type === "Member" && at.property.type === "Name" ? at.property.name : "";
  return parent.type === "Call" && parent.callee === at && MUTATORS.has(method) ? parent : undefined;
}

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
  for (let at: ir.Node = node; ; ) {
    if (at.type === "Identifier") return bindingOf(at, scopes);
    if (at.type === "Member") at = at.object;
    else if (at.type === "Chain") at = at.expression;
    else if (at.type === "Call" || at.type === "New") at = at.callee;
    else return null;
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
