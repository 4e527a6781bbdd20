/**
 * Babel's AST (7.29 or 8) → the IR. Nothing is changed on the way: the route edits the same nodes afterwards, found as the
 * `origin` of those of the IR.
 */
import type { FieldsOf, Node, Program, Span, Statement } from "../core/ir.ts";
import { makeNode } from "../core/nodes.ts";
import { unknownNode } from "../core/read-error.ts";
import { readExpression } from "./read-expressions.ts";
import { readDirectives } from "./read-functions.ts";
import { readPattern } from "./read-patterns.ts";
import { readStatement } from "./read-statements.ts";
import type { Raw, Reader } from "./reader.ts";

export interface BabelReading {
  readonly program: Program;
  /** False where some of the code has no place in the source: another plugin was here before. */
  readonly isAsParsed: boolean;
}

/** `file` is a `File` node; throws a ReadError `unknown-node` for what the IR has no word for. */
export function readBabel(file: unknown, source: string): BabelReading {
  let isAsParsed = true;
  const r: Reader = {
    source,
    make<T extends Node["type"]>(type: T, from: Raw, fields: FieldsOf<T>, { start, end }: Span = from) {
      const node = makeNode(type, start, end, fields);
      node.origin = from;
      if (from.start == null) isAsParsed = false;
      return node;
    },
    statements: (list) => list.map((raw) => readStatement(r, raw)).filter((one): one is Statement => one !== null),
    soleStatement: (raw) => readStatement(r, raw) ?? r.make("Empty", raw, {}),
    expression: (raw) => readExpression(r, raw),
    optional: (raw) => (raw ? readExpression(r, raw) : null),
    pattern: (raw) => readPattern(r, raw),
    unknown: (raw) => unknownNode("Babel", raw?.type, source, raw?.start ?? 0),
  };
  const { program: raw } = file as { program: Raw };
  const fields = { directives: readDirectives(r, raw), body: r.statements(raw.body) };
  return { program: r.make("Program", raw, fields, { start: 0, end: source.length }), isAsParsed };
}
