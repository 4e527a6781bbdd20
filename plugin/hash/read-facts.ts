/** One module's facts: its top level cut into units, and who declares, exports, assigns and touches what. */

import { DIRECTIVES } from "../core/directive.ts";
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import { optionsCall } from "../core/plan.ts";
import { type Binding, boundNames, type Scopes } from "../core/scope.ts";
import { actsWhenLoaded } from "./effects.ts";
import { type BindingFacts, DEFAULT, type ExportFacts, type ModuleFacts, type Unit } from "./facts.ts";
import { textOf } from "./patterns.ts";
import { type Share, shareOut } from "./shares.ts";
import { areBytes, importOf, isRequire, makeUnit, ownExportRead, type UnitContext, type UnitParts } from "./unit.ts";

export interface FactsReading {
  readonly facts: ModuleFacts;
  /** A unit of code from within this module: an annotated function with what it captures. */
  unit(parts: UnitParts): Unit;
  /** The top-level unit that a node stands in. */
  unitAt(node: ir.Node): number | undefined;
}

/** Where a piece of the top level comes from, before its text is made. */
interface Piece extends UnitParts, Share {
  readonly roots: readonly [ir.Node];
}

export function readFacts(program: ir.Program, scopes: Scopes, source: string): FactsReading {
  const context = contextOf(scopes, source);
  const { pieces, pieceOf, exported, stars, imported } = cut(program, scopes);
  const unitAt = (node: ir.Node): number | undefined => {
    for (let at: ir.Node | undefined = node; at; at = scopes.parentOf.get(at)) {
      const found = pieceOf.get(at);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const { bindings, residue, places } = shareOut(pieces, scopes, unitAt);
  const commonjs = readCommonJs(program, scopes, unitAt, bindings, exported);
  let specifiers: readonly string[] | undefined;
  const facts: ModuleFacts = {
    units: madeWhenAsked(pieces, (piece) => makeUnit(piece, context)),
    bindings,
    exports: exported,
    stars,
    imported,
    get specifiers() {
      return (specifiers ??= specifiersOf(program, scopes));
    },
    residue: residue.filter((index) => !commonjs.assignments.has(index)),
    effects: pieces.flatMap(({ roots, effect }, index) =>
      (effect && !commonjs.assignments.has(index)) || actsWhenLoaded(roots[0], scopes) ? [index] : [],
    ),
    places,
    commonjs: commonjs.whole ? "whole" : commonjs.assignments.size > 0 ? "named" : null,
  };
  return { facts, unitAt, unit: (parts) => makeUnit(parts, context) };
}

/**
 * An array like any other, but that an element is made when somebody looks at it: of a file that is transformed, the
 * annotated functions reach a few units, and the text of the others would be most of what the hash costs.
 */
function madeWhenAsked<T, U>(from: readonly T[], make: (each: T) => U): readonly U[] {
  const made: U[] = [];
  for (const [index, each] of from.entries()) {
    const keep = (value: U): U => {
      Object.defineProperty(made, index, { value, enumerable: true });
      return value;
    };
    Object.defineProperty(made, index, { get: () => keep(make(each)), enumerable: true, configurable: true });
  }
  return made;
}

function contextOf(scopes: Scopes, source: string): UnitContext {
  let starts: number[] | undefined;
  return {
    scopes,
    skip: (node) => isOurs(node, scopes),
    lineOf({ start }) {
      starts ??= lineStarts(source);
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] as number) <= start) low = middle;
        else high = middle - 1;
      }
      return low + 1;
    },
    strict: isStrictScript(scopes.module.node as ir.Program),
    jsxImportSource: source.includes("@jsxImportSource")
      ? (/@jsxImportSource\s+([^\s*]+)/.exec(source)?.[1] ?? null)
      : null,
    jsxNames: source.includes("@jsx")
      ? [...source.matchAll(/@jsx(?:Frag)?\s+([\w$]+)/g)].map((match) => match[1] as string)
      : [],
  };
}

