/**
 * What of a program changes while it runs, as far as its own file shows it: variables that are assigned again, objects
 * and static members that functions change. For lints; the key and the code hash don't depend on it.
 */
import { changeAt, targetOf } from "../hash/effects.ts";
import { classOfThis, codeOf, lexicalOwner } from "./captures.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import type { Binding, Scopes } from "./scope.ts";

export type Change = "reassigned-state" | "mutated-state";

/** Whether the module's variable that an identifier means is assigned again, or holds what functions of the module change. */
export function stateOf(binding: Binding | null, scopes: Scopes): Change | undefined {
  if (binding?.scope !== scopes.module || !/^(?:var|let|const)$/.test(binding.kind)) return undefined;
  let state = states.get(binding);
  if (state === undefined) {
    state = findState(binding, scopes) ?? "constant";
    states.set(binding, state);
  }
  return state === "constant" ? undefined : state;
}

/** Every site that calls a function reads all that it reads. */
const states = new WeakMap<Binding, Change | "constant">();

function findState(binding: Binding, scopes: Scopes): Change | undefined {
  const writes = binding.references.filter((reference) => reference.writes);
  // `client ??= connect()` gives it its value; it does not take another one.
  if (writes.length > 0) return writes.every(({ node }) => isLateValue(node, scopes)) ? undefined : "reassigned-state";
  const changed = binding.references.some(({ node }) => isChange(node, scopes));
  return changed ? "mutated-state" : undefined;
}

/** Of a class or a function, the member that an expression reads, if functions change it: `A.count`. */
export function staticStateOf(node: ir.Node, scopes: Scopes): string | undefined {
  const read = staticMember(node, scopes);
  return read && changedStatics(read.of, scopes).has(read.member)
    ? `${read.of.id?.name ?? "this"}.${read.member}`
    : undefined;
}

function staticMember(node: ir.Node, scopes: Scopes): { readonly of: Holder; readonly member: string } | undefined {
  if (node.type !== "Member" || node.computed) return undefined;
  const of = classMeant(node.object, scopes) ?? functionMeant(node.object, scopes);
  const { property } = node;
  if (!of) return undefined;
  if (property.type === "Name") return { of, member: property.name };
  return property.type === "PrivateName" ? { of, member: `#${property.name}` } : undefined;
}

type Holder = ir.Class | ir.Function;

function functionMeant(node: ir.Expression, scopes: Scopes): ir.Function | undefined {
  const binding = node.type === "Identifier" ? scopes.referenceOf.get(node)?.binding : undefined;
  const code = binding ? codeOf(binding, scopes) : undefined;
  return code && code !== "module" && code.type === "Function" ? code : undefined;
}

/** The class of the module that `A`, or `this` in one of its static members, stands for. */
export function classMeant(node: ir.Expression, scopes: Scopes): ir.Class | undefined {
  if (node.type === "Identifier") {
    const [declaration] = scopes.referenceOf.get(node)?.binding?.declarations ?? [];
    if (declaration?.type === "Class") return declaration;
    return declaration?.type === "Declarator" && declaration.init?.type === "Class" ? declaration.init : undefined;
  }
  if (node.type !== "This") return undefined;
  const meant = classOfThis(lexicalOwner(node, scopes), scopes);
  return meant?.isStatic ? meant.cls : undefined;
}

const statics = new WeakMap<Holder, ReadonlySet<string>>();

function changedStatics(of: Holder, scopes: Scopes): ReadonlySet<string> {
  let changed = statics.get(of);
  if (changed === undefined) {
    const found = new Set<string>();
    const look = (meant: ir.Node): void => {
      const node = scopes.parentOf.get(meant);
      const read = node && staticMember(node, scopes);
      if (node === undefined || read?.of !== of) return;
      const isAssigned = targetOf(scopes.parentOf.get(node) as ir.Node) === node && isInFunction(node, scopes);
      if (isAssigned || isChange(node, scopes)) found.add(read.member);
    };
    for (const { node } of scopes.references) look(node);
    const lookInside = (node: ir.Node): void => {
      if (node.type === "This") look(node);
      forEachChild(node, lookInside);
    };
    if (of.type === "Class") lookInside(of);
    changed = found;
    statics.set(of, changed);
  }
  return changed;
}

/** Made whenever a function is called; sorting again what is sorted is none. */
function isChange(node: ir.Node, scopes: Scopes): boolean {
  const change = changeAt(node, scopes);
  const callee = change?.type === "Call" && change.callee.type === "Member" ? change.callee.property : undefined;
  return change !== undefined && isInFunction(change, scopes) && !(callee?.type === "Name" && callee.name === "sort");
}

function isInFunction(node: ir.Node, scopes: Scopes): boolean {
  for (let at = scopes.parentOf.get(node); at; at = scopes.parentOf.get(at)) if (at.type === "Function") return true;
  return false;
}

const isLateValue = (node: ir.Node, scopes: Scopes): boolean => {
  const parent = scopes.parentOf.get(node);
  return parent?.type === "Assign" && parent.left === node && parent.operator === "??=";
};
