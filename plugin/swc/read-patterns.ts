import type { Identifier, ObjectPattern, Pattern, PatternProperty, PropertyKey, Rest, Span } from "../core/ir.ts";
import { bigIntOf, cookString, numericKey } from "../core/literals.ts";
import { closingBracket, identifierEnd } from "../core/tokens.ts";
import type { Raw, Reader } from "./reader.ts";

/** What is no pattern is an assignment target: `[a.b] = c`, also in parentheses or with a type. */
export function readPattern(r: Reader, raw: Raw): Pattern {
  switch (raw.type) {
    case "ArrayPattern": {
      const elements = elementsOf(r, raw).map((each) => (each ? r.pattern(each) : null));
      return r.make("ArrayPattern", raw, { elements }, untypedSpan(r, raw, raw.elements));
    }
    case "ObjectPattern":
      return readObjectPattern(r, raw);
    case "AssignmentPattern":
      return r.make("Default", raw, { left: r.pattern(raw.left), right: r.expression(raw.right) });
    case "RestElement":
      return readRest(r, raw);
    default:
      return r.expression(raw);
  }
}

/** Before 1.16.22 the last holes of a pattern are missing where it first looked like an array: `[a, , ] = b`. */
function elementsOf(r: Reader, raw: Raw): (Raw | null)[] {
  const last = raw.elements.findLastIndex((each: Raw | null) => each !== null);
  const from = last === -1 ? r.span(raw).start + 1 : r.span(raw.elements[last]).end;
  const { commas } = closingBracket(r.source, from);
  const holes = last === -1 ? commas : Math.max(0, commas - 1);
  return [...raw.elements.slice(0, last + 1), ...Array<null>(holes).fill(null)];
}

function readRest(r: Reader, raw: Raw): Rest {
  const argument = r.pattern(raw.argument);
  const { end } = r.span(raw);
  // In an arrow's parameters the node's own span begins behind the dots.
  const { start } = r.span({ type: "...", span: raw.rest });
  return r.make("Rest", raw, { argument }, { start, end: raw.typeAnnotation ? argument.end : end });
}

function readObjectPattern(r: Reader, raw: Raw): ObjectPattern {
  const properties = raw.properties.map((each: Raw) => readPatternProperty(r, each));
  return r.make("ObjectPattern", raw, { properties }, untypedSpan(r, raw, raw.properties));
}

function readPatternProperty(r: Reader, raw: Raw): PatternProperty | Rest {
  switch (raw.type) {
    case "RestElement":
      return readRest(r, raw);
    case "KeyValuePatternProperty":
      return r.make("PatternProperty", raw, { ...readKey(r, raw.key), value: r.pattern(raw.value) });
    case "AssignmentPatternProperty": {
      const left = readIdentifier(r, raw.key);
      const value = raw.value ? r.make("Default", raw, { left, right: r.expression(raw.value) }) : left;
      return r.make("PatternProperty", raw, { ...readKey(r, raw.key), value });
    }
    default:
      throw r.unknown(raw);
  }
}

/** SWC counts the annotation of a parameter in. */
function untypedSpan(r: Reader, raw: Raw, elements: readonly (Raw | null)[]): Span {
  const { start, end } = r.span(raw);
  if (!raw.typeAnnotation && !raw.optional) return { start, end };
  const last = elements.findLast((each) => each !== null);
  return { start, end: closingBracket(r.source, last ? r.span(last).end : start + 1).end };
}

/** The span is the name's alone; an arrow's parameter has `?` and the type annotation in SWC's. */
export function readIdentifier(r: Reader, raw: Raw): Identifier {
  if (raw.type !== "Identifier") throw r.unknown(raw);
  const { start } = r.span(raw);
  const name: string = raw.value;
  return r.make("Identifier", raw, { name }, { start, end: identifierEnd(r.source, start, name) });
}

/** The name of a property, in an object, a pattern, a class or behind a dot. */
export function readKey(r: Reader, raw: Raw): { key: PropertyKey; computed: boolean } {
  const name = nameOf(r, raw);
  if (raw.type === "PrivateName") return { key: r.make("PrivateName", raw, { name }), computed: false };
  if (raw.type === "Computed") return { key: r.expression(raw.expression), computed: true };
  return { key: r.make("Name", raw, { name }), computed: false };
}

function nameOf(r: Reader, raw: Raw): string {
  switch (raw.type) {
    case "Computed":
      return "";
    case "PrivateName":
      return raw.value ?? raw.id.value;
    case "Identifier":
      return raw.value;
    case "StringLiteral":
      return stringOf(r, raw);
    case "NumericLiteral":
      return numericKey(r.text(raw));
    case "BigIntLiteral":
      return bigIntOf(r.text(raw));
    default:
      throw r.unknown(raw);
  }
}

export function stringOf(r: Reader, raw: Raw): string {
  return cookString(r.text(raw).slice(1, -1));
}
