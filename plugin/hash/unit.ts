/** One unit of code: its canonical text, and every dependency in the order of its first mention. */
import type * as ir from "../core/ir.ts";
import type { Binding, Scopes } from "../core/scope.ts";
import { digest } from "./digest.ts";
import { targetOf } from "./effects.ts";
import type { Ref, Unit, Unknown } from "./facts.ts";
import { DEFAULT } from "./facts.ts";
import { contextOf, globOf, patternsOf, textOf } from "./patterns.ts";
import { serialize } from "./serialize.ts";
import { memberName, memberPath, type Uses, usesOf, usesOfPromise } from "./uses.ts";

/** What the units of one module share. */
export interface UnitContext {
  readonly scopes: Scopes;
  readonly skip: (node: ir.Node) => boolean;
  readonly lineOf: (node: ir.Node) => number;
  /** `@jsxImportSource`. */
  readonly jsxImportSource: string | null;
  /** `@jsx` and `@jsxFrag`: the names that elements stand for. */
  readonly jsxNames: readonly string[];
  /** `"use strict"` at the top of a script: its functions' `this` and more depend on it, and their own text doesn't say it. */
  readonly strict: boolean;
}

export interface UnitParts {
  readonly roots: readonly ir.Node[];
  /** Bindings of the module that it declares. */
  readonly own: readonly (Binding | typeof DEFAULT)[];
  /** Local functions and classes that come as further roots: `&0` is the first. */
  readonly code?: readonly Binding[];
  /** Text and dependencies that stand before its own. */
  readonly prefix?: string;
  readonly before?: readonly Ref[];
}

