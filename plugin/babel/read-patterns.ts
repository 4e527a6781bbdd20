import type { Identifier, ObjectPattern, Pattern, PropertyKey, Span } from "../core/ir.ts";
import { bigIntOf, numericKey } from "../core/literals.ts";
import { closingBracket, identifierEnd } from "../core/tokens.ts";
import type { Raw, Reader } from "./reader.ts";

/** What is no pattern is an assignment target: `[a.b] = c`, also in parentheses or with a type. */
export function readPattern(r: Reader, raw: Raw): Pattern {
  switch (raw.type) {
    case "ArrayPattern": {
      const elements = raw.elements.map((each: Raw | null) => (each ? r.pattern(each) : null));
      return r.make("ArrayPattern", raw, { elements }, untypedSpan(r, raw, raw.elements));
    }
    case "ObjectPattern":
      return readObjectPattern(r, raw);
    case "AssignmentPattern":
      return r.make("Default", raw, { left: r.pattern(raw.left), right: r.expression(raw.right) });
    case "RestElement": {
      const argument = r.pattern(raw.argument);
      const end = raw.typeAnnotation ? argument.end : raw.end;
      return r.make("Rest", raw, { argument }, { start: raw.start, end });
    }
    default:
      return r.expression(raw);
  }
}

function readObjectPattern(r: Reader, raw: Raw): ObjectPattern {
  const properties = raw.properties.map((each: Raw) => {
    if (each.type === "RestElement") return r.pattern(each);
    if (each.type !== "ObjectProperty") throw r.unknown(each);
    return r.make("PatternProperty", each, {
      key: readKey(r, each.key, each.computed),
      computed: Boolean(each.computed),
      value: r.pattern(each.value),
    });
  });
  return r.make("ObjectPattern", raw, { properties }, untypedSpan(r, raw, raw.properties));
}

/** Babel counts the annotation of a pattern in. */
function untypedSpan(r: Reader, raw: Raw, elements: readonly (Raw | null)[]): Span {
  if (!raw.typeAnnotation && !raw.optional) return raw;
  const last = elements.findLast((each) => each !== null);
  return { start: raw.start, end: closingBracket(r.source, last ? last.end : raw.start + 1).end };
}

/** The span is the name's alone; Babel's has `?` and the type annotation in it. */
export function readIdentifier(r: Reader, raw: Raw): Identifier {
  if (raw.type !== "Identifier" && raw.type !== "JSXIdentifier") throw r.unknown(raw);
  const { start, name } = raw;
  return r.make("Identifier", raw, { name }, { start, end: identifierEnd(r.source, start, name) });
}

/** The name of a property, in an object, a pattern, a class or behind a dot. */
export function readKey(r: Reader, raw: Raw, computed: boolean): PropertyKey {
  if (raw.type === "PrivateName") return r.make("PrivateName", raw, { name: raw.id.name });
  if (computed) return r.expression(raw);
  switch (raw.type) {
    case "Identifier":
      return r.make("Name", raw, { name: raw.name });
    case "StringLiteral":
      return r.make("Name", raw, { name: raw.value });
    case "NumericLiteral":
      return r.make("Name", raw, { name: numericKey(r.source.slice(raw.start, raw.end)) });
    case "BigIntLiteral":
      return r.make("Name", raw, { name: bigIntOf(String(raw.value)) });
    default:
      throw r.unknown(raw);
  }
}
