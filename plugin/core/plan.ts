/**
 * Everything that is decided about one annotated function, before anything is edited: its name and id, what is keyed
 * and what is not, its options and its hash. What can't be cached safely is refused here.
 */
import type { SiteKind } from "../../runtime/contract.ts";
import {
  classOfThis,
  defaultCaptures,
  inferCaptures,
  isModuleLevel,
  lexicalOwner,
  mayBeUninitialized,
} from "./captures.ts";
import { nearest, type Report } from "./diagnostics.ts";
import { DIRECTIVES } from "./directive.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import { addressOf, qualify } from "./names.ts";
import { keptName, type ReadOptions, readOptions } from "./options.ts";
import { lexicalSlots, type Place, placeOf } from "./places.ts";
import { type Binding, boundNames, isReassigned, isStrict, lookup, type Scope, type Scopes } from "./scope.ts";

/** One place of the key. */
export interface Slot {
  readonly name: string;
  /** The expression, as text; `null`: the user's own `key`, called. */
  readonly text: string | null;
  /** A rest parameter: keyed element by element. */
  readonly spread: boolean;
  /** A capture whose name means something else at the site: read by a function at the start of this list. */
  readonly list?: ir.Node | undefined;
  /** A capture that something assigns: it may change while the body runs. */
  readonly changes?: boolean;
  /** `this`, `new.target`, `arguments`: an arrow has them from the function around it. */
  readonly isLexical?: boolean;
}

export interface SitePlan extends Place {
  readonly fn: ir.Function;
  readonly kind: SiteKind;
  readonly name: string;
  readonly path: string;
  readonly distinct: boolean;
  /** `null` where the directive of the file annotates the function. */
  readonly directive: ir.Directive | null;
  readonly options: ReadOptions;
  readonly optionsStatement: ir.ExpressionStatement | null;
  readonly slots: readonly Slot[];
  readonly hashed: readonly string[];
  readonly excluded: readonly string[];
  readonly captured: readonly string[];
  /** All bound parameters, for `validate`. */
  readonly bound: readonly string[];
  /** Parameters that a `var` or function of the body declares again: handed to the inner arrow by name. */
  readonly passed: readonly string[];
  /** Local functions and classes whose code belongs to this site's. */
  readonly code: readonly Binding[];
  /** What is the function's own and not the call's, beside slots its defaults' captures; `null`: that can't be told. */
  readonly lexical: readonly (number | string)[] | null;
}

export interface Annotation {
  readonly fn: ir.Function;
  readonly kind: SiteKind;
  readonly directive: ir.Directive | null;
}

