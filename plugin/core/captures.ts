/**
 * What a cached body takes from the functions around it. A captured value becomes part of the key, read at call time; a
 * captured function or class that is never reassigned becomes part of the code, and what it captures in turn is keyed.
 * Module-level bindings are neither: they are in the code hash.
 */
import { changeAt } from "../hash/effects.ts";
import type { Report } from "./diagnostics.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import { type Binding, isInside, isReassigned, lookup, type Reference, type Scope, type Scopes } from "./scope.ts";

export interface Captures {
  /** Keyed, in the order of their first use. */
  readonly values: readonly Binding[];
  /** Those of {@link values} that another variable of the name hides from the site: the list where they can be named. */
  readonly hidden: ReadonlyMap<Binding, ir.Node>;
  /** Functions and classes of the scopes around, whose code belongs to the site's. */
  readonly code: readonly Binding[];
  readonly usesThis: boolean;
  readonly usesArguments: boolean;
  /** Where, if in the body itself. */
  readonly argumentsAt: ir.Identifier | null;
  readonly usesNewTarget: boolean;
}

export function inferCaptures(
  fn: ir.Function,
  f: string,
  scopes: Scopes,
  ignored: ReadonlySet<string>,
  report: Report,
): Captures {
  const values = new Set<Binding>();
  const hidden = new Map<Binding, ir.Node>();
  const code = new Set<Binding>();
  const own = ownUses(scopes, [fn.body]);
  const functionScope = scopes.scopeOf.get(fn) as Scope;
  const thisOwner = lexicalOwner(fn, scopes);
  let usesThis = own.this && thisOwner !== null;
  let usesArguments = own.arguments !== null && thisOwner?.type === "Function" && !lookup(functionScope, "arguments");
  const usesNewTarget = own.newTarget && thisOwner?.type === "Function";

  let recursive = false;
  const classes = new Set<ir.Node>();
  const around = new Set<ir.Node>();
  const isExcluded = ({ name }: Binding): boolean => name.startsWith("_") || ignored.has(name);
  const follow = (root: ir.Node, via: Binding | null, within: ir.Node = root): void => {
    if (root.type === "Class") {
      if (classes.has(root)) return;
      classes.add(root);
    }
    for (const reference of freeReferences(root, within, scopes)) {
      const binding = reference.binding as Binding;
      if (isModuleLevel(binding.scope)) continue;
      if (binding.declarations.includes(fn)) {
        followParameters(binding);
        continue;
      }
      if (binding.declarations.includes(root)) continue;
      if (isInside(binding.scope, functionScope)) continue;
      if (reference.writes) {
        // Most members of the class around are not called: what they write is told only where they are cached themselves.
        if (!around.has(root)) report.add("writes-captured", reference.node, f, binding.name);
        if (!around.has(root) || !reference.reads) continue;
      }
      const unit = codeOf(binding, scopes);
      if (unit === "module") continue;
      if (unit) {
        if (code.has(binding)) continue;
        code.add(binding);
        if (isChanged(unit, scopes) && !ignored.has(binding.name)) refuseChanged(reference.node, binding.name, unit);
        if (unit === fn) {
          followParameters(binding);
          continue;
        }
        if (unit.type === "Function") inheritOwner(unit, reference);
        follow(unit, binding);
        continue;
      }
      if (lookup(functionScope, binding.name) !== binding) {
        const list = listThatSees(binding, functionScope, scopes);
        if (list) hidden.set(binding, list);
        else {
          if (!ignored.has(binding.name))
            report.add("shadowed-capture", reference.node, f, binding.name, via?.name ?? binding.name);
          continue;
        }
      }
      values.add(binding);
      const made = isExcluded(binding) ? undefined : classMade(binding, functionScope, scopes);
      if (made) around.add(made);
    }
  };
  /**
   * Parameters' defaults are evaluated before the key is made: what they read is in the bound values. But not in those
   * of a call that the body makes to itself.
   */
  const followParameters = (via: Binding): void => {
    if (recursive) return;
    recursive = true;
    for (const param of fn.params) follow(fn, via, param);
  };
  /** A captured arrow sees the `this` around it: the same as the site's only if nothing in between has its own. */
  const inheritOwner = (unit: ir.Function, { node }: Reference): void => {
    if (unit.kind !== "arrow") return;
    const uses = ownUses(scopes, [...unit.params, unit.body]);
    if (!uses.this && !uses.arguments) return;
    const owner = lexicalOwner(unit, scopes);
    if (owner === null) return;
    if (owner !== thisOwner) {
      if (!ignored.has(node.name))
        report.add("captures-unkeyable", node, f, node.name, uses.this ? "this" : "arguments");
    } else {
      usesThis ||= uses.this;
      usesArguments ||= uses.arguments !== null && owner.type === "Function";
    }
  };
  const refuseChanged = (at: ir.Node, name: string, { type }: ir.Function | ir.Class, ignore = name): void =>
    report.add("captures-changed", at, f, name, type === "Class" ? "class" : "function", ignore);
  follow(fn, null, fn.body);
  // `this.rate()`, `super.rate()` and `other.#rate()` are code of the class around, which may capture in turn.
  const cls = usesThis && !ignored.has("this") ? localClass(classOfThis(thisOwner, scopes)?.cls, scopes) : undefined;
  if (cls) around.add(cls);
  for (const each of localClassesAround(fn, own.privateNames, scopes)) around.add(each);
  const meant = new Set<ir.Node>(cls && [cls]);
  for (const each of around) {
    follow(each, null);
    if (!meant.has(each)) continue;
    // `this` may be an instance of a class that is derived beside it.
    for (const sub of subclassesOf(each, functionScope, scopes)) {
      meant.add(sub);
      around.add(sub);
    }
  }
  if (cls && isChanged(cls, scopes)) {
    const member = scopes.parentOf.get(fn);
    refuseChanged(member?.type === "Method" ? member.key : fn, cls.id?.name ?? "its class", cls, "this");
  }
  if (recursive && fn.kind === "arrow") {
    const uses = ownUses(scopes, fn.params);
    usesThis ||= uses.this && thisOwner !== null;
    usesArguments ||= uses.arguments !== null && thisOwner?.type === "Function";
  }
  if (own.eval && !isModuleLevel(functionScope.parent as Scope)) report.add("eval-in-closure", own.eval, f);
  return {
    values: [...values],
    hidden,
    code: [...code],
    usesThis,
    usesArguments,
    argumentsAt: own.arguments,
    usesNewTarget,
  };
}

