/**
 * The one recogniser of the directive: what it is, what was surely meant to be it, and the cheap test that tells every
 * host whether a file is worth parsing.
 */
import type { SiteKind } from "../../runtime/contract.ts";
import { distance, nearest, type Report } from "./diagnostics.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import type { Scopes } from "./scope.ts";

export const DIRECTIVES: Readonly<Record<string, SiteKind>> = {
  "use cache data": "data",
  "use cache resource": "resource",
};

/**
 * True for every file that can hold a directive or a near miss of one. The hosts that take a content filter get this
 * very expression.
 */
export const CONTENT_FILTER = /use[\W_]{0,3}c(?:ach|(?!lient|ache)[a-z]{2,5}[\W_]{1,3}[dr])/i;
/** Slower, and asked only of files that pass: a directive begins behind a quote, and one with a colon is Next.js's. */
const QUOTED = /["'`]\s*use[\W_]{0,3}c(?:ach(?!e\s*:)|(?!lient|ache)[a-z]{2,5}[\W_]{1,3}[dr])/i;
const HERE = new RegExp(CONTENT_FILTER.source, "iy");

/**
 * {@link CONTENT_FILTER} for those who call us anyway, at the price of `source.includes("use cache")`: engines find a word
 * of two letters faster than one of nine, and than any expression.
 */
export const mayHoldDirective = (source: string): boolean =>
  (holds(source, "se") || holds(source, "SE")) && QUOTED.test(source);

function holds(source: string, word: "se" | "SE"): boolean {
  for (let at = source.indexOf(word); at !== -1; at = source.indexOf(word, at + 2)) {
    // In most of them no `u` stands before it.
    if ((source.charCodeAt(at - 1) | 32) !== U) continue;
    HERE.lastIndex = at - 1;
    if (HERE.test(source)) return true;
  }
  return false;
}
const U = 117;

export interface Found {
  readonly kind: SiteKind;
  readonly directive: ir.Directive;
}

/** The directive of a body (or of the file), with what is wrong with it said. */
export function findDirective(owner: ir.FunctionBody | ir.Program, name: string, report: Report): Found | undefined {
  let found: Found | undefined;
  for (const directive of owner.directives) {
    const kind = DIRECTIVES[directive.raw];
    if (kind) {
      if (!found) found = { kind, directive };
      else if (found.kind !== kind)
        report.add("conflicting-directives", directive, name, found.directive.raw, directive.raw);
    } else {
      const meant = nearMiss(directive.raw);
      if (meant === "ambiguous") report.add("ambiguous-directive", directive, name, `use cache ${guessKind(owner)}`);
      else if (meant) report.add("misspelt-directive", directive, directive.raw, `use cache ${meant}`, name);
    }
  }
  if (found)
    for (const { raw } of owner.directives)
      if (raw === "use server" || raw === "use client")
        report.add("conflicting-directives", found.directive, name, found.directive.raw, raw);
  return found;
}

/**
 * Statements that were meant as directives but are none: a template literal, a string in parentheses, one that goes on in
 * the next line, after another statement, in a nested block. Without a word they would be ignored.
 *
 * @returns the bodies and blocks that hold one
 */
export function findStrays(
  { expressionStatements, parentOf }: Scopes,
  nameOf: (node: ir.Node) => string,
  report: Report,
  source: string,
): ReadonlySet<ir.Node> {
  const owners = new Set<ir.Node>();
  for (const statement of expressionStatements) {
    const { expression } = statement;
    const first = leftmost(expression);
    // Where a line begins with `[`, `(` or a template, no semicolon is inserted before it.
    const goesOn =
      first !== expression &&
      first.type === "String" &&
      DIRECTIVES[first.value] !== undefined &&
      LINE_ENDS.test(source.slice(first.end));
    const text = goesOn
      ? first.value
      : expression.type === "String"
        ? expression.value
        : expression.type === "Template" && expression.quasis.length === 1
          ? expression.quasis[0]?.cooked
          : null;
    if (text == null) continue;
    const kind = DIRECTIVES[text] ?? nearMiss(text);
    if (!kind || kind === "ambiguous") continue;
    const meant = `use cache ${kind}`;
    const name = nameOf(statement);
    let owner = parentOf.get(statement) as ir.Node;
    while (!LISTS.has(owner.type)) owner = parentOf.get(owner) as ir.Node;
    owners.add(owner);
    if (expression.type === "Template")
      report.add("directive-not-string", statement, "a template literal", meant, name);
    else if (goesOn)
      report.add("directive-not-string", { start: statement.start, end: first.end }, GOES_ON, meant, name);
    else if (expression.start > statement.start)
      report.add("directive-not-string", statement, "in parentheses", meant, name);
    else if (owner.type === "FunctionBody" || owner.type === "Program")
      report.add("directive-not-first", statement, meant, name);
    else report.add("directive-in-block", statement, meant, name);
  }
  return owners;
}

/** Before anything but comments. */
const LINE_ENDS = /^(?:[^\S\n\r\u2028\u2029]|\/\*.*?\*\/)*(?:\/\/|[\n\r\u2028\u2029])/s;

const GOES_ON = "the beginning of a longer expression, for want of a semicolon";

/** What stands first in an expression's text. */
function leftmost(node: ir.Expression): ir.Expression {
  switch (node.type) {
    case "Member":
      return leftmost(node.object);
    case "Call":
      return leftmost(node.callee);
    case "TaggedTemplate":
      return leftmost(node.tag);
    case "Binary":
      return node.left.type === "PrivateName" ? node : leftmost(node.left);
    case "Assign":
      return node.left.type === "Member" ? leftmost(node.left) : node;
    case "Sequence":
      return leftmost(node.expressions[0] ?? node);
    default:
      return node;
  }
}

const LISTS: ReadonlySet<string> = new Set(["Program", "FunctionBody", "Block", "StaticBlock", "Case", "Namespace"]);

/** What a string that is no directive was meant to be. `"use cache: …"` is Next.js's, and no near miss. */
function nearMiss(raw: string): SiteKind | "ambiguous" | undefined {
  if (DIRECTIVES[raw] || /^use cache\s*:/.test(raw)) return undefined;
  const cooked = raw.replace(/\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\u\{([0-9a-f]+)\}/gi, (_, x, u, b) =>
    String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(x ?? u ?? b, 16))),
  );
  const squeezed = cooked.toLowerCase().replace(/[^a-z]+/g, "");
  const rest = /^usecach(?:ing|ed$|e)(.*)$/.exec(squeezed)?.[1];
  if (rest === undefined) {
    // `"use cach data"`, `"use cahce resource"`.
    const meant = Object.keys(DIRECTIVES).find((each) => distance(squeezed, each.replaceAll(" ", "")) <= 2);
    return meant === undefined ? undefined : DIRECTIVES[meant];
  }
  return rest === "" ? "ambiguous" : (nearest(rest, Object.values(DIRECTIVES)) as SiteKind | undefined);
}

const RESOURCE_WORDS =
  /client|connect|model|pool|socket|database|\bdb\b|session|server|driver|engine|browser|redis|postgres|prisma|mongo/i;

/** Data or resource, judged from what the function returns. */
function guessKind(owner: ir.FunctionBody | ir.Program): SiteKind {
  let resource = false;
  const words = (node: ir.Node): void => {
    if ((node.type === "Identifier" || node.type === "Name") && RESOURCE_WORDS.test(node.name)) resource = true;
    else if (node.type !== "Function") forEachChild(node, words);
  };
  const visit = (node: ir.Node): void => {
    if (node.type === "Return" && node.argument)
      words(node.argument.type === "Await" ? node.argument.argument : node.argument);
    else if (node.type !== "Function" && node.type !== "Class") forEachChild(node, visit);
  };
  for (const statement of owner.body) visit(statement);
  return resource ? "resource" : "data";
}
