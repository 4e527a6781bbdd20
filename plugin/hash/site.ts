/** An annotated function as a unit: its own code, that of the local functions that it captures, and how it is keyed. */
import { codeOf, isModuleLevel } from "../core/captures.ts";
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import type { SitePlan } from "../core/plan.ts";
import type { Binding, Scopes } from "../core/scope.ts";
import type { Ref, Unit } from "./facts.ts";
import type { FactsReading } from "./read-facts.ts";

export function siteUnit(plan: SitePlan, scopes: Scopes, reading: FactsReading): Unit {
  const local = plan.code.flatMap((binding) => {
    const code = codeOf(binding, scopes);
    return code && code !== "module" ? [{ binding, code }] : [];
  });
  const { key } = plan.options.code;
  const roots: ir.Node[] = [plan.fn, ...local.map((each) => each.code), ...(key ? [key] : [])];
  // `const h = help;` in a function around: another name for what the module has.
  for (const root of roots)
    for (const binding of boundOutside(root, scopes)) {
      const aliased = codeOf(binding, scopes) === "module" ? binding.declarations[0] : undefined;
      if (aliased?.type !== "Declarator" || !aliased.init || local.some((each) => each.binding === binding)) continue;
      local.push({ binding, code: aliased.init as ir.Function });
      roots.push(aliased.init);
    }
  // `this.rate()` and `super.load()` are code of the class, or of the object, around; a constant of a namespace, or of a
  // static block, is neither captured nor of the top level.
  const around = new Set(
    roots.flatMap((root) => [
      ...(readsAround(root, scopes) || isInPartOfNamespace(plan.fn, scopes) ? [plan.fn] : []),
      ...boundOutside(root, scopes).flatMap((each) => (isModuleLevel(each.scope) ? each.declarations : [])),
    ]),
  );
  const units = new Set([...around].flatMap((node) => reading.unitAt(node) ?? []));
  const before = [...units].sort((a, b) => a - b).flatMap((index) => refsTo(index, reading));
  return reading.unit({ roots, own: [], code: local.map((each) => each.binding), prefix: keying(plan), before });
}

/** In one of several bodies of a namespace, or beside its enum: a name of another body is written as if it were global. */
function isInPartOfNamespace(fn: ir.Function, scopes: Scopes): boolean {
  for (let at: ir.Node | undefined = fn; at; at = scopes.parentOf.get(at))
    if (at.type === "Namespace" && (scopes.declarationOf.get(at.id)?.declarations.length ?? 0) > 1) return true;
  return false;
}

/** A unit; and, where more of the module makes what it declares (`C.prototype.rate = …`, `namespace C {}`), all of that. */
function refsTo(index: number, { facts }: FactsReading): Ref[] {
  const shared = Object.entries(facts.bindings).filter(
    ([, { declared, running, contributors }]) =>
      declared.some(([unit]) => unit === index) && declared.length + running.length + contributors.length > 1,
  );
  return [{ to: "unit", index }, ...shared.map(([name]): Ref => ({ to: "binding", name }))];
}

/**
 * What else decides which entry a call finds: were it not in the hash, an entry of `f(a, _b)` would be served to
 * `f(_a, b)`. Names are not in it.
 */
function keying({ kind, options, bound, slots, excluded, captured }: SitePlan): string {
  const { version, env } = options.values;
  const parameters = bound.map((name) => (excluded.includes(name) ? "-" : "+")).join("");
  const others = slots
    .filter(({ name, text }) => text === null || !bound.includes(name))
    .map(({ name, text }) => (text !== null && captured.includes(name) ? "captured" : name));
  return JSON.stringify([kind, version ?? null, env ? [...env].sort() : [], parameters, others]);
}

/** What is meant by names that a piece of code does not declare itself, those of the top level left out. */
function boundOutside(root: ir.Node, scopes: Scopes): Binding[] {
  const found = new Set<Binding>();
  const visit = (node: ir.Node): void => {
    const binding = node.type === "Identifier" ? scopes.referenceOf.get(node)?.binding : undefined;
    if (
      binding &&
      binding.scope !== scopes.module &&
      !binding.declarations.some((each) => isWithin(each, root, scopes))
    )
      found.add(binding);
    forEachChild(node, visit);
  };
  visit(root);
  return [...found];
}

function isWithin(node: ir.Node, root: ir.Node, scopes: Scopes): boolean {
  for (let at: ir.Node | undefined = node; at; at = scopes.parentOf.get(at)) if (at === root) return true;
  return false;
}

/**
 * `this`, `super`, `new.target`; `other.#rate()`, which is of the class around whoever it is asked of; and `self.rate` of
 * `const load = function self() {}`, which is put there as `load.rate`, also where `self` is handed on. Not `self()`.
 */
function readsAround(root: ir.Node, scopes: Scopes): boolean {
  let found = false;
  const own = root.type === "Function" && root.kind === "expression" ? root.id?.name : undefined;
  const visit = (node: ir.Node): void => {
    if (found) return;
    if (AROUND.has(node.type)) found = true;
    else if (node.type === "Identifier" && node.name === own && !isCalled(node, scopes))
      found = scopes.referenceOf.get(node)?.binding?.declarations.includes(root) ?? false;
    if (!found) forEachChild(node, visit);
  };
  visit(root);
  return found;
}

function isCalled(node: ir.Identifier, scopes: Scopes): boolean {
  const parent = scopes.parentOf.get(node);
  return parent?.type === "Call" && parent.callee === node;
}

const AROUND: ReadonlySet<string> = new Set(["This", "Super", "NewTarget", "PrivateName"]);
