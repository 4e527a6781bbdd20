/**
 * What the key can't see of what a cached body does: state of the module that it reads, itself or by the functions that
 * it calls; the clock, the environment; changes to its arguments and to what is outside, which a hit does not make; and
 * parameters that no key can hold. Warnings: the author may know better.
 */
import { changeAt, rootOf } from "../hash/effects.ts";
import { codeOf, lexicalOwner } from "./captures.ts";
import type { Report } from "./diagnostics.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import type { SitePlan } from "./plan.ts";
import { boundNames, isInside, isReassigned, type Reference, type Scope, type Scopes } from "./scope.ts";
import { classMeant, stateOf, staticStateOf } from "./state.ts";

/** `annotated`: what is cached in its own right speaks for itself. */
export function lintSite(site: SitePlan, annotated: ReadonlySet<ir.Node>, scopes: Scopes, report: Report): void {
  const told = new Set<unknown>();
  const once = (what: unknown, tell: () => void): void => {
    if (told.has(what)) return;
    told.add(what);
    tell();
  };
  /** The function that is looked through, where it is not the site's own. */
  let via = "";
  const changed = new Map<unknown, { readonly node: ir.Identifier; readonly via: string }>();
  const visit = (node: ir.Node): void => {
    if (node === site.optionsStatement) return;
    const reference = node.type === "Identifier" ? scopes.referenceOf.get(node) : undefined;
    if (reference?.reads) {
      const state = stateOf(reference.binding, scopes);
      if (state) once(reference.binding, () => report.add(state, node, site.name, reference.node.name, via));
    }
    if (reference && changesOutside(reference, scopes)) {
      const what = reference.binding ?? reference.node.name;
      if (!changed.has(what)) changed.set(what, { node: reference.node, via });
    }
    const member = staticStateOf(node, scopes);
    if (member !== undefined) once(member, () => report.add("mutated-state", node, site.name, member, via));
    if (via === "" && site.kind === "data" && site.options.values.ttl === undefined) {
      const what = node.type === "Call" || node.type === "New" ? chanceOf(node, scopes) : undefined;
      if (what) once(what, () => report.add("impure-call", node, site.name, what));
    }
    const variable = environmentOf(node, scopes);
    if (variable !== undefined && !site.options.values.env?.includes(variable))
      once(`env ${variable}`, () => report.add("env-not-keyed", node, site.name, variable, via));
    const next = calledFunction(node, scopes);
    if (next && !annotated.has(next.fn))
      once(next.fn, () => {
        const outer = via;
        via = next.name;
        forEachChild(next.fn, visit);
        via = outer;
      });
    forEachChild(node, visit);
  };
  told.add(site.fn);
  visit(site.fn);
  for (const binding of site.code) {
    const code = codeOf(binding, scopes);
    if (code && code !== "module") once(code, () => visit(code));
  }
  // What is also read has been told.
  for (const [what, { node, via }] of changed)
    once(what, () => report.add("changes-outside", node, site.name, node.name, via));
  lintChanges(site, scopes, report);
  lintParameters(site, scopes, report);
}

/** The function of this module that is read here, to be called probably: `normalise`, `Rates.convert`. */
function calledFunction(
  node: ir.Node,
  scopes: Scopes,
): { readonly fn: ir.Function; readonly name: string } | undefined {
  if (node.type === "Identifier") {
    const reference = scopes.referenceOf.get(node);
    if (!reference?.reads || reference.binding?.scope !== scopes.module) return undefined;
    const code = codeOf(reference.binding, scopes);
    return code && code !== "module" && code.type === "Function" ? { fn: code, name: node.name } : undefined;
  }
  if (node.type !== "Member" || node.computed || node.property.type === "PrivateName") return undefined;
  const cls = classMeant(node.object, scopes);
  const { property } = node;
  if (property.type !== "Name") return undefined;
  for (const each of cls?.members ?? []) {
    if (each.type !== "Method" || !each.static || each.key.type !== "Name" || each.key.name !== property.name) continue;
    return { fn: each.value, name: `${cls?.id?.name ?? "this"}.${property.name}` };
  }
  return undefined;
}

/** Assigns a variable of the module or a global, or changes what is imported or global: `last = x`, `settings.last = x`. */
function changesOutside({ node, binding, reads, writes }: Reference, scopes: Scopes): boolean {
  if (binding ? binding.scope !== scopes.module : node.name === "arguments") return false;
  if (writes) return !reads;
  if (binding && binding.kind !== "import") return false;
  const change = changeAt(node, scopes);
  return change !== undefined && change.type !== "Call";
}

/** The first change to each keyed argument, captured variable, or `this`. */
function lintChanges({ fn, name, hashed }: SitePlan, scopes: Scopes, report: Report): void {
  const told = new Set<string>();
  const owner = lexicalOwner(fn, scopes);
  const visit = (node: ir.Node): void => {
    const what = node.type === "Identifier" ? node.name : node.type === "This" ? "this" : undefined;
    if (what !== undefined && hashed.includes(what) && !told.has(what)) {
      const isMeant = node.type === "This" ? lexicalOwner(node, scopes) === owner : isGiven(node as ir.Identifier);
      const change = isMeant ? changeAt(node, scopes) : undefined;
      if (change) {
        told.add(what);
        report.add("changes-argument", change, name, what);
      }
    }
    forEachChild(node, visit);
  };
  /** Means a parameter of the function, or what it captures: nothing that is declared in its body. */
  const isGiven = (id: ir.Identifier): boolean => {
    const binding = scopes.referenceOf.get(id)?.binding;
    if (!binding || binding.scope === scopes.module || isReassigned(binding)) return false;
    return binding.scope === scopes.scopeOf.get(fn) || !isInside(binding.scope, scopes.scopeOf.get(fn) as Scope);
  };
  visit(fn.body);
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