export function makeUnit({ roots, own, code = [], prefix = "", before = [] }: UnitParts, context: UnitContext): Unit {
  const { scopes, skip, lineOf } = context;
  const refs: Ref[] = [...before];
  const index = new Map<string, number>(refs.map((ref, k) => [JSON.stringify(ref), k]));
  const unknowns = new Map<string, Unknown>();
  const globals = new Set<string>();

  const refer = (...all: readonly Ref[]): string =>
    `@${all
      .map((ref) => {
        const key = JSON.stringify(ref);
        let k = index.get(key);
        if (k === undefined) index.set(key, (k = refs.push(ref) - 1));
        return k;
      })
      .join(",")}`;
  const doubt = (what: Unknown["what"], node: ir.Node): undefined => {
    if (!unknowns.has(what)) unknowns.set(what, { what, line: lineOf(node) });
    return undefined;
  };

  /** One of several files, or any. */
  const loadsSome = (what: Unknown["what"], node: ir.Node, patterns: readonly string[] | undefined): undefined => {
    if (patterns) refer({ to: "files", patterns });
    else doubt(what, node);
  };

  const name = (node: ir.Identifier, given: Binding | null): string | undefined => {
    const binding = given && outerOf(given, scopes);
    if (!binding) {
      const exported = ownExportRead(node, scopes);
      if (exported) refer({ to: "exports", names: exported.names });
      globals.add([node.name, ...memberPath(node, scopes, 3)].join("."));
      return undefined;
    }
    const captured = code.indexOf(binding);
    if (captured >= 0) return `&${captured}`;
    if (binding.scope !== scopes.module) return undefined;
    const imported = importOf(binding, scopes);
    if (imported) return refer(...importRefs(node, imported, scopes));
    const declared = own.indexOf(binding);
    if (declared >= 0 && !scopes.referenceOf.has(node)) return `^${declared}`;
    return refer({ to: "binding", name: binding.name });
  };

  const replace = (node: ir.Node): string | undefined => {
    switch (node.type) {
      case "Member": {
        if (node.object.type === "ImportMeta") {
          globals.add(["import.meta", ...memberPath(node.object, scopes, 2)].join("."));
          if (!memberName(node)?.startsWith("glob")) return undefined;
          return loadsSome("import.meta.glob()", node, globOf(node, scopes));
        }
        // `ns.x` names a binding, as an import of `x` would.
        const binding = node.object.type === "Identifier" ? scopes.referenceOf.get(node.object)?.binding : null;
        const imported = binding && importOf(binding, scopes);
        if (!imported || imported.name !== null || memberName(node) === undefined) return undefined;
        return `(ns ${refer(...importRefs(node.object as ir.Identifier, imported, scopes))})`;
      }
      case "ImportCall": {
        const from = textOf(node.source);
        if (from === undefined) return loadsSome("import()", node, patternsOf(node.source));
        const paths = usesOfPromise(node, scopes, depthOf(from));
        return `(import ${refer(...moduleRefs(from, null, paths))})`;
      }
      case "Call": {
        const { callee } = node;
        if (isFree(callee, "eval", scopes)) return doubt("eval", node);
        if (isFree(callee, "Function", scopes)) return doubt("new Function", node);
        const some = contextOf(node, scopes);
        if (some) return loadsSome(some.what, node, some.patterns);
        if (!isRequire(callee, scopes)) return undefined;
        const from = node.arguments[0] && textOf(node.arguments[0]);
        if (from === undefined) return loadsSome("require()", node, patternsOf(node.arguments[0]));
        return `(require ${refer(...moduleRefs(from, null, usesOf(node, scopes, depthOf(from))))})`;
      }
      case "New": {
        if (isFree(node.callee, "Function", scopes)) return doubt("new Function", node);
        if (!isFree(node.callee, "URL", scopes) || !isOfModule(node)) return undefined;
        const asset = assetOf(node);
        if (asset !== undefined) return `(asset ${refer({ to: "asset", from: asset })})`;
        // A folder, or what is known at run time alone.
        const patterns = patternsOf(node.arguments[0]);
        if (patterns && textOf(node.arguments[0] as ir.Node) === undefined) refer({ to: "files", patterns });
        return undefined;
      }
      case "With":
        return doubt("with", node);
      case "JSXElement":
      case "JSXFragment":
        if (context.jsxNames.length === 0) refer({ to: "jsx", from: context.jsxImportSource });
        for (const each of context.jsxNames) {
          const binding = scopes.module.bindings.get(each);
          const imported = binding && importOf(binding, scopes);
          if (imported)
            refer({ to: "module", from: imported.from, names: imported.name === null ? [] : [imported.name] });
          else if (binding) refer({ to: "binding", name: each });
        }
        return undefined;
      default:
        return undefined;
    }
  };

  const texts = serialize(roots, { scopes, skip, name, replace });
  return {
    digest: digest([prefix, ...(context.strict ? ["strict"] : []), ...texts].join("\n")),
    refs,
    names: own.map((each) => (each === DEFAULT ? "default" : each.name)),
    line: lineOf(roots[0] as ir.Node),
    unknowns: [...unknowns.values()],
    globals: [...globals].filter((each) => !LANGUAGE.test(each)).sort(),
  };
}

/** What no build replaces, left out to keep facts small. */
const LANGUAGE =
  /^(?:undefined|NaN|Infinity|console|Math|JSON|Object|Array|String|Number|Boolean|BigInt|Symbol|Promise|Map|Set|WeakMap|Date|RegExp|Reflect|Error|TypeError|Buffer|URL)(?:\.|$)/;

/** Inside its own body a class has a second binding of its name: to us it is the same class. */
function outerOf(binding: Binding, scopes: Scopes): Binding {
  const [declaration] = binding.declarations;
  if (binding.kind !== "self" || declaration?.type !== "Class" || declaration.kind !== "declaration") return binding;
  return (declaration.id && scopes.declarationOf.get(declaration.id)) || binding;
}

// ── other modules ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Imported {
  readonly from: string;
  /** `null`: the namespace. */
  readonly name: string | null;
  /** `with { type: "text" }`: the content, not a module. */
  readonly bytes: boolean;
  /** `with { type: "json" }`. */
  readonly json: boolean;
}

/** What an import binding stands for. */
export function importOf(binding: Binding, scopes: Scopes): Imported | undefined {
  if (binding.kind !== "import") return undefined;
  const [declaration] = binding.declarations;
  if (declaration?.type === "ImportEquals")
    return declaration.source === null
      ? undefined
      : { from: declaration.source, name: null, bytes: false, json: false };
  if (declaration?.type !== "ImportSpecifier") return undefined;
  const { source, attributes } = scopes.parentOf.get(declaration) as ir.Import;
  const json = attributes.some(({ key, value }) => key === "type" && value === "json");
  return { from: source, name: declaration.imported, bytes: areBytes(attributes), json };
}