/**
 * What the defaults of parameters take from around: nothing to the function's own key, in which their values are, but
 * to one in which the function is an argument. `undefined`: that can't be told.
 */
export function defaultCaptures(fn: ir.Function, scopes: Scopes): readonly Binding[] | undefined {
  const found = new Set<Binding>();
  for (const param of fn.params) {
    for (const reference of freeReferences(fn, param, scopes)) {
      const binding = reference.binding as Binding;
      if (isModuleLevel(binding.scope)) continue;
      const unit = codeOf(binding, scopes);
      if (unit === "module") continue;
      if (unit || binding.declarations.includes(fn)) return undefined;
      found.add(binding);
    }
  }
  const uses = ownUses(scopes, fn.params);
  const isSeen = fn.kind === "arrow" && lexicalOwner(fn, scopes) !== null;
  return uses.eval || (isSeen && (uses.this || uses.arguments || uses.newTarget)) ? undefined : [...found];
}

/** A class of which each call of a function around makes another one. */
const localClass = (cls: ir.Class | undefined, scopes: Scopes): ir.Class | undefined =>
  cls && !isModuleLevel(scopes.scopeOf.get(cls)?.parent as Scope) ? cls : undefined;

/** `const rates = new Rates()` of a local class: its methods capture what no instance's key shows. */
function classMade({ declarations }: Binding, scope: Scope, scopes: Scopes): ir.Class | undefined {
  const [declaration] = declarations;
  const init = declaration?.type === "Declarator" && declaration.id.type === "Identifier" ? declaration.init : null;
  if (init?.type !== "New" || init.callee.type !== "Identifier") return undefined;
  const binding = scopes.referenceOf.get(init.callee)?.binding;
  const unit = binding ? codeOf(binding, scopes) : undefined;
  const cls = unit && unit !== "module" && unit.type === "Class" ? localClass(unit, scopes) : undefined;
  return cls && isInside(scope, scopes.scopeOf.get(cls)?.parent as Scope) ? cls : undefined;
}

/** Of a class, where what they capture can be seen from `scope`. */
function subclassesOf(cls: ir.Node, scope: Scope, scopes: Scopes): ir.Class[] {
  const holder = scopes.parentOf.get(cls);
  const id = holder?.type === "Declarator" && holder.id.type === "Identifier" ? holder.id : (cls as ir.Class).id;
  const references = (id && scopes.declarationOf.get(id)?.references) ?? [];
  return references.flatMap(({ node }) => {
    const sub = scopes.parentOf.get(node);
    if (sub?.type !== "Class" || sub.superClass !== node) return [];
    return isInside(scope, scopes.scopeOf.get(sub)?.parent as Scope) ? [sub] : [];
  });
}

