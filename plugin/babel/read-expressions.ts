import type { Expression, ImportCall, Member, Spread, Template, Unary } from "../core/ir.ts";
import { bigIntOf, numberOf, templateRaw } from "../core/literals.ts";
import { readClass, readFunction, readProperty } from "./read-functions.ts";
import { readJSX } from "./read-jsx.ts";
import { readIdentifier, readKey } from "./read-patterns.ts";
import type { Raw, Reader } from "./reader.ts";

export function readExpression(r: Reader, raw: Raw): Expression {
  switch (raw.type) {
    // Types and parentheses vanish; the span is that of what they hold.
    case "ParenthesizedExpression":
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
    case "TSInstantiationExpression":
      return r.expression(raw.expression);

    case "Identifier":
      return readIdentifier(r, raw);
    case "StringLiteral":
      return r.make("String", raw, { value: raw.value });
    case "NumericLiteral":
      return r.make("Number", raw, { value: numberOf(r.source.slice(raw.start, raw.end)) });
    case "BigIntLiteral":
      return r.make("BigInt", raw, { value: bigIntOf(String(raw.value)) });
    case "BooleanLiteral":
      return r.make("Boolean", raw, { value: raw.value });
    case "NullLiteral":
      return r.make("Null", raw, {});
    case "RegExpLiteral":
      return r.make("RegExp", raw, { pattern: raw.pattern, flags: raw.flags });
    case "TemplateLiteral":
      return readTemplate(r, raw);
    case "TaggedTemplateExpression":
      return r.make("TaggedTemplate", raw, { tag: r.expression(raw.tag), quasi: readTemplate(r, raw.quasi) });

    case "ArrayExpression":
      return r.make("Array", raw, { elements: raw.elements.map((each: Raw | null) => each && readArgument(r, each)) });
    case "ObjectExpression":
      return r.make("Object", raw, { properties: raw.properties.map((each: Raw) => readProperty(r, each)) });
    case "FunctionExpression":
      return readFunction(r, raw, "expression");
    case "ArrowFunctionExpression":
      return readFunction(r, raw, "arrow");
    case "ClassExpression":
      return readClass(r, raw, "expression");

    case "UnaryExpression":
      if (!UNARY.has(raw.operator)) throw r.unknown(raw);
      return r.make("Unary", raw, {
        operator: raw.operator as Unary["operator"],
        argument: r.expression(raw.argument),
      });
    case "UpdateExpression":
      return r.make("Update", raw, {
        operator: raw.operator,
        prefix: raw.prefix,
        argument: r.expression(raw.argument),
      });
    case "BinaryExpression": {
      if (raw.operator === "|>") throw r.unknown(raw);
      const left = raw.left.type === "PrivateName" ? readKey(r, raw.left, false) : r.expression(raw.left);
      return r.make("Binary", raw, {
        operator: raw.operator,
        left: left as Expression,
        right: r.expression(raw.right),
      });
    }
    case "LogicalExpression":
      return r.make("Logical", raw, {
        operator: raw.operator,
        left: r.expression(raw.left),
        right: r.expression(raw.right),
      });
    case "AssignmentExpression":
      return r.make("Assign", raw, {
        operator: raw.operator,
        left: r.pattern(raw.left),
        right: r.expression(raw.right),
      });
    case "ConditionalExpression":
      return r.make("Conditional", raw, {
        test: r.expression(raw.test),
        consequent: r.expression(raw.consequent),
        alternate: r.expression(raw.alternate),
      });
    case "SequenceExpression":
      return r.make("Sequence", raw, { expressions: raw.expressions.map((each: Raw) => r.expression(each)) });
    case "AwaitExpression":
      return r.make("Await", raw, { argument: r.expression(raw.argument) });
    case "YieldExpression":
      return r.make("Yield", raw, { delegate: Boolean(raw.delegate), argument: r.optional(raw.argument) });

    case "OptionalMemberExpression":
    case "OptionalCallExpression":
      return r.make("Chain", raw, { expression: readLink(r, raw) });
    case "MemberExpression":
      return readMember(r, raw, r.expression(raw.object));
    case "CallExpression":
      if (raw.callee.type === "Import") return readImportCall(r, raw, raw.arguments[0], raw.arguments[1]);
      return readCall(r, raw, r.expression(raw.callee));
    case "ImportExpression":
      return readImportCall(r, raw, raw.source, raw.options);
    case "NewExpression":
      return r.make("New", raw, { callee: r.expression(raw.callee), arguments: readArguments(r, raw.arguments) });

    case "ThisExpression":
      return r.make("This", raw, {});
    case "Super":
      return r.make("Super", raw, {});
    case "MetaProperty":
      if (raw.meta.name === "new" && raw.property.name === "target") return r.make("NewTarget", raw, {});
      if (raw.meta.name === "import" && raw.property.name === "meta") return r.make("ImportMeta", raw, {});
      throw r.unknown(raw);

    case "JSXElement":
    case "JSXFragment":
      return readJSX(r, raw);
    default:
      throw r.unknown(raw);
  }
}

const UNARY: ReadonlySet<string> = new Set(["-", "+", "!", "~", "typeof", "void", "delete"]);

// ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A member or call of the chain that we are in. */
function readLink(r: Reader, raw: Raw): Expression {
  return raw.type === "OptionalMemberExpression"
    ? readMember(r, raw, readBefore(r, raw.object))
    : readCall(r, raw, readBefore(r, raw.callee));
}

/** What stands before `.x` or `()` in a chain. Parentheses end the chain, a `!` doesn't. */
function readBefore(r: Reader, raw: Raw): Expression {
  let inner = raw;
  while (inner.type === "TSNonNullExpression" && !inner.extra?.parenthesized) inner = inner.expression as Raw;
  const links = inner.type === "OptionalMemberExpression" || inner.type === "OptionalCallExpression";
  return links && !inner.extra?.parenthesized ? readLink(r, inner) : r.expression(raw);
}

function readMember(r: Reader, raw: Raw, object: Expression): Member {
  return r.make("Member", raw, {
    object,
    property: readKey(r, raw.property, raw.computed),
    computed: Boolean(raw.computed),
    optional: Boolean(raw.optional),
  });
}

function readCall(r: Reader, raw: Raw, callee: Expression): Expression {
  return r.make("Call", raw, { callee, arguments: readArguments(r, raw.arguments), optional: Boolean(raw.optional) });
}

// ── arguments and templates ──────────────────────────────────────────────────────────────────────────────────────────

function readArguments(r: Reader, list: readonly Raw[]): (Expression | Spread)[] {
  return list.map((each) => readArgument(r, each));
}

function readArgument(r: Reader, raw: Raw): Expression | Spread {
  if (raw.type !== "SpreadElement") return r.expression(raw);
  return r.make("Spread", raw, { argument: r.expression(raw.argument) });
}

function readImportCall(r: Reader, raw: Raw, source: Raw, options: Raw | null | undefined): ImportCall {
  return r.make("ImportCall", raw, {
    phase: raw.phase ?? null,
    source: r.expression(source),
    options: r.optional(options),
  });
}

function readTemplate(r: Reader, raw: Raw): Template {
  const quasis = raw.quasis.map((each: Raw) =>
    r.make("TemplateElement", each, { raw: templateRaw(each.value.raw), cooked: each.value.cooked ?? null }),
  );
  return r.make("Template", raw, { quasis, expressions: raw.expressions.map((each: Raw) => r.expression(each)) });
}
