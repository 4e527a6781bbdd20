/** `cacheOptions({ … })`: found by binding, read at build time, checked option by option. */
import { type CopyMode, parseDuration, type Scope as SessionScope, type SiteKind } from "../../runtime/contract.ts";
import { nearest, type Report } from "./diagnostics.ts";
import type * as ir from "./ir.ts";
import { type Binding, isReassigned, type Scopes } from "./scope.ts";

/** What a site was told. Times are milliseconds; code options are the expressions as written. */
export interface SiteOptions {
  readonly ttl?: number;
  readonly staleFor?: number;
  readonly maxEntries?: number;
  readonly persist?: "disk";
  readonly scope?: SessionScope;
  readonly copy?: CopyMode;
  readonly tags?: readonly string[];
  readonly spinner?: boolean | string;
  readonly showTime?: boolean;
  readonly allowInputs?: boolean;
  readonly version?: string;
  readonly env?: readonly string[];
  readonly ignore?: readonly string[];
}
export interface CodeOptions {
  readonly key?: ir.Expression;
  readonly validate?: ir.Expression;
  readonly onRelease?: ir.Expression;
}
export interface ReadOptions {
  readonly values: SiteOptions;
  readonly code: CodeOptions;
}

type Static = string | number | boolean | null | undefined | readonly Static[];
type Check = (value: Static) => { readonly ok: unknown } | { readonly bad: string };
type Rule = { readonly check: Check; readonly example: string; readonly only?: SiteKind };

const bad = (why: string) => ({ bad: why });
const ok = (value: unknown) => ({ ok: value });
const isStrings = (value: Static): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

const duration: Check = (value) => {
  if (value === null || value === undefined || value === Number.POSITIVE_INFINITY) return ok(undefined);
  if (typeof value !== "number" && typeof value !== "string") return bad("must be seconds or a string with a unit");
  const ms = parseDuration(value);
  if (ms !== undefined) return ok(ms);
  return bad(`is no duration: ${JSON.stringify(value)}${whyNoDuration(String(value))}`);
};
const whyNoDuration = (text: string): string =>
  /^\s*[\d.]+\s*$/.test(text)
    ? " has no unit"
    : /month|year/i.test(text)
      ? " (months and years differ in length)"
      : text === "NaN" || text.trim() === ""
        ? ""
        : ' (the units are "ms" "s" "m" "h" "d" "w")';
const flag: Check = (value) => (typeof value === "boolean" ? ok(value) : bad("must be true or false"));
const strings =
  (what: string): Check =>
  (value) =>
    isStrings(value) ? ok(value) : bad(`must be an array of ${what}`);
const oneOf =
  (choices: Readonly<Record<string, unknown>>): Check =>
  (value) => {
    const name = String(value);
    if (Object.hasOwn(choices, name) && (typeof value !== "string" || name !== "true")) return ok(choices[name]);
    const words = Object.keys(choices).filter((each) => !/^(true|false|null|undefined)$/.test(each));
    const meant = typeof value === "string" ? nearest(value, words) : undefined;
    return bad(
      `must be ${words.map((each) => `"${each}"`).join(" or ")}, not ${JSON.stringify(value) ?? "undefined"}${meant ? `. Did you mean "${meant}"?` : ""}`,
    );
  };

