/** What the parts of SWC's reader share. Each part reads one kind of node and comes back here for the rest. */
import type * as ir from "../core/ir.ts";
import type { Expression, FieldsOf, Node, NodeOf, Pattern, Span, Statement } from "../core/ir.ts";

/**
 * An SWC node. Its fields change between minor versions (1.16.0 renamed function bodies and wrapped accessors), so no
 * version's types would fit; each rule names the fields it reads.
 */
export interface Raw {
  readonly type: string;
  /** In SWC's own positions. A few nodes have none: see {@link Reader.span}. */
  readonly span: Span;
  readonly [field: string]: any;
}

export interface Reader {
  readonly source: string;
  /** Where a node stands in the source, in UTF-16. `key: value` and `...x` take it from their parts. */
  span(raw: Raw): Span;
  /** As written. SWC's own `raw` has lost lone surrogates. */
  text(raw: Raw): string;
  /** Makes a node of the IR that comes from `from`, with its span unless one is given. */
  make<T extends Node["type"]>(type: T, from: Raw, fields: FieldsOf<T>, span?: Span): NodeOf<T>;
  /** Of an arrow without braces: the body with its parentheses and types. */
  arrowBody(arrow: ir.Function, body: Raw): void;
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
export function spanWithDecorators(r: Reader, raw: Raw, decorators: readonly Raw[] | undefined): Span {
  const { start, end } = r.span(raw);
  const [first] = decorators ?? [];
  return { start: first ? Math.min(start, r.span(first).start) : start, end };
}

export function readDecorators(r: Reader, decorators: readonly Raw[] | undefined): Expression[] {
  return (decorators ?? []).map((decorator) => r.expression(decorator.expression));
}
