/** An annotated function as a unit: its own code, that of the local functions that it captures, and how it is keyed. */
import { codeOf } from "../core/captures.ts";
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import type { SitePlan } from "../core/plan.ts";
import type { Scopes } from "../core/scope.ts";
import type { Ref, Unit } from "./facts.ts";
import type { FactsReading } from "./read-facts.ts";

export function siteUnit(plan: SitePlan, scopes: Scopes, reading: FactsReading): Unit {
  const local = plan.code.flatMap((binding) => {
    const code = codeOf(binding, scopes);
    return code && code !== "module" ? [{ binding, code }] : [];
  });
  const { key } = plan.options.code;
  const roots = [plan.fn, ...local.map((each) => each.code), ...(key ? [key] : [])];
  // `this.rate()` and `super.load()` are code of the class, or of the object, around.
  const around = roots.some(readsThis) ? reading.unitAt(plan.fn) : undefined;
  const before: Ref[] = around === undefined ? [] : [{ to: "unit", index: around }];
  return reading.unit({ roots, own: [], code: local.map((each) => each.binding), prefix: keying(plan), before });
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

function readsThis(root: ir.Node): boolean {
  let found = false;
  const visit = (node: ir.Node): void => {
    if (node.type === "This" || node.type === "Super") found = true;
    else if (!found) forEachChild(node, visit);
  };
  visit(root);
  return found;
}