/** Those that declare one of these private names. */
function localClassesAround(fn: ir.Function, names: ReadonlySet<string>, scopes: Scopes): ir.Class[] {
  const found: ir.Class[] = [];
  for (let at: ir.Node | undefined = names.size > 0 ? fn : undefined; at; at = scopes.parentOf.get(at)) {
    const cls = localClass(at.type === "Class" ? at : undefined, scopes);
    const declares = cls?.members.some(
      (each) => each.type !== "StaticBlock" && each.key.type === "PrivateName" && names.has(each.key.name),
    );
    if (cls && declares) found.push(cls);
  }
  return found;
}

/** The function or class node that a never reassigned binding stands for, `"module"` for an alias of a module-level one. */
export function codeOf(
  binding: Binding,
  scopes: Scopes,
  via?: Set<Binding>,
): ir.Function | ir.Class | "module" | undefined {
  const held = heldBy(binding);
  if (held === undefined || isReassigned(binding)) return undefined;
  if (held.type !== "Identifier") return held;
  const aliased = scopes.referenceOf.get(held)?.binding;
  if (!aliased || aliased === binding || via?.has(aliased)) return undefined;
  return isModuleLevel(aliased.scope) ? "module" : codeOf(aliased, scopes, (via ?? new Set()).add(binding));
}

/** What a binding is declared as, if that may stand for a function or a class. */
function heldBy({ declarations }: Binding): ir.Function | ir.Class | ir.Identifier | undefined {
  const [declaration, second] = declarations;
  if (!declaration || second) return undefined;
  if (declaration.type === "Function" || declaration.type === "Class") return declaration;
  if (declaration.type !== "Declarator" || declaration.id.type !== "Identifier") return undefined;
  const { init } = declaration;
  return init?.type === "Function" || init?.type === "Class" || init?.type === "Identifier" ? init : undefined;
}

/**
 * True if a function or class of the scopes around is given something more than its own code says: `C.limit = limit`.
 * What that is, neither the key nor the code hash would see.
 */
function isChanged(unit: ir.Function | ir.Class, scopes: Scopes): boolean {
  const holder = scopes.parentOf.get(unit);
  const names = [unit.id, holder?.type === "Declarator" && holder.id.type === "Identifier" ? holder.id : null];
  return names.some((id) => {
    const binding = id && scopes.declarationOf.get(id);
    return binding?.references.some(({ node }) => isChangedThrough(node, scopes));
  });
}

/** Is something of what this name means assigned, by it or by an alias? */
export const isChangedThrough = (node: ir.Identifier, scopes: Scopes): boolean =>
  isAliasChanged(node, scopes, new Set());

function isAliasChanged(node: ir.Identifier, scopes: Scopes, seen: Set<Binding>): boolean {
  if (changeAt(node, scopes)) return true;
  const holder = scopes.parentOf.get(node);
  if (holder?.type !== "Declarator" || holder.init !== node || holder.id.type !== "Identifier") return false;
  const alias = scopes.declarationOf.get(holder.id);
  // `var a = f; var b = a; var a = b;`
  if (!alias || seen.has(alias)) return false;
  seen.add(alias);
  return alias.references.some((each) => isAliasChanged(each.node, scopes, seen));
}

/** The statements of a binding's own scope, where they are around the function and the name means the binding. */
function listThatSees(binding: Binding, functionScope: Scope, scopes: Scopes): ir.Node | undefined {
  const { node } = binding.scope;
  const list =
    node.type === "Function" || node.type === "For" || node.type === "ForIn" || node.type === "ForOf"
      ? node.body
      : node.type === "Try"
        ? node.handler
        : node;
  if (list?.type !== "FunctionBody" && list?.type !== "Block") return undefined;
  const scope = scopes.scopeOf.get(list);
  return scope && isInside(functionScope, scope) && lookup(scope, binding.name) === binding ? list : undefined;
}

/** Made once, when the module is evaluated: not a function's, not a block's or loop's. */
export function isModuleLevel(scope: Scope): boolean {
  for (let at: Scope | null = scope; at; at = at.parent)
    if (at.kind === "function" || at.kind === "body" || at.kind === "block" || at.kind === "with") return false;
  return true;
}

/**
 * May reading this binding at the start of `fn` find it not yet initialised? Then the key must read it guarded, for the
 * body might not have read it at all.
 */