/** In a module the words change nothing. */
const isStrictScript = ({ directives, body }: ir.Program): boolean =>
  directives.some(({ raw }) => raw === "use strict") && !body.some(({ type }) => /^(Import|Export)/.test(type));

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Kept's own directives and options say how a result is kept, not what it is. */
function isOurs(node: ir.Node, scopes: Scopes): boolean {
  if (node.type === "Directive") return Object.hasOwn(DIRECTIVES, node.raw);
  if (node.type !== "ExpressionStatement" || node.expression.type !== "Call") return false;
  const body = scopes.parentOf.get(node);
  const fn = body?.type === "FunctionBody" ? scopes.parentOf.get(body) : undefined;
  return fn?.type === "Function" && optionsCall(fn, scopes)?.statement === node;
}

// ── the top level, cut ───────────────────────────────────────────────────────────────────────────────────────────────

function cut(program: ir.Program, scopes: Scopes) {
  const pieces: Piece[] = [];
  const pieceOf = new Map<ir.Node, number>();
  const exported: Record<string, ExportFacts> = Object.create(null);
  const stars: string[] = [];
  const imported: string[] = [];

  const add = (root: ir.Node, own: Piece["own"], effect = false): void => {
    pieceOf.set(root, pieces.push({ roots: [root], own, effect }) - 1);
  };
  const declared = (id: ir.Identifier | null): Binding[] => {
    const binding = id && scopes.declarationOf.get(id);
    return binding ? [binding] : [];
  };
  const declaration = (node: ir.Declaration, isExported: boolean): void => {
    const names: ir.Identifier[] = [];
    if (node.type === "Variable")
      for (const each of node.declarations) {
        const ids = boundNames(each.id);
        add(each, ids.flatMap(declared));
        names.push(...ids);
      }
    else {
      const id = node.type === "ImportEquals" ? node.local : node.id;
      if (node.type !== "ImportEquals" || node.source === null) add(node, declared(id));
      if (id) names.push(id);
    }
    if (isExported) for (const id of names) exportLocal(id.name, scopes.declarationOf.get(id));
  };
  const exportLocal = (name: string, binding: Binding | null | undefined): void => {
    if (!binding) return; // a type
    const source = importOf(binding, scopes);
    exported[name] = source ? exportFrom(source.from, source.name, source.bytes) : { binding: binding.name };
  };

  for (const statement of program.body) {
    switch (statement.type) {
      case "Import":
        if (statement.specifiers.length === 0) imported.push(statement.source);
        break;
      case "ImportEquals":
        declaration(statement, statement.isExport);
        break;
      case "Variable":
      case "Function":
      case "Class":
      case "Enum":
      case "Namespace":
        declaration(statement, false);
        break;
      case "ExportNamed": {
        const { declaration: inner, source, attributes } = statement;
        if (inner) declaration(inner, true);
        for (const { local, exported: name } of statement.specifiers) {
          if (source !== null) exported[name] = exportFrom(source, local.name, areBytes(attributes));
          else if (local.type === "Identifier") exportLocal(name, scopes.referenceOf.get(local)?.binding);
        }
        break;
      }
      case "ExportAll":
        if (statement.exported === null) stars.push(statement.source);
        else exported[statement.exported] = exportFrom(statement.source, null, areBytes(statement.attributes));
        break;
      case "ExportDefault": {
        const { declaration: value } = statement;
        const named = (value.type === "Function" || value.type === "Class") && value.kind === "declaration" && value.id;
        if (named) {
          add(value, declared(named));
          exportLocal("default", scopes.declarationOf.get(named));
        } else if (value.type === "Identifier" && scopes.referenceOf.get(value)?.binding)
          exportLocal("default", scopes.referenceOf.get(value)?.binding);
        else {
          add(value, [DEFAULT]);
          exported.default = { binding: DEFAULT };
        }
        break;
      }
      default:
        add(statement, declaredInside(statement, scopes), true);
    }
  }
  return { pieces, pieceOf, exported, stars, imported };
}

const exportFrom = (from: string, name: string | null, bytes: boolean): ExportFacts =>
  bytes ? { from, name, bytes } : { from, name };