/** Plans one site; `undefined` where it had to be refused. */
export function planSite({ fn, kind, directive }: Annotation, scopes: Scopes, report: Report): SitePlan | undefined {
  const before = report.errors.length;
  const { path, spoken, distinct } = qualify(fn, scopes);
  const name = displayName(fn, spoken);
  if (!isCacheable(fn, name, directive, scopes, report)) return undefined;

  const call = optionsCall(fn, scopes);
  const options: ReadOptions = call ? readOptions(call.call, kind, name, scopes, report) : { values: {}, code: {} };
  const ignored = new Set(options.values.ignore);
  const captures = inferCaptures(fn, name, scopes, ignored, report);

  const params = fn.params.flatMap((param) => boundNames(param.pattern).map((id) => id.name)).filter(unique);
  const restName = restParameter(fn);
  const isExcluded = (each: string) => each.startsWith("_") || ignored.has(each);

  const slots: Slot[] = [];
  const excluded: string[] = [];
  const readsThis = captures.usesThis;
  const ownKey = options.code.key;
  if (readsThis) {
    if (ignored.has("this")) excluded.push("this");
    else if (!ownKey)
      slots.push({ name: "this", text: thisText(fn, name, scopes, report), spread: false, isLexical: true });
  }
  if (captures.usesNewTarget && !ignored.has("new.target"))
    slots.push({ name: "new.target", text: "new.target", spread: false, isLexical: true });
  for (const each of params) {
    if (isExcluded(each)) excluded.push(each);
    else slots.push({ name: each, text: each, spread: each === restName });
  }
  if (captures.usesArguments) {
    if (ignored.has("arguments")) excluded.push("arguments");
    else {
      const hidden = params.find(isExcluded);
      if (hidden && fn.kind !== "arrow") report.add("arguments-excluded", captures.argumentsAt ?? fn, name, hidden);
      slots.push({ name: "arguments", text: "[...arguments]", spread: false, isLexical: true });
    }
  }
  if (ownKey) {
    if (ownKey.type === "Function" && (ownKey.async || ownKey.generator || ownKey.params.length > 0))
      report.add("key-async", ownKey, name);
    slots.push({ name: "key", text: null, spread: false });
  }
  const passed = redeclared(fn, params, scopes);
  const alias = passed.find((each) => each !== "arguments");
  if (alias && captures.usesArguments && fn.kind !== "arrow" && followsArguments(fn, scopes))
    report.add("arguments-aliased", captures.argumentsAt ?? fn, name, alias);
  const captured: string[] = [];
  for (const binding of captures.values) {
    if (isExcluded(binding.name)) excluded.push(binding.name);
    else {
      captured.push(binding.name);
      slots.push({
        name: binding.name,
        text: textOf(binding, fn, scopes),
        spread: false,
        list: captures.hidden.get(binding),
        changes: isReassigned(binding),
      });
    }
  }
  checkIgnored(
    options.values.ignore ?? [],
    [
      ...params,
      ...captures.values.map((each) => each.name),
      ...captures.code.map((each) => each.name),
      "this",
      "arguments",
      "new.target",
    ],
    call,
    name,
    report,
  );
  checkCodeOptions(options, name, scopes, report);
  if (report.errors.length > before) return undefined;
  const where = placeOf(fn, scopes);
  /** What an arrow sees as `this` is then in no slot. */
  const isKeyOfThis = readsThis && ownKey !== undefined && !ignored.has("this");
  const defaults = defaultCaptures(fn, scopes)?.filter(({ name }) => !isExcluded(name));
  const lexical =
    defaults === undefined || (isKeyOfThis && fn.kind === "arrow")
      ? null
      : lexicalSlots(
          fn,
          slots,
          captured.length,
          defaults.map((each) => textOf(each, fn, scopes)),
          where,
          scopes,
        );
  return {
    fn,
    kind,
    name,
    path,
    distinct,
    directive,
    options,
    optionsStatement: call?.statement ?? null,
    slots,
    hashed: slots.map((slot) => slot.name),
    excluded,
    captured,
    bound: params,
    passed,
    code: captures.code,
    lexical,
    ...where,
  };
}

/** A capture's value, as an expression that does not throw. */
const textOf = (binding: Binding, fn: ir.Function, scopes: Scopes): string =>
  mayBeUninitialized(binding, fn, scopes) ? `(() => { try { return ${binding.name}; } catch {} })()` : binding.name;

const unique = (each: string, index: number, all: readonly string[]): boolean => all.indexOf(each) === index;

/** The function as its author would call it. */
export function displayName(fn: ir.Function, spoken: string): string {
  return spoken || (fn.kind === "arrow" ? "an arrow function" : "a function without a name");
}

function isCacheable(
  fn: ir.Function,
  name: string,
  directive: ir.Directive | null,
  scopes: Scopes,
  report: Report,
): boolean {
  const at = directive ?? fn.id ?? fn;
  if (fn.kind === "constructor")
    report.add(
      "not-cacheable",
      at,
      name,
      "a constructor",
      `A constructor must make a new object each time. Cache the function that makes it:\n\n  function create(…) {\n    "use cache resource";\n    return new ${name.split(".")[0] ?? "Thing"}(…);\n  }`,
    );
  else if (fn.kind === "set")
    report.add(
      "not-cacheable",
      at,
      name,
      "a setter",
      "A setter is called for its effect, which a hit would skip. Remove the directive.",
    );
  else if (fn.generator) report.add("generator", at, name, fn.async ? "an async generator" : "a generator");
  else if (insideWith(fn, scopes)) report.add("inside-with", at, name);
  else return true;
  return false;
}

function insideWith(fn: ir.Function, scopes: Scopes): boolean {
  for (let scope: Scope | null = scopes.scopeOf.get(fn) ?? null; scope; scope = scope.parent)
    if (scope.kind === "with") return true;
  return false;
}

