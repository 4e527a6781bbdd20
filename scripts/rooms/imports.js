import { builtinModules } from "node:module";
import { posix } from "node:path";
import { parseSync } from "@swc/core";

/**
 * One import of one module, type-only ones too: a room that knows another's types knows the other.
 *
 * @typedef {object} Import
 * @property {string} specifier as written
 * @property {number} line 1-based
 * @property {boolean} typeOnly gone when the program runs
 * @property {string | null} target path from the root, for a relative specifier
 * @property {string | null} package `@swc/core` for `@swc/core/spack`; null for relative specifiers and builtins
 * @property {string | null} builtin `fs` for `node:fs/promises` and `fs`
 */

/**
 * @typedef {object} Module
 * @property {string} path from the root, with `/`
 * @property {Import[]} imports
 * @property {number | null} processLine where it first reads the global `process`
 */

/** Nodes whose fields below are names, not references to a variable. */
const NAMES = new Map([
  ["MemberExpression", ["property"]],
  ["SuperPropExpression", ["property"]],
  ["KeyValueProperty", ["key"]],
  ["KeyValuePatternProperty", ["key"]],
  ["MethodProperty", ["key"]],
  ["GetterProperty", ["key"]],
  ["SetterProperty", ["key"]],
  ["ClassMethod", ["key"]],
  ["ClassProperty", ["key"]],
  ["ImportSpecifier", ["imported"]],
  ["ExportSpecifier", ["exported"]],
  ["LabeledStatement", ["label"]],
  ["BreakStatement", ["label"]],
  ["ContinueStatement", ["label"]],
]);

/** Inside these stand types, which may import but can't touch the `process` of a running program. */
const TYPES = new Set([
  "TsTypeAnnotation",
  "TsTypeAliasDeclaration",
  "TsInterfaceDeclaration",
  "TsTypeParameterDeclaration",
  "TsTypeParameterInstantiation",
  "TsFunctionType",
  "TsConstructorType",
  "TsTypeLiteral",
  "TsTypeQuery",
]);

/**
 * Reads what a module imports by parsing it, since a regular expression would also find the import statements that this
 * compiler emits as strings.
 *
 * @param {string} path
 * @param {string} source
 * @returns {Module}
 */
export function readModule(path, source) {
  const isTypeScript = /\.[cm]?tsx?$/.test(path);
  const program = parseSync(
    source,
    isTypeScript
      ? { syntax: "typescript", tsx: path.endsWith("x") }
      : { syntax: "ecmascript", jsx: path.endsWith("x") },
  );
  const bytes = Buffer.from(source);
  // swc's spans count bytes from 1.
  const lineAt = (/** @type {number} */ start) =>
    bytes
      .subarray(0, start - 1)
      .toString("latin1")
      .split("\n").length;

  /** @type {Module} */
  const module = { path, imports: [], processLine: null };
  visit(program, false);
  return module;

  /**
   * @param {any} node
   * @param {boolean} inType
   */
  function visit(node, inType) {
    if (node === null || typeof node !== "object") return;
    if (Array.isArray(node)) {
      for (const item of node) visit(item, inType);
      return;
    }
    inType ||= TYPES.has(node.type);
    const found = importOf(node);
    if (found)
      module.imports.push({ ...found, ...locate(path, found.specifier), line: lineAt((node.span ?? node).start) });
    if (!inType && isProcess(node)) module.processLine ??= lineAt(node.span.start);
    const names = NAMES.get(node.type);
    for (const [field, value] of Object.entries(node)) {
      const isName = names?.includes(field) && value?.type === "Identifier";
      if (field !== "span" && !isName) visit(value, inType);
    }
  }
}

/** @param {any} node */
function isProcess(node) {
  if (node.type === "Identifier") return node.value === "process";
  return (
    node.type === "MemberExpression" &&
    node.object.type === "Identifier" &&
    (node.object.value === "globalThis" || node.object.value === "global") &&
    node.property.value === "process"
  );
}

/**
 * @param {any} node
 * @returns {{ specifier: string, typeOnly: boolean } | null}
 */
function importOf(node) {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return node.source ? { specifier: node.source.value, typeOnly: Boolean(node.typeOnly) } : null;
    case "TsImportType":
      return { specifier: node.argument.value, typeOnly: true };
    case "TsExternalModuleReference":
      return { specifier: node.expression.value, typeOnly: false };
    case "CallExpression": {
      const [first] = node.arguments;
      const isLoad = node.callee.type === "Import" || isRequire(node.callee);
      return isLoad && first?.expression.type === "StringLiteral"
        ? { specifier: first.expression.value, typeOnly: false }
        : null;
    }
    default:
      return null;
  }
}

/** @param {any} callee `require` or `require.resolve` */
function isRequire(callee) {
  const base = callee.type === "MemberExpression" && callee.property.value === "resolve" ? callee.object : callee;
  return base.type === "Identifier" && base.value === "require";
}

/**
 * @param {string} from
 * @param {string} specifier
 * @returns {Pick<Import, "target" | "package" | "builtin">}
 */
function locate(from, specifier) {
  if (/^\.{1,2}(?:\/|$)/.test(specifier)) {
    return { target: posix.join(posix.dirname(from), specifier), package: null, builtin: null };
  }
  const bare = specifier.replace(/^node:/, "");
  const [first = "", second = ""] = bare.split("/");
  if (bare !== specifier || builtinModules.includes(first)) return { target: null, package: null, builtin: first };
  return { target: null, package: first.startsWith("@") ? `${first}/${second}` : first, builtin: null };
}
