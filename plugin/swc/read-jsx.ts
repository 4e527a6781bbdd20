import type { Expression, JSXAttribute, JSXChild, JSXElement, JSXFragment, JSXName, Spread } from "../core/ir.ts";
import { isIntrinsicTag, jsxAttributeText, jsxText } from "../core/literals.ts";
import { readIdentifier } from "./read-patterns.ts";
import type { Raw, Reader } from "./reader.ts";

export function readJSX(r: Reader, raw: Raw): JSXElement | JSXFragment {
  const children = raw.children.flatMap((each: Raw) => readChild(r, each) ?? []);
  if (raw.type === "JSXFragment") return r.make("JSXFragment", raw, { children });
  const { opening } = raw;
  return r.make("JSXElement", raw, {
    name: readTag(r, opening.name),
    attributes: opening.attributes.map((each: Raw) => readAttribute(r, each)),
    children,
  });
}

function readTag(r: Reader, raw: Raw): JSXName | Expression {
  if (raw.type === "JSXNamespacedName") return r.make("JSXName", raw, { name: attributeName(raw) });
  if (raw.type === "Identifier" && raw.value !== "this" && isIntrinsicTag(raw.value))
    return r.make("JSXName", raw, { name: raw.value });
  return readComponent(r, raw);
}

function readComponent(r: Reader, raw: Raw): Expression {
  if (raw.type === "Identifier") return raw.value === "this" ? r.make("This", raw, {}) : readIdentifier(r, raw);
  if (raw.type !== "JSXMemberExpression") throw r.unknown(raw);
  return r.make("Member", raw, {
    object: readComponent(r, raw.object),
    property: r.make("Name", raw.property, { name: raw.property.value }),
    computed: false,
    optional: false,
  });
}

function readAttribute(r: Reader, raw: Raw): JSXAttribute | Spread {
  if (raw.type === "SpreadElement") {
    // SWC doesn't say where the braces are.
    const argument = r.expression(raw.arguments);
    return r.make("Spread", raw, { argument }, { start: r.span(raw).start, end: argument.end });
  }
  if (raw.type !== "JSXAttribute") throw r.unknown(raw);
  return r.make("JSXAttribute", raw, { name: attributeName(raw.name), value: readAttributeValue(r, raw.value) });
}

function readAttributeValue(r: Reader, raw: Raw | null): Expression | null {
  if (!raw) return null;
  if (raw.type === "StringLiteral") return r.make("String", raw, { value: jsxAttributeText(r.text(raw).slice(1, -1)) });
  return r.expression(raw.type === "JSXExpressionContainer" ? raw.expression : raw);
}

const attributeName = (raw: Raw): string =>
  raw.type === "JSXNamespacedName" ? `${raw.namespace.value}:${raw.name.value}` : raw.value;

function readChild(r: Reader, raw: Raw): JSXChild | null {
  switch (raw.type) {
    case "JSXText": {
      const value = jsxText(r.text(raw));
      return value ? r.make("JSXText", raw, { value }) : null;
    }
    case "JSXExpressionContainer":
      return raw.expression.type === "JSXEmptyExpression" ? null : r.expression(raw.expression);
    case "JSXSpreadChild":
      return r.make("Spread", raw, { argument: r.expression(raw.expression) });
    default:
      return r.expression(raw);
  }
}
