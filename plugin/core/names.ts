/**
 * What a function is called: in messages (`Repo.find`), in its id (`src/repo.ts#Repo.find`), and by an expression that
 * evaluates to it (`Repo.prototype.find`), where there is one.
 */
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import type { Binding, Scopes } from "./scope.ts";

export interface QualifiedName {
  /** Path of names from the top of the module: `outer.inner`, `Repo.find`, `Repo.static.open`, `api.load`, `default`. */
  readonly path: string;
  /** The same as people say it: `Repo.open` of a static method. */
  readonly spoken: string;
  /**
   * False where the path alone may fit another function of the file too: it passes through a nameless function, a block,
   * or a call (`const a = wrap(async () => {})`). The site is then told apart by its own code.
   */
  readonly distinct: boolean;
}

export function qualify(fn: ir.Function, scopes: Scopes): QualifiedName {
  const segments: string[] = [];
  const spoken: string[] = [];
  let distinct = true;
  /** What is still waiting for a name: the function (or an enclosing one), an object or class that holds it, nothing. */
  let waiting: "function" | "holder" | null = null;
  /** What holds the function has passed through something that names nothing: `wrap({ load() {} })`. */
  let loose = false;
  const take = (segment: string, said = segment): void => {
    if (segment.includes("…")) distinct = false;
    loose = false;
    if (waiting) {
      segments.unshift(segment);
      spoken.unshift(said);
    }
    waiting = null;
  };
  for (let node: ir.Node = fn, parent = scopes.parentOf.get(fn); ; node = parent, parent = scopes.parentOf.get(node)) {
    if (node.type === "Function") {
      if (loose) distinct = false;
      loose = false;
      waiting = "function";
    }
    if (node.type === "Class" && !waiting) waiting = "holder";
    if ((node.type === "Function" || node.type === "Class") && node.kind === "declaration" && node.id)
      take(node.id.name);
    if (!parent || parent.type === "Program") break;
    switch (parent.type) {
      case "Declarator":
        if (parent.init === node && parent.id.type === "Identifier") take(parent.id.name);
        break;
      case "Assign":
        if (parent.right === node) take(targetName(parent.left));
        break;
      case "Default":
        if (parent.right === node && parent.left.type === "Identifier") take(parent.left.name);
        break;
      case "Property":
        if (parent.value !== node) break;
        take(keyName(parent));
        waiting = "holder";
        break;
      case "Method":
      case "Field":
        if (parent.value !== node) break;
        take(`${parent.static ? "static." : ""}${keyName(parent)}`, keyName(parent));
        waiting = "holder";
        break;
      case "ExportDefault":
        take("default");
        break;
      case "Namespace":
        waiting = "holder";
        take(parent.id.name);
        break;
      case "Block":
      case "Case":
      case "StaticBlock":
        // A function's own body is a FunctionBody: this is a block inside one, or at the top.
        distinct = false;
        break;
    }
    // Nothing has given the function its name by now: what holds it does not (`wrap(async () => {})`).
    if (waiting === "function" && !NAMES_LATER.has(parent.type)) {
      distinct = false;
      if (node.type === "Function" && node.id) take(node.id.name);
    }
    if (waiting === "holder" && !HOLDS.has(parent.type)) loose = true;
  }
  return { path: segments.join("."), spoken: spoken.join("."), distinct: distinct && !loose && segments.length > 0 };
}

/** A function behind one of these may still be named by the next node up. */
const NAMES_LATER: ReadonlySet<string> = new Set(["Method", "Field", "Property", "ExportNamed"]);

/** What is returned is its function's, as in `createApi.load`; the rest lies between a holder and its members. */
const HOLDS: ReadonlySet<string> = new Set(["Object", "Class", "Return", "FunctionBody", "Function", ...NAMES_LATER]);

function keyName(member: { readonly key: ir.PropertyKey; readonly computed: boolean }): string {
  const { key, computed } = member;
  if (key.type === "PrivateName") return `#${key.name}`;
  if (!computed && key.type === "Name") return key.name;
  return `[${text(key)}]`;
}