/** One row an option: what it takes, an example that is right, and the kind it belongs to. */
const RULES: Readonly<Record<keyof SiteOptions, Rule>> = {
  ttl: { check: duration, example: 'ttl: "1h30m"' },
  staleFor: { check: duration, example: 'ttl: "5m", staleFor: "1h"' },
  maxEntries: {
    check: (value) =>
      value === null || value === undefined || value === Number.POSITIVE_INFINITY
        ? ok(undefined)
        : typeof value === "number" && Number.isInteger(value) && value >= 1
          ? ok(value)
          : bad("must be a whole number from 1"),
    example: "maxEntries: 1000",
  },
  ignore: { check: strings("parameter names"), example: 'ignore: ["db"]' },
  persist: {
    check: oneOf({ disk: "disk", true: "disk", false: undefined, null: undefined, undefined: undefined }),
    example: 'persist: "disk"',
    only: "data",
  },
  scope: { check: oneOf({ global: undefined, session: "session" }), example: 'scope: "session"' },
  copy: { check: oneOf({ copy: undefined, freeze: "freeze" }), example: 'copy: "freeze"', only: "data" },
  tags: { check: strings("tags"), example: 'tags: ["users"]' },
  spinner: {
    check: (value) =>
      typeof value === "boolean" || typeof value === "string" ? ok(value) : bad("must be true, false or a text"),
    example: 'spinner: "Loading rides"',
  },
  showTime: { check: flag, example: "showTime: true" },
  allowInputs: { check: flag, example: "allowInputs: true" },
  version: {
    check: (value) =>
      typeof value === "string" || typeof value === "number" ? ok(String(value)) : bad("must be a string"),
    example: 'version: "2"',
  },
  env: { check: strings("environment variable names"), example: 'env: ["API_URL"]' },
};
const CODE: Readonly<Record<keyof CodeOptions, { readonly example: string; readonly only?: SiteKind }>> = {
  key: { example: "key: () => [this.id]" },
  validate: { example: "validate: (client) => client.isOpen", only: "resource" },
  onRelease: { example: "onRelease: (client) => client.close()", only: "resource" },
};
const NAMES = [...Object.keys(RULES), ...Object.keys(CODE)];

/** Reads the argument of a `cacheOptions` call that belongs to the function called `f`. */
export function readOptions(call: ir.Call, kind: SiteKind, f: string, scopes: Scopes, report: Report): ReadOptions {
  const values: Record<string, unknown> = {};
  const code: Record<string, ir.Expression> = {};
  const [argument, surplus] = call.arguments;
  if (argument?.type !== "Object" || surplus) {
    report.add(
      "option-not-static",
      surplus ?? argument ?? call,
      f,
      "an argument that is no object literal",
      'ttl: "1h"',
    );
    return { values, code };
  }
  for (const property of argument.properties) {
    if (property.type === "Spread" || property.computed || property.key.type !== "Name" || property.proto) {
      report.add(
        "option-not-static",
        property,
        f,
        property.type === "Spread" ? "a spread" : "a computed name",
        'ttl: "1h"',
      );
      continue;
    }
    const { name } = property.key;
    if (!NAMES.includes(name)) {
      report.add("unknown-option", property.key, f, name, nearest(name, NAMES) ?? "");
      continue;
    }
    const only = name in CODE ? CODE[name as keyof CodeOptions].only : RULES[name as keyof SiteOptions].only;
    if (only && only !== kind) {
      report.add("option-wrong-kind", property, f, name, kind, only);
      continue;
    }
    if (name in CODE) {
      if (!isCode(property, scopes))
        report.add("option-not-static", property, f, name, CODE[name as keyof CodeOptions].example, "code");
      else code[name] = property.value;
      continue;
    }
    const rule = RULES[name as keyof SiteOptions];
    const value = property.kind === "init" ? evaluate(property.value, scopes) : undefined;
    if (!value) {
      report.add("option-not-static", property, f, name, rule.example);
      continue;
    }
    const checked = rule.check(value.value);
    if ("bad" in checked) report.add("invalid-option", property.value, f, name, checked.bad, rule.example);
    else if (checked.ok !== undefined) values[name] = checked.ok;
  }
  const ttl = values.ttl as number | undefined;
  if (values.staleFor !== undefined && (ttl === undefined || ttl <= 0) && report.errors.length === 0)
    report.add(
      "invalid-option",
      argument,
      f,
      "staleFor",
      "needs a ttl above zero: without one nothing becomes stale",
      'ttl: "5m", staleFor: "1h"',
    );
  return { values: values as SiteOptions, code: code as CodeOptions };
}

/** A function as written, or a name (or path) that can only mean a module-level or global value. */
function isCode(property: ir.Property, scopes: Scopes): boolean {
  if (property.kind === "method") return true;
  if (property.kind !== "init") return false;
  let { value } = property as { value: ir.Expression };
  if (value.type === "Function") return true;
  while (value.type === "Member" && !value.computed) value = value.object;
  if (value.type !== "Identifier") return false;
  return scopes.referenceOf.has(value);
}

