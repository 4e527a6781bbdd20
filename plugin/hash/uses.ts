/**
 * What is used of an imported module: `ns.x` reaches `x` alone, `const { a } = await import("./m")` only `a`. Where the
 * namespace itself is passed on, all of it is reached.
 */
import type * as ir from "../core/ir.ts";
import type { Binding, Scopes } from "../core/scope.ts";

/** Paths of names, each from the namespace or value that the node stands for; `[[]]` is everything. */
export type Uses = readonly (readonly string[])[];

const EVERYTHING: Uses = [[]];

/** `ns.a.b` used of `ns`: at most `depth` names. */
export function memberPath(node: ir.Node, scopes: Scopes, depth: number): string[] {
  const names: string[] = [];
  for (let at = node; names.length < depth; ) {
    const parent = scopes.parentOf.get(at);
    const name = parent?.type === "Member" && parent.object === at ? memberName(parent) : undefined;
    if (name === undefined) break;
    names.push(name);
    at = parent as ir.Member;
  }
  return names;
}

/** The name of a member that is known: `.a`, `["a"]`. */
export function memberName({ property, computed }: ir.Member): string | undefined {
  if (!computed) return property.type === "Name" ? property.name : undefined;
  return property.type === "String" ? property.value : undefined;
}

/** What is used of the value of an expression. */
export function usesOf(node: ir.Node, scopes: Scopes, depth: number, hops = 3): Uses {
  const path = memberPath(node, scopes, depth);
  if (path.length > 0) return [path];
  const parent = scopes.parentOf.get(node);
  if (parent?.type === "Declarator" && parent.init === node)
    return usesOfPattern(parent.id, parent, scopes, depth, hops);
  if (parent?.type === "Await") return usesOf(parent, scopes, depth, hops);
  return EVERYTHING;
}

/** What is used of the module that a promise (`import("./m")`) gives. */
export function usesOfPromise(node: ir.Node, scopes: Scopes, depth: number): Uses {
  const parent = scopes.parentOf.get(node);
  if (parent?.type === "Await") return usesOf(parent, scopes, depth);
  if (parent?.type !== "Member" || parent.object !== node || memberName(parent) !== "then") return EVERYTHING;
  const call = scopes.parentOf.get(parent);
  if (call?.type !== "Call" || call.callee !== parent) return EVERYTHING;
  const [then] = call.arguments;
  if (then?.type !== "Function") return EVERYTHING;
  const [param] = then.params;
  return param ? usesOfPattern(param.pattern, param, scopes, depth) : [];
}

function usesOfPattern(pattern: ir.Pattern, owner: ir.Node, scopes: Scopes, depth: number, hops = 3): Uses {
  if (pattern.type === "ObjectPattern") {
    const names: string[][] = [];
    for (const property of pattern.properties) {
      if (property.type === "Rest" || property.computed || property.key.type !== "Name") return EVERYTHING;
      names.push([property.key.name]);
    }
    return names;
  }
  if (pattern.type !== "Identifier") return EVERYTHING;
  const binding = scopes.declarationOf.get(pattern);
  return binding && hops > 0 ? usesOfBinding(binding, owner, scopes, depth, hops - 1) : EVERYTHING;
}

/** `const m = …`, as long as every use of `m` is seen. An alias of an alias of an alias is as good as passed on. */
function usesOfBinding(binding: Binding, owner: ir.Node, scopes: Scopes, depth: number, hops: number): Uses {
  if (binding.declarations.length > 1 || binding.references.some((each) => each.writes)) return EVERYTHING;
  const variable = scopes.parentOf.get(owner);
  if (variable && scopes.parentOf.get(variable)?.type === "ExportNamed") return EVERYTHING;
  const found = new Map<string, readonly string[]>();
  for (const { node } of binding.references)
    for (const path of usesOf(node, scopes, depth, hops)) {
      if (path.length === 0) return EVERYTHING;
      found.set(path.join("\0"), path);
    }
  return [...found.values()];
}
