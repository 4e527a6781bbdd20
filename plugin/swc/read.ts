/** SWC's AST (1.15.41 and later) → the IR. */
import type * as ir from "../core/ir.ts";
import type { FieldsOf, Node, Program, Span, Statement } from "../core/ir.ts";
import { makeNode } from "../core/nodes.ts";
import { unknownNode } from "../core/read-error.ts";
import { skipHtmlComment } from "../core/tokens.ts";
import type { SwcFile } from "./parse.ts";
import { readExpression } from "./read-expressions.ts";
import { readBody } from "./read-functions.ts";
import { readPattern } from "./read-patterns.ts";
import { readStatement } from "./read-statements.ts";
import type { Raw, Reader } from "./reader.ts";
import { offsetsOf } from "./spans.ts";

export interface SwcReading {
  readonly program: Program;
  /**
   * For each arrow without braces: its body with the parentheses and types around it, which the body's own span leaves
   * out. `() => ({ a })` → `({ a })`.
   */
  readonly arrowBodies: ReadonlyMap<ir.Function, Span>;
}

/** Throws a ReadError `unknown-node` for what the IR has no word for. */
export function readSwc({ ast, base }: SwcFile, source: string): SwcReading {
  const offset = offsetsOf(source, base);
  // A token behind `<!--`, a comment in old scripts, begins with the comment in SWC's eyes.
  const htmlComments = (ast as Raw).type === "Script" && source.includes("<!--");
  const startOf = ({ type, span }: Raw) =>
    htmlComments && type !== "TemplateElement" ? skipHtmlComment(source, offset(span.start)) : offset(span.start);
  const arrowBodies = new Map<ir.Function, Span>();
  const r: Reader = {
    source,
    span(raw) {
      if (raw.span) return { start: startOf(raw), end: offset(raw.span.end) };
      switch (raw.type) {
        case "KeyValueProperty":
        case "KeyValuePatternProperty":
        case "AssignmentProperty":
          return { start: r.span(raw.key).start, end: r.span(raw.value).end };
        case "SpreadElement":
          return { start: offset(raw.spread.start), end: r.span(raw.arguments).end };
        default:
          throw r.unknown(raw);
      }
    },
    text(raw) {
      const { start, end } = r.span(raw);
      return source.slice(start, end);
    },
    make<T extends Node["type"]>(type: T, from: Raw, fields: FieldsOf<T>, span?: Span) {
      if (span) return makeNode(type, span.start, span.end, fields);
      if (from.span) return makeNode(type, startOf(from), offset(from.span.end), fields);
      const { start, end } = r.span(from);
      return makeNode(type, start, end, fields);
    },
    arrowBody: (arrow, body) => void arrowBodies.set(arrow, r.span(body)),
    statements: (list) => list.map((raw) => readStatement(r, raw)).filter((one): one is Statement => one !== null),
    soleStatement: (raw) => readStatement(r, raw) ?? r.make("Empty", raw, {}),
    expression: (raw) => readExpression(r, raw),
    optional: (raw) => (raw ? readExpression(r, raw) : null),
    pattern: (raw) => readPattern(r, raw),
    unknown: (raw) => unknownNode("SWC", raw?.type, source, offset(firstPosition(raw) ?? base)),
  };
  const raw = ast as Raw;
  if (raw.type !== "Module" && raw.type !== "Script") throw r.unknown(raw);
  const program = r.make("Program", raw, readBody(r, raw.body), { start: 0, end: source.length });
  return { program, arrowBodies };
}

/** Where a node begins, also one without a span, by its parts. */
function firstPosition(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { span } = value as Partial<Raw>;
  if (span) return span.start;
  for (const part of Object.values(value)) {
    const found = firstPosition(part);
    if (found !== undefined) return found;
  }
  return undefined;
}