/** The value of an expression that is known before the program runs, or nothing. */
export function evaluate(
  node: ir.Expression,
  scopes: Scopes,
  seen: ReadonlySet<Binding> = new Set(),
): { readonly value: Static } | undefined {
  switch (node.type) {
    case "String":
    case "Number":
    case "Boolean":
      return { value: node.value };
    case "Null":
      return { value: null };
    case "Template":
      return node.expressions.length === 0 && node.quasis[0]?.cooked != null
        ? { value: node.quasis[0].cooked }
        : undefined;
    case "Unary": {
      const inner = evaluate(node.argument, scopes, seen);
      if (!inner || typeof inner.value !== "number") return undefined;
      return node.operator === "-"
        ? { value: -inner.value }
        : node.operator === "+"
          ? { value: inner.value }
          : undefined;
    }
    case "Array": {
      const items: Static[] = [];
      for (const element of node.elements) {
        const item = element && element.type !== "Spread" ? evaluate(element, scopes, seen) : undefined;
        if (!item) return undefined;
        items.push(item.value);
      }
      return { value: items };
    }
    case "Identifier": {
      const reference = scopes.referenceOf.get(node);
      const binding = reference?.binding;
      if (!binding)
        return node.name === "undefined"
          ? { value: undefined }
          : node.name === "Infinity"
            ? { value: Number.POSITIVE_INFINITY }
            : undefined;
      const [declaration] = binding.declarations;
      if (binding.kind !== "const" || binding.scope !== scopes.module || seen.has(binding) || isReassigned(binding))
        return undefined;
      if (declaration?.type !== "Declarator" || declaration.id.type !== "Identifier" || !declaration.init)
        return undefined;
      return evaluate(declaration.init, scopes, new Set(seen).add(binding));
    }
    default:
      return undefined;
  }
}

/**
 * Which of Kept's own names an expression means, resolved by binding, never by spelling: `cacheOptions` under any
 * alias, `kept.cacheOptions` through a namespace, and the same through `require("kept")`.
 */
export function keptName(
  callee: ir.Expression,
  scopes: Scopes,
): { readonly name: string; readonly binding: Binding } | undefined {
  if (callee.type === "Identifier") {
    const binding = scopes.referenceOf.get(callee)?.binding;
    const [declaration] = binding?.declarations ?? [];
    if (!binding || !declaration) return undefined;
    if (declaration.type === "ImportSpecifier") {
      const statement = scopes.parentOf.get(declaration);
      if (statement?.type === "Import" && statement.source === "kept" && declaration.imported)
        return { name: declaration.imported, binding };
    }
    if (
      declaration.type === "Declarator" &&
      requiresKept(declaration.init, scopes) &&
      declaration.id.type === "ObjectPattern"
    )
      for (const property of declaration.id.properties)
        if (
          property.type === "PatternProperty" &&
          property.value.type === "Identifier" &&
          property.value.name === callee.name &&
          property.key.type === "Name"
        )
          return { name: property.key.name, binding };
    return undefined;
  }
  if (
    callee.type !== "Member" ||
    callee.computed ||
    callee.property.type !== "Name" ||
    callee.object.type !== "Identifier"
  )
    return undefined;
  const binding = scopes.referenceOf.get(callee.object)?.binding;
  const [declaration] = binding?.declarations ?? [];
  if (!binding || !declaration) return undefined;
  const statement = scopes.parentOf.get(declaration);
  const isNamespace =
    (declaration.type === "ImportSpecifier" &&
      declaration.imported === null &&
      statement?.type === "Import" &&
      statement.source === "kept") ||
    (declaration.type === "ImportEquals" && declaration.source === "kept") ||
    (declaration.type === "Declarator" &&
      declaration.id.type === "Identifier" &&
      requiresKept(declaration.init, scopes));
  return isNamespace ? { name: callee.property.name, binding } : undefined;
}

function requiresKept(init: ir.Expression | null, scopes: Scopes): boolean {
  if (init?.type !== "Call" || init.callee.type !== "Identifier" || init.callee.name !== "require") return false;
  const [source] = init.arguments;
  return !scopes.referenceOf.get(init.callee)?.binding && source?.type === "String" && source.value === "kept";
}
