/** What the parts of Babel's reader share. Each part reads one kind of node and comes back here for the rest. */
import type { Expression, FieldsOf, Node, NodeOf, Pattern, Span, Statement } from "../core/ir.ts";

/**
 * A Babel node of either major version. The fields differ between the two, so no version's types would fit; each rule
 * names the fields it reads.
 */
export interface Raw extends Span {
  readonly type: string;
  readonly [field: string]: any;
}

export interface Reader {
  readonly source: string;
  /** Makes a node of the IR that comes from `from`, with its span unless one is given. */
  make<T extends Node["type"]>(type: T, from: Raw, fields: FieldsOf<T>, span?: Span): NodeOf<T>;
  statements(list: readonly Raw[]): Statement[];
  /** Where a statement must stand: an empty one, or one that was all types, is `Empty`. */
  soleStatement(raw: Raw): Statement;
  expression(raw: Raw): Expression;
  /** What is absent stays `null`. */
  optional(raw: Raw | null | undefined): Expression | null;
  pattern(raw: Raw): Pattern;
  unknown(raw: Raw): Error;
}

/** From the first decorator on, wherever it stands. */
export function spanWithDecorators(raw: Raw): Span {
  const first: Raw | undefined = raw.decorators?.[0];
  return first && first.start < raw.start ? { start: first.start, end: raw.end } : raw;
}

export function readDecorators(r: Reader, raw: Raw): Expression[] {
  return (raw.decorators ?? []).map((decorator: Raw) => r.expression(decorator.expression));
}
