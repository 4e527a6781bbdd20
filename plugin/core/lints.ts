/**
 * What a cached body reads that its key can't see: state of the module, the clock, the environment; and parameters that
 * no key can hold. Warnings: the author may know better.
 */
import { MUTATORS, rootOf, targetOf } from "../hash/effects.ts";
import { codeOf } from "./captures.ts";
import type { Report } from "./diagnostics.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import type { SitePlan } from "./plan.ts";
import { type Binding, boundNames, isReassigned, type Scopes } from "./scope.ts";

export function lintSite(site: SitePlan, scopes: Scopes, report: Report): void {
  const local = site.code.flatMap((binding) => {
    const code = codeOf(binding, scopes);
    return code && code !== "module" ? [code] : [];
  });
  const told = new Set<unknown>();
  const once = (what: unknown, tell: () => void): void => {
    if (told.has(what)) return;
    told.add(what);
    tell();
  };
  const visit = (node: ir.Node): void => {
    if (node === site.optionsStatement) return;
    if (node.type === "Identifier") {
      const reference = scopes.referenceOf.get(node);
      const state = reference?.reads ? stateOf(reference.binding, scopes) : undefined;
      if (state) once(reference?.binding, () => report.add(state, node, site.name, node.name));
    }
    if (
      site.kind === "data" &&
      site.options.values.ttl === undefined &&
      (node.type === "Call" || node.type === "New")
    ) {
      const what = chanceOf(node, scopes);
      if (what) once(what, () => report.add("impure-call", node, site.name, what));
    }
    const variable = environmentOf(node, scopes);
    if (variable !== undefined && !site.options.values.env?.includes(variable))
      once(`env ${variable}`, () => report.add("env-not-keyed", node, site.name, variable));
    forEachChild(node, visit);
  };
  for (const root of [site.fn, ...local]) visit(root);
  lintParameters(site, scopes, report);
}

/** A `let` that is assigned again, or an object that functions of the module change. */
function stateOf(binding: Binding | null, scopes: Scopes): "reassigned-state" | "mutated-state" | undefined {
  if (binding?.scope !== scopes.module || !/^(?:var|let|const)$/.test(binding.kind)) return undefined;
  if (isReassigned(binding)) return "reassigned-state";
  return binding.references.some(({ node }) => isMutation(node, scopes) && isInFunction(node, scopes))
    ? "mutated-state"
    : undefined;
}

/** `x.a = 1`, `delete x.a`, `x.push(1)`, `x.items.set(1, 2)`. */
function isMutation(node: ir.Identifier, scopes: Scopes): boolean {
  let at: ir.Node = node;
  let parent = scopes.parentOf.get(at);
  while (parent?.type === "Member" && parent.object === at) [at, parent] = [parent, scopes.parentOf.get(parent)];
  if (at === node || !parent) return false;
  if (targetOf(parent) === at) return true;
  const method = at.type === "Member" && at.property.type === "Name" ? at.property.name : "";
  return parent.type === "Call" && parent.callee === at && MUTATORS.has(method) && method !== "sort";
}

function isInFunction(node: ir.Node, scopes: Scopes): boolean {
  for (let at = scopes.parentOf.get(node); at; at = scopes.parentOf.get(at)) if (at.type === "Function") return true;
  return false;
}

/** Another value at each call: `Date.now()`. */
function chanceOf(node: ir.Call | ir.New, scopes: Scopes): string | undefined {
  const { callee } = node;
  const isFree = (name: string): boolean => rootOf(callee, scopes) === null && rootName(callee) === name;
  if (callee.type === "Identifier" && isFree("Date") && node.arguments.length === 0)
    return node.type === "New" ? "new Date()" : "Date()";
  if (callee.type !== "Member" || callee.object.type !== "Identifier" || callee.property.type !== "Name")
    return undefined;
  const path = `${callee.object.name}.${callee.property.name}`;
  return CHANCE.has(path) && isFree(callee.object.name) ? `${path}()` : undefined;
}

const CHANCE: ReadonlySet<string> = new Set(["Date.now", "Math.random", "performance.now", "crypto.randomUUID"]);

function rootName(node: ir.Expression): string | undefined {
  if (node.type === "Identifier") return node.name;
  return node.type === "Member" ? rootName(node.object) : undefined;
}

/** The `X` of `process.env.X` and `import.meta.env.X`. */
function environmentOf(node: ir.Node, scopes: Scopes): string | undefined {
  if (node.type !== "Member" || node.computed || node.property.type !== "Name") return undefined;
  const { object } = node;
  if (object.type !== "Member" || object.property.type !== "Name" || object.property.name !== "env") return undefined;
  const isProcess = object.object.type === "Identifier" && object.object.name === "process" && !rootOf(object, scopes);
  return isProcess ? node.property.name : undefined;
}

/** Types that the runtime refuses as arguments. */
const UNKEYABLE: ReadonlySet<string> = new Set([
  "Function",
  "Promise",
  "WeakMap",
  "WeakSet",
  "WeakRef",
  "Request",
  "Response",
  "ReadableStream",
  "AbortSignal",
]);

function lintParameters({ fn, name, hashed, options }: SitePlan, scopes: Scopes, report: Report): void {
  if (options.code.key) return;
  for (const { pattern, annotation } of fn.params) {
    const [id] = boundNames(pattern);
    if (!id || annotation === null || !hashed.includes(id.name)) continue;
    const cls = scopes.module.bindings.get(annotation)?.declarations[0];
    const isClass = cls?.type === "Class" && !cls.members.some((member) => "computed" in member && member.computed);
    if (annotation !== "function" && !UNKEYABLE.has(annotation) && !isClass) continue;
    const what =
      annotation === "function" ? "a function" : isClass ? `an instance of ${annotation}` : `a ${annotation}`;
    report.add("unkeyable-parameter", id, name, id.name, what);
  }
}