/** `cacheOptions({ … })` as the first statement of the body. */
export function optionsCall(
  fn: ir.Function,
  scopes: Scopes,
): { readonly statement: ir.ExpressionStatement; readonly call: ir.Call } | undefined {
  if (fn.body.type !== "FunctionBody") return undefined;
  const [first] = fn.body.body;
  if (first?.type !== "ExpressionStatement" || first.expression.type !== "Call") return undefined;
  return keptName(first.expression.callee, scopes)?.name === "cacheOptions"
    ? { statement: first, call: first.expression }
    : undefined;
}

/** The name of a rest parameter that is one name: `...ids`. */
function restParameter(fn: ir.Function): string | undefined {
  const last = fn.params.at(-1)?.pattern;
  return last?.type === "Rest" && last.argument.type === "Identifier" ? last.argument.name : undefined;
}

/** Names that the body declares again with `var` or a function: moved into an arrow, they would hide the parameter. */
function redeclared(fn: ir.Function, params: readonly string[], scopes: Scopes): string[] {
  const body = scopes.scopeOf.get(fn.body);
  if (!body) return [];
  const names = [...params.filter((each) => body.bindings.has(each))];
  if (fn.kind !== "arrow" && body.bindings.get("arguments")?.kind === "var") names.push("arguments");
  return names;
}

/** In sloppy code with plain parameters, `arguments[0]` and the first parameter are one variable. */
function followsArguments(fn: ir.Function, scopes: Scopes): boolean {
  const scope = scopes.scopeOf.get(fn.body) ?? scopes.scopeOf.get(fn);
  return scope !== undefined && !isStrict(scope) && fn.params.every(({ pattern }) => pattern.type === "Identifier");
}

/** How `this` is keyed: a static method's class is its own code, so the class itself is a constant. */
function thisText(fn: ir.Function, name: string, scopes: Scopes, report: Report): string {
  const member = classOfThis(lexicalOwner(fn, scopes), scopes);
  if (!member) {
    const properties = propertiesAround(fn, scopes);
    if (properties?.some(isKeyMethod)) return "this";
    const held = properties && heldFunction(properties);
    if (held) report.add("this-unkeyable", nameNode(fn, scopes), name, "", held);
    else if (fn.kind === "get" && properties) report.add("this-circular", nameNode(fn, scopes), name);
    return "this";
  }
  const { cls, isStatic } = member;
  if (isStatic) {
    const own = ownNameOf(cls, fn, scopes);
    // A class may say by a static method how it is keyed.
    if (!own && !nameOf(cls, scopes) && !cls.members.some((each) => each.type !== "StaticBlock" && isKeyMethod(each)))
      report.add("this-nameless", nameNode(fn, scopes), name);
    return own ? `(this === ${own} || this)` : "this";
  }
  if (cls.superClass || hasKeyMethod(cls) || isRegistered(cls, scopes)) return "this";
  report.add("this-unkeyable", nameNode(fn, scopes), name, cls.id?.name ?? "");
  return "this";
}

/** Where a function's name stands: what a frame should point at. */
function nameNode(fn: ir.Function, scopes: Scopes): ir.Node {
  const parent = scopes.parentOf.get(fn);
  if (parent?.type === "Method" || parent?.type === "Field" || parent?.type === "Property") return parent.key;
  return fn.id ?? fn;
}

/** A name that means the class itself inside `fn`: its own, or that of the constant that holds it. */
function ownNameOf(cls: ir.Class, fn: ir.Function, scopes: Scopes): string | undefined {
  const own = nameOf(cls, scopes);
  const binding = own && lookup(scopes.scopeOf.get(fn) as Scope, own.name);
  return own && binding && (binding.declarations.includes(cls) || binding === own.held) ? own.name : undefined;
}

function nameOf(cls: ir.Class, scopes: Scopes): { readonly name: string; readonly held: Binding | null } | undefined {
  if (cls.id) return { name: cls.id.name, held: null };
  const address = addressOf(cls, scopes);
  if (address?.root?.kind !== "const" || address.expression !== address.root.name) return undefined;
  return { name: address.expression, held: address.root };
}