function targetName(target: ir.Pattern): string {
  if (target.type === "Identifier") return target.name;
  const path = text(target).replace(/^(module\.)?exports\.?|^this\./, "");
  return path || "exports";
}

/** A readable form of simple expressions; what is not simple is `…`. */
function text(node: ir.Node): string {
  switch (node.type) {
    case "Identifier":
    case "Name":
      return node.name;
    case "PrivateName":
      return `#${node.name}`;
    case "String":
      return JSON.stringify(node.value);
    case "Number":
      return String(node.value);
    case "This":
      return "this";
    case "Member":
      return node.computed
        ? `${text(node.object)}[${text(node.property)}]`
        : `${text(node.object)}.${text(node.property)}`;
    default:
      return "…";
  }
}

/** An expression that gives the function, and the variable that it starts from: `null` is CommonJS's own. */
export interface Address {
  readonly root: Binding | null;
  readonly expression: string;
  /** Something else of the object or class may be of the same name: `{ load() {}, ...rest }`. */
  readonly isUnsure: boolean;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;
const access = (key: string): string => (IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);

/** How `clear(fn)` finds the function that its caller holds. `undefined`: no expression names it. */
export function addressOf(node: ir.Function | ir.Class | ir.ObjectLiteral, scopes: Scopes): Address | undefined {
  if ((node.type === "Function" || node.type === "Class") && node.kind === "declaration")
    return node.id ? rooted(scopes.declarationOf.get(node.id)) : undefined;
  const parent = scopes.parentOf.get(node);
  switch (parent?.type) {
    case "Declarator":
      return parent.id.type === "Identifier" ? rooted(scopes.declarationOf.get(parent.id)) : undefined;
    case "Assign":
      return parent.operator === "=" ? addressOfTarget(parent.left, scopes) : undefined;
    case "Property": {
      if (parent.kind === "get" || parent.kind === "set" || parent.computed || parent.key.type !== "Name")
        return undefined;
      const object = scopes.parentOf.get(parent);
      const base = object?.type === "Object" ? addressOf(object, scopes) : undefined;
      if (!base) return undefined;
      const isUnsure = base.isUnsure || !(parent.proto || isKeptAs(parent, object as ir.ObjectLiteral, node));
      return { root: base.root, expression: base.expression + access(parent.key.name), isUnsure };
    }
    case "Method":
    case "Field": {
      if (parent.computed || parent.key.type !== "Name") return undefined;
      if (parent.type === "Method" && parent.value.kind !== "method") return undefined;
      if (parent.type === "Field" && (!parent.static || parent.accessor)) return undefined;
      const cls = scopes.parentOf.get(parent);
      const base = cls?.type === "Class" ? addressOf(cls, scopes) : undefined;
      return (
        base && {
          root: base.root,
          expression: base.expression + (parent.static ? "" : ".prototype") + access(parent.key.name),
          isUnsure: base.isUnsure || !isKeptBy(parent, cls as ir.Class, node),
        }
      );
    }
    default:
      return undefined;
  }
}

/** An object or a class that no name leads to when it is made, and the way from it to a function. */
export interface Holder {
  readonly node: ir.ObjectLiteral | ir.Class;
  /** `.load`, `.prototype.load` */
  readonly path: string;
}

/** How `clear(fn)` finds a member of what is returned, passed or exported without a name: `return { load() {} }`. */
export function holderOf(fn: ir.Function, scopes: Scopes): Holder | undefined {
  let path = "";
  let at: ir.Function | Holder["node"] = fn;
  for (;;) {
    const member = scopes.parentOf.get(at);
    const holder = member && scopes.parentOf.get(member);
    if (member?.type === "Property" && holder?.type === "Object" && isKeptAs(member, holder, at)) {
      path = access((member.key as ir.Name).name) + path;
      at = holder;
    } else if (
      holder?.type === "Class" &&
      holder.kind === "expression" &&
      isKeptBy(member as ir.ClassMember, holder, at)
    ) {
      const { static: isStatic, key } = member as ir.Method | ir.Field;
      path = (isStatic ? "" : ".prototype") + access((key as ir.Name).name) + path;
      at = holder;
    } else break;
  }
  if (at === fn || at.type === "Function") return undefined;
  // As an argument, a class without a name would not get one.
  const parent = scopes.parentOf.get(at);
  if (at.type === "Class" && !at.id && parent && NAMING.has(parent.type)) return undefined;
  return { node: at, path };
}

const NAMING: ReadonlySet<string> = new Set([
  "Declarator",
  "Assign",
  "Default",
  "Property",
  "PatternProperty",
  "Field",
  "ExportDefault",
]);

/** Nothing behind it can be of the same name. */
function isKeptAs(property: ir.Property, { properties }: ir.ObjectLiteral, value: ir.Node): boolean {
  const { key, computed, kind } = property;
  if (property.value !== value || kind === "get" || kind === "set" || property.proto) return false;
  if (computed || key.type !== "Name") return false;
  const behind = properties.slice(properties.indexOf(property) + 1);
  return !behind.some((each) => each.type === "Spread" || mayBeCalled(each, key.name));
}

function isKeptBy(member: ir.ClassMember, { members }: ir.Class, value: ir.Node): boolean {
  if ((member.type !== "Method" && member.type !== "Field") || member.value !== value) return false;
  const { key, computed } = member;
  if (computed || key.type !== "Name") return false;
  if (member.type === "Method" ? member.value.kind !== "method" : !member.static || member.accessor) return false;
  return !members.some(
    (each) => each !== member && (each.type === "StaticBlock" ? mayChange(each) : mayBeCalled(each, key.name)),
  );
}

/** `static { this.load = wrap(this.load); }`, `static { decorate(this); }` */
function mayChange(node: ir.Node): boolean {
  if (node.type === "Assign" && node.left.type !== "Identifier") return true;
  if (node.type === "Call" && node.arguments.length > 0) return true;
  let found = false;
  forEachChild(node, (child) => {
    found ||= mayChange(child);
  });
  return found;
}

function mayBeCalled(
  { key, computed }: { readonly key: ir.PropertyKey; readonly computed: boolean },
  name: string,
): boolean {
  if (!computed) return key.type === "Name" && key.name === name;
  // `Symbol.iterator`, `Symbol.for("kept.key")`
  const symbol = key.type === "Call" ? key.callee : key;
  return symbol.type !== "Member" || symbol.object.type !== "Identifier" || symbol.object.name !== "Symbol";
}

function rooted(binding: Binding | undefined): Address | undefined {
  return binding && { root: binding, expression: binding.name, isUnsure: false };
}

function addressOfTarget(target: ir.Pattern, scopes: Scopes): Address | undefined {
  if (target.type === "Identifier") {
    const { binding } = scopes.referenceOf.get(target) ?? {};
    if (binding === null && target.name === "exports") return { root: null, expression: "exports", isUnsure: false };
    return rooted(binding ?? undefined);
  }
  if (exportsPath(target, scopes) === "") return { root: null, expression: "module.exports", isUnsure: false };
  if (target.type !== "Member" || target.computed || target.property.type !== "Name" || target.optional)
    return undefined;
  const base = addressOfTarget(target.object, scopes);
  return base && { ...base, expression: base.expression + access(target.property.name) };
}

/** `""` for `module.exports`, the name for `exports.name`. */
export function exportsPath(target: ir.Pattern, scopes: Scopes): string | undefined {
  if (target.type !== "Member" || target.computed || target.property.type !== "Name") return undefined;
  const { object, property } = target;
  const isFree = (node: ir.Expression, name: string) =>
    node.type === "Identifier" && node.name === name && !scopes.referenceOf.get(node)?.binding;
  if (isFree(object, "module") && property.name === "exports") return "";
  if (isFree(object, "exports") || exportsPath(object, scopes) === "") return property.name;
  return undefined;
}
