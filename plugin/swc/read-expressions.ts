import type { Call, Chain, Expression, Logical, Member, Spread, Template, Unary } from "../core/ir.ts";
import { bigIntOf, cookTemplate, numberOf, regExpOf, templateRaw } from "../core/literals.ts";
import { readClass, readFunction, readProperty } from "./read-functions.ts";
import { readJSX } from "./read-jsx.ts";
import { phaseOf } from "./read-modules.ts";
import { readIdentifier, readKey, stringOf } from "./read-patterns.ts";
import type { Raw, Reader } from "./reader.ts";

export function readExpression(r: Reader, raw: Raw): Expression {
  switch (raw.type) {
    // Types and parentheses vanish; the span is that of what they hold.
    case "ParenthesisExpression":
    case "TsAsExpression":
    case "TsSatisfiesExpression":
    case "TsConstAssertion":
    case "TsNonNullExpression":
    case "TsTypeAssertion":
    case "TsInstantiation":
      return r.expression(raw.expression);

    case "Identifier":
      return readIdentifier(r, raw);
    case "StringLiteral":
      return r.make("String", raw, { value: stringOf(r, raw) });
    case "NumericLiteral":
      return r.make("Number", raw, { value: numberOf(r.text(raw)) });
    case "BigIntLiteral":
      return r.make("BigInt", raw, { value: bigIntOf(r.text(raw)) });
    case "BooleanLiteral":
      return r.make("Boolean", raw, { value: raw.value });
    case "NullLiteral":
      return r.make("Null", raw, {});
    case "RegExpLiteral":
      return r.make("RegExp", raw, regExpOf(r.text(raw)));
    case "TemplateLiteral":
      return readTemplate(r, raw);
    case "TaggedTemplateExpression":
      return r.make("TaggedTemplate", raw, { tag: r.expression(raw.tag), quasi: readTemplate(r, raw.template) });

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
      const right = r.expression(raw.right);
      if (LOGICAL.has(raw.operator)) {
        const operator = raw.operator as Logical["operator"];
        return r.make("Logical", raw, { operator, left: r.expression(raw.left), right });
      }
      const left = raw.left.type === "PrivateName" ? readKey(r, raw.left).key : r.expression(raw.left);
      return r.make("Binary", raw, { operator: raw.operator, left: left as Expression, right });
    }
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

    case "OptionalChainingExpression":
      return readChain(r, raw);
    case "MemberExpression":
      return readMember(r, raw, r.expression(raw.object), false);
    case "SuperPropExpression":
      return readMember(r, raw, r.make("Super", raw.obj, {}), false);
    case "CallExpression":
      return readCall(r, raw);
    case "NewExpression":
      return r.make("New", raw, { callee: r.expression(raw.callee), arguments: readArguments(r, raw.arguments ?? []) });

    case "ThisExpression":
      return r.make("This", raw, {});
    case "MetaProperty":
      if (raw.kind === "new.target") return r.make("NewTarget", raw, {});
      if (raw.kind === "import.meta") return r.make("ImportMeta", raw, {});
      throw r.unknown(raw);

    case "JSXElement":
    case "JSXFragment":
      return readJSX(r, raw);
    default:
      throw r.unknown(raw);
  }
}

const UNARY: ReadonlySet<string> = new Set(["-", "+", "!", "~", "typeof", "void", "delete"]);
const LOGICAL: ReadonlySet<string> = new Set(["&&", "||", "??"]);

function readMember(r: Reader, raw: Raw, object: Expression, optional: boolean): Member {
  const { key: property, computed } = readKey(r, raw.property);
  return r.make("Member", raw, { object, property, computed, optional });
}

function readCall(r: Reader, raw: Raw): Expression {
  const { callee } = raw;
  if (callee.type === "Import") {
    const [source, options] = raw.arguments;
    return r.make("ImportCall", raw, {
      phase: phaseOf(callee),
      source: r.expression(source.expression),
      options: r.optional(options?.expression),
    });
  }
  const fields = { arguments: readArguments(r, raw.arguments), optional: false };
  return r.make("Call", raw, {
    callee: callee.type === "Super" ? r.make("Super", callee, {}) : r.expression(callee),
    ...fields,
  });
}

// ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The span is that of the last link: the wrapper's has the type arguments of `a?.b<T>` in it. */
function readChain(r: Reader, raw: Raw): Chain {
  const expression = readLink(r, raw);
  return r.make("Chain", raw, { expression }, expression);
}

/** A member or call of the chain that we are in: each is wrapped in a node of its own. */
function readLink(r: Reader, { base, optional: dots }: Raw): Member | Call {
  const optional = Boolean(dots);
  if (base.type === "MemberExpression") return readMember(r, base, readBefore(r, base.object), optional);
  if (base.type !== "CallExpression") throw r.unknown(base);
  return r.make("Call", base, {
    callee: readBefore(r, base.callee),
    arguments: readArguments(r, base.arguments),
    optional,
  });
}

/** What stands before `.x` or `()` in a chain. Parentheses end the chain, a `!` doesn't. */
function readBefore(r: Reader, raw: Raw): Expression {
  let inner = raw;
  while (inner.type === "TsNonNullExpression") inner = inner.expression as Raw;
  return inner.type === "OptionalChainingExpression" ? readLink(r, inner) : r.expression(raw);
}

// ── arguments and templates ──────────────────────────────────────────────────────────────────────────────────────────

function readArguments(r: Reader, list: readonly Raw[]): (Expression | Spread)[] {
  return list.map((each) => readArgument(r, each));
}

/** An element or argument is wrapped, with the span of its `...` if it has one. */
function readArgument(r: Reader, { spread, expression }: Raw): Expression | Spread {
  if (!spread) return r.expression(expression);
  const span = { start: r.span({ type: "...", span: spread }).start, end: r.span(expression).end };
  return r.make("Spread", expression, { argument: r.expression(expression) }, span);
}

function readTemplate(r: Reader, raw: Raw): Template {
  const quasis = raw.quasis.map((each: Raw) => {
    const text = templateRaw(r.text(each));
    return r.make("TemplateElement", each, { raw: text, cooked: cookTemplate(text) });
  });
  return r.make("Template", raw, { quasis, expressions: raw.expressions.map((each: Raw) => r.expression(each)) });
}