export const areBytes = (attributes: readonly ir.ImportAttribute[]): boolean =>
  attributes.some(({ key, value }) => key === "type" && !/^(json|javascript|module)$/.test(value));

function importRefs(node: ir.Identifier, { from, name, bytes, json }: Imported, scopes: Scopes): Ref[] {
  if (bytes) return [{ to: "module", from, names: [], bytes }];
  const depth = depthOf(from, json);
  if (name === null || depth > NAMESPACE_DEPTH) return moduleRefs(from, name, usesOf(node, scopes, depth));
  // One member more: `a` may be the namespace of `export * as a`.
  return moduleRefs(from, name, [memberPath(node, scopes, 1)]);
}

function moduleRefs(from: string, name: string | null, paths: Uses): Ref[] {
  const prefix = name === null ? [] : [name];
  return paths.map((path) => ({ to: "module", from, names: [...prefix, ...path] }) as const);
}

/** A namespace may hold a namespace; of JSON every level can be told apart. */
const NAMESPACE_DEPTH = 2;
const depthOf = (from: string, json = false): number => (json || /\.json(\?|$)/.test(from) ? 8 : NAMESPACE_DEPTH);

/** `require`, or a module-level name for what `createRequire` gave. */
export function isRequire(callee: ir.Expression, scopes: Scopes): boolean {
  if (callee.type === "Call") return makesRequire(callee.callee, scopes);
  if (callee.type !== "Identifier") return false;
  const binding = scopes.referenceOf.get(callee)?.binding;
  if (!binding) return callee.name === "require";
  const [declaration] = binding.declarations;
  return (
    declaration?.type === "Declarator" &&
    declaration.init?.type === "Call" &&
    makesRequire(declaration.init.callee, scopes)
  );
}

function makesRequire(maker: ir.Expression, scopes: Scopes): boolean {
  if (maker.type === "Member") return memberName(maker) === "createRequire";
  if (maker.type !== "Identifier") return false;
  const binding = scopes.referenceOf.get(maker)?.binding;
  return ((binding && importOf(binding, scopes)?.name) ?? maker.name) === "createRequire";
}

/** `new URL("./x.wasm", import.meta.url)`. */
const isOfModule = ({ arguments: [, base] }: ir.New): boolean =>
  base?.type === "Member" && base.object.type === "ImportMeta" && memberName(base) === "url";

function assetOf({ arguments: [path] }: ir.New): string | undefined {
  const from = path && textOf(path);
  return from && !/^[a-z][a-z\d+.-]*:/i.test(from) ? from : undefined;
}

/**
 * `exports.a`, `module.exports.a` where it is read: a name of the module's own; or `[]`, all of them, where a function hands
 * on the object itself. `isChanged`: it is assigned too (`exports.a ??= 1`).
 */
export function ownExportRead(
  node: ir.Identifier,
  scopes: Scopes,
): { readonly names: readonly string[]; readonly isChanged: boolean } | undefined {
  if (node.name !== "exports" && node.name !== "module") return undefined;
  const names = memberPath(node, scopes, node.name === "module" ? 2 : 1);
  if (node.name === "module" && names.shift() !== "exports") return undefined;
  let isChanged = false;
  for (
    let at: ir.Node = node, parent = scopes.parentOf.get(at);
    parent;
    at = parent, parent = scopes.parentOf.get(at)
  ) {
    if (targetOf(parent) === at) {
      if (parent.type === "Assign" && parent.operator === "=") return undefined;
      isChanged = true;
    }
    if (parent.type === "Function") return { names, isChanged };
  }
  return names.length > 0 ? { names, isChanged } : undefined;
}

function isFree(node: ir.Node, name: string, scopes: Scopes): boolean {
  return node.type === "Identifier" && node.name === name && !scopes.referenceOf.get(node)?.binding;
}