export function mayBeUninitialized(binding: Binding, fn: ir.Function, scopes: Scopes): boolean {
  if (!/^(let|const|using|class)$/.test(binding.kind)) return false;
  const [declaration] = binding.declarations;
  if (!declaration || declaration.end > fn.start || binding.scope.node.type === "Switch") return true;
  // A hoisted function in between can be called before the declaration has run.
  for (let at: ir.Node | undefined = fn; at && at !== binding.scope.node; at = scopes.parentOf.get(at))
    if (at.type === "Function" && at.kind === "declaration") return true;
  return false;
}

/** Every reference in `within`, a part of `root`, to something declared outside of `root`, in source order. */
function freeReferences(root: ir.Node, within: ir.Node, scopes: Scopes): Reference[] {
  const scope = scopes.scopeOf.get(root);
  const found: Reference[] = [];
  const visit = (node: ir.Node): void => {
    if (node.type === "Identifier") {
      const reference = scopes.referenceOf.get(node);
      if (reference?.binding && !(scope && isInside(reference.binding.scope, scope))) found.push(reference);
    } else forEachChild(node, visit);
  };
  visit(within);
  return found;
}

/** Not a variable of that name; `var arguments` without a value still holds the real thing. */
function meansArguments(node: ir.Identifier, scopes: Scopes): boolean {
  const binding = scopes.referenceOf.get(node)?.binding;
  return !binding || (binding.kind === "var" && binding.scope.kind === "body");
}

/** Whose `this` a place sees: of a function that is no arrow, its own; `null` at the top of the module. */
export function lexicalOwner(place: ir.Node, scopes: Scopes): ir.Function | ir.Field | ir.StaticBlock | null {
  let node: ir.Node | undefined = place;
  while (node) {
    if (node.type === "Function" && node.kind !== "arrow") return node;
    const parent: ir.Node | undefined = scopes.parentOf.get(node);
    if (node.type === "StaticBlock" || (node.type === "Field" && parent?.type === "Class")) return node;
    // A computed key and a superclass see the `this` around the class.
    if (parent?.type === "Field" && parent.value !== node) node = scopes.parentOf.get(parent);
    else node = parent;
  }
  return null;
}

/** The class whose instance, or with `isStatic` whose self, the `this` of an owner is. */
export function classOfThis(
  owner: ReturnType<typeof lexicalOwner>,
  scopes: Scopes,
): { readonly cls: ir.Class; readonly isStatic: boolean } | undefined {
  const member = owner?.type === "Function" ? scopes.parentOf.get(owner) : owner;
  if (member?.type !== "Method" && member?.type !== "Field" && member?.type !== "StaticBlock") return undefined;
  // A function in a static block, in a computed key or in a decorator has a `this` of its own.
  if (owner?.type === "Function" && (member.type === "StaticBlock" || member.value !== owner)) return undefined;
  return { cls: scopes.parentOf.get(member) as ir.Class, isStatic: member.type === "StaticBlock" || member.static };
}

interface OwnUses {
  this: boolean;
  arguments: ir.Identifier | null;
  newTarget: boolean;
  eval: ir.Call | null;
  privateNames: Set<string>;
}

/** `this` and friends in parts of a function: arrows pass them on, other functions have their own. */
function ownUses(scopes: Scopes, parts: readonly ir.Node[]): OwnUses {
  const uses: OwnUses = { this: false, arguments: null, newTarget: false, eval: null, privateNames: new Set() };
  const visit = (node: ir.Node, nested: boolean): void => {
    switch (node.type) {
      case "This":
      case "Super":
        if (!nested) uses.this = true;
        return;
      case "NewTarget":
        if (!nested) uses.newTarget = true;
        return;
      case "PrivateName":
        uses.privateNames.add(node.name);
        return;
      case "Identifier":
        if (node.name === "arguments" && !nested && meansArguments(node, scopes)) uses.arguments ??= node;
        return;
      case "Call":
        if (node.callee.type === "Identifier" && node.callee.name === "eval") uses.eval ??= node;
        break;
      case "Function":
        if (node.kind !== "arrow") {
          forEachChild(node, (child) => visit(child, true));
          return;
        }
        break;
      case "Method":
        if (node.computed) visit(node.key, nested);
        visit(node.value, true);
        return;
      case "Field":
        if (node.computed) visit(node.key, nested);
        if (node.value) visit(node.value, true);
        return;
      case "StaticBlock":
        forEachChild(node, (child) => visit(child, true));
        return;
    }
    forEachChild(node, (child) => visit(child, nested));
  };
  for (const part of parts) visit(part, false);
  return uses;
}