/** `[Symbol.for("kept.key")]() {}`, or any computed method that may be it. */
function hasKeyMethod(cls: ir.Class): boolean {
  return cls.members.some((member) => member.type !== "StaticBlock" && !member.static && isKeyMethod(member));
}

function isKeyMethod({ key, computed }: { readonly key: ir.PropertyKey; readonly computed: boolean }): boolean {
  if (!computed) return false;
  if (key.type !== "Call") return key.type === "Identifier" || (key.type === "Member" && !isWellKnown(key));
  const [argument] = key.arguments;
  return argument?.type === "String" && argument.value === "kept.key";
}

/** Of the object literal that a method's `this` is. */
function propertiesAround(fn: ir.Function, scopes: Scopes): readonly ir.Property[] | undefined {
  if (fn.kind === "arrow") return undefined;
  const property = scopes.parentOf.get(fn);
  const object = property?.type === "Property" ? scopes.parentOf.get(property) : undefined;
  return object?.type === "Object" ? object.properties.filter((each) => each.type === "Property") : undefined;
}

/** An object can't be keyed by its content if it holds a function that is not cached itself: the name of such a one. */
function heldFunction(properties: readonly ir.Property[]): string | undefined {
  const held = properties.find(
    ({ kind, value }) => kind !== "get" && kind !== "set" && value.type === "Function" && !isAnnotated(value),
  );
  return held && (held.key.type === "Name" && !held.computed ? held.key.name : "[…]");
}

const isAnnotated = ({ body }: ir.Function): boolean =>
  body.type === "FunctionBody" && body.directives.some(({ raw }) => DIRECTIVES[raw] !== undefined);

const isWellKnown = (key: ir.Member): boolean => key.object.type === "Identifier" && key.object.name === "Symbol";

/** `registerType(Class, …)` in this file. */
function isRegistered(cls: ir.Class, scopes: Scopes): boolean {
  const address = addressOf(cls, scopes);
  return (
    address?.root?.references.some((reference) => {
      const call = scopes.parentOf.get(reference.node);
      return (
        call?.type === "Call" &&
        call.arguments[0] === reference.node &&
        keptName(call.callee, scopes)?.name === "registerType"
      );
    }) ?? false
  );
}

function checkIgnored(
  ignore: readonly string[],
  known: readonly string[],
  call: ReturnType<typeof optionsCall>,
  f: string,
  report: Report,
): void {
  for (const each of ignore)
    if (!known.includes(each) && call)
      report.add("unknown-ignore", ignoredNode(call.call, each), f, each, nearest(each, known) ?? "");
}

/** The string itself, where it stands in the call; else the option. */
function ignoredNode(call: ir.Call, name: string): ir.Node {
  const [argument] = call.arguments;
  if (argument?.type !== "Object") return call;
  const option = argument.properties.find(
    (each): each is ir.Property => each.type === "Property" && each.key.type === "Name" && each.key.name === "ignore",
  );
  if (option?.value.type !== "Array") return option ?? call;
  return option.value.elements.find((each) => each?.type === "String" && each.value === name) ?? option;
}

/** `validate` and `onRelease` are moved to the end of the module: they may use module-level names only. */
function checkCodeOptions({ code }: ReadOptions, f: string, scopes: Scopes, report: Report): void {
  for (const option of ["validate", "onRelease"] as const) {
    const expression = code[option];
    if (!expression) continue;
    const inner = scopes.scopeOf.get(expression);
    const visit = (node: ir.Node, own: boolean): void => {
      if (node.type === "This" || node.type === "Super") {
        if (!own) report.add("option-reads-local", node, f, option, node.type === "This" ? "this" : "super");
      } else if (node.type === "Identifier") {
        const binding = scopes.referenceOf.get(node)?.binding;
        if (!binding && node.name === "arguments" && !own)
          report.add("option-reads-local", node, f, option, "arguments");
        if (!binding || isModuleLevel(binding.scope)) return;
        for (let scope: Scope | null = binding.scope; scope; scope = scope.parent) if (scope === inner) return;
        if (!binding.declarations.includes(expression)) report.add("option-reads-local", node, f, option, node.name);
      } else forEachChild(node, (child) => visit(child, own || (node.type === "Function" && node.kind !== "arrow")));
    };
    visit(expression, false);
  }
}