/** `if (x) { var y; }`: bindings of the module that stand in a statement. */
function declaredInside(statement: ir.Node, scopes: Scopes): Binding[] {
  const found = new Set<Binding>();
  const visit = (node: ir.Node): void => {
    if (node.type === "Identifier") {
      const binding = scopes.declarationOf.get(node);
      if (binding?.scope === scopes.module) found.add(binding);
    }
    forEachChild(node, visit);
  };
  visit(statement);
  return [...found];
}

// ── CommonJS ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `exports.a = …` and `module.exports = { a, b }` at the top level are exports like any other. Where `module` or
 * `exports` is used in any other way, who imports the module gets all of it.
 */
function readCommonJs(
  program: ir.Program,
  scopes: Scopes,
  unitAt: (node: ir.Node) => number | undefined,
  bindings: Record<string, BindingFacts>,
  exported: Record<string, ExportFacts>,
) {
  const assignments = new Set<number>();
  let whole = program.body.some((each) => each.type === "ExportAssignment");
  if (program.body.some((each) => /^Export(Named|Default|All)$/.test(each.type))) return { assignments, whole };
  const free = scopes.references.filter(({ binding, node }) => !binding && /^(module|exports)$/.test(node.name));
  if (free.length === 0) return { assignments, whole };

  const understood = new Set<ir.Node>();
  const give = (name: string, value: ir.Node, unit: number): void => {
    const binding = value.type === "Identifier" ? scopes.referenceOf.get(value)?.binding : undefined;
    if (binding?.scope === scopes.module && !importOf(binding, scopes)) exported[name] = { binding: binding.name };
    else {
      const own = `exports.${name}`;
      const { declared = [] } = bindings[own] ?? {};
      bindings[own] = { declared: [...declared, [unit, declared.length]], contributors: [], running: [] };
      exported[name] = { binding: own };
    }
  };
  for (const statement of program.body) {
    if (statement.type !== "ExpressionStatement" || statement.expression.type !== "Assign") continue;
    const { left, right, operator } = statement.expression;
    const target = operator === "=" ? exportTarget(left) : undefined;
    const unit = unitAt(statement);
    if (!target || unit === undefined) continue;
    assignments.add(unit);
    if (target.name !== null) give(target.name, right, unit);
    else if (right.type === "Object" && right.properties.every(isPlain))
      for (const property of right.properties as ir.Property[])
        give((property.key as ir.Name).name, property.value, unit);
    else continue;
    understood.add(target.root);
  }
  const isRead = (node: ir.Identifier): boolean => {
    const read = ownExportRead(node, scopes);
    return read !== undefined && read.names.length > 0 && !read.isChanged;
  };
  whole ||= free.some(({ node }) => !understood.has(node) && !isRead(node));
  return { assignments, whole };
}

const isPlain = (property: ir.Property | ir.Spread): boolean =>
  property.type === "Property" && property.kind === "init" && property.key.type === "Name" && !property.computed;

/** `exports.a`, `module.exports.a`; `name` null: `module.exports`. */
function exportTarget(node: ir.Node): { readonly root: ir.Identifier; readonly name: string | null } | undefined {
  if (node.type !== "Member" || node.computed || node.property.type !== "Name") return undefined;
  const { object, property } = node;
  if (object.type === "Identifier") {
    if (object.name === "exports") return { root: object, name: property.name };
    return object.name === "module" && property.name === "exports" ? { root: object, name: null } : undefined;
  }
  const outer = exportTarget(object);
  return outer?.name === null ? { root: outer.root, name: property.name } : undefined;
}

// ── specifiers ───────────────────────────────────────────────────────────────────────────────────────────────────────

function specifiersOf(program: ir.Program, scopes: Scopes): string[] {
  const found = new Set<string>();
  const visit = (node: ir.Node): void => {
    if (node.type === "Import" || node.type === "ExportAll") found.add(node.source);
    else if ((node.type === "ExportNamed" || node.type === "ImportEquals") && node.source !== null)
      found.add(node.source);
    else if (node.type === "ImportCall" || (node.type === "Call" && isRequire(node.callee, scopes))) {
      const from = node.type === "ImportCall" ? node.source : node.arguments[0];
      const text = from && textOf(from);
      if (text !== undefined) found.add(text);
    }
    forEachChild(node, visit);
  };
  visit(program);
  return [...found];
}
