/** Functions, and the classes and members that hold them. */
import type * as ir from "../core/ir.ts";
import type {
  Class,
  ClassMember,
  Directive,
  Expression,
  FunctionBody,
  Param,
  Program,
  Property,
  Span,
  Spread,
} from "../core/ir.ts";
import { readIdentifier, readKey } from "./read-patterns.ts";
import { type Raw, type Reader, readDecorators, spanWithDecorators } from "./reader.ts";

/** A method's Function has the span of the whole member. */
export function readFunction(r: Reader, raw: Raw, kind: ir.Function["kind"], span: Span = raw): ir.Function {
  const { id, params, body } = raw;
  const fields = {
    kind,
    id: id && (kind === "declaration" || kind === "expression") ? readIdentifier(r, id) : null,
    params: params.filter((each: Raw) => !isThis(each)).map((each: Raw) => readParam(r, each)),
    body: body.type === "BlockStatement" ? readFunctionBody(r, body) : r.expression(body),
    async: Boolean(raw.async),
    generator: Boolean(raw.generator),
  };
  return r.make("Function", raw, fields, span);
}

/** TypeScript: the `this` parameter is a type. */
const isThis = (raw: Raw): boolean => raw.type === "Identifier" && raw.name === "this";

function readFunctionBody(r: Reader, raw: Raw): FunctionBody {
  return r.make("FunctionBody", raw, { directives: readDirectives(r, raw), body: r.statements(raw.body) });
}

export function readDirectives(r: Reader, body: Raw): Program["directives"] {
  return body.directives.map((raw: Raw): Directive => {
    const literal: Raw = raw.value;
    return r.make("Directive", raw, { raw: r.source.slice(literal.start + 1, literal.end - 1) });
  });
}

function readParam(r: Reader, raw: Raw): Param {
  const property = raw.type === "TSParameterProperty";
  const inner: Raw = property ? raw.parameter : raw;
  const pattern = r.pattern(inner);
  const first: Raw | undefined = raw.decorators?.[0];
  const span = { start: first?.start ?? pattern.start, end: pattern.end };
  const fields = { property, annotation: annotationOf(inner), decorators: readDecorators(r, raw), pattern };
  return r.make("Param", raw, fields, span);
}

function annotationOf(raw: Raw): string | null {
  if (raw.type === "AssignmentPattern") return annotationOf(raw.left);
  let type: Raw | undefined = raw.typeAnnotation?.typeAnnotation;
  while (type?.type === "TSParenthesizedType") type = type.typeAnnotation as Raw;
  if (type?.type === "TSFunctionType" || type?.type === "TSConstructorType") return "function";
  return type?.type === "TSTypeReference" ? entityName(type.typeName) : null;
}

function entityName(raw: Raw): string {
  return raw.type === "TSQualifiedName" ? `${entityName(raw.left)}.${entityName(raw.right)}` : raw.name;
}

// ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function readProperty(r: Reader, raw: Raw): Property | Spread {
  const computed = Boolean(raw.computed);
  switch (raw.type) {
    case "SpreadElement":
      return r.make("Spread", raw, { argument: r.expression(raw.argument) });
    case "ObjectProperty": {
      const key = readKey(r, raw.key, computed);
      const proto = !computed && !raw.shorthand && key.type === "Name" && key.name === "__proto__";
      return r.make("Property", raw, { kind: "init", key, computed, proto, value: r.expression(raw.value) });
    }
    case "ObjectMethod": {
      const { kind } = raw;
      const value = readFunction(r, raw, kind);
      return r.make("Property", raw, { kind, key: readKey(r, raw.key, computed), computed, proto: false, value });
    }
    default:
      throw r.unknown(raw);
  }
}

// ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function readClass(r: Reader, raw: Raw, kind: Class["kind"]): Class {
  const fields = {
    kind,
    id: raw.id ? readIdentifier(r, raw.id) : null,
    superClass: r.optional(raw.superClass),
    members: raw.body.body.map((each: Raw) => readMember(r, each)).filter((each: ClassMember | null) => each !== null),
    decorators: readDecorators(r, raw),
  };
  return r.make("Class", raw, fields, spanWithDecorators(raw));
}

/** `null`: a type, or a member that a subclass or another file provides. */
function readMember(r: Reader, raw: Raw): ClassMember | null {
  if (raw.declare || raw.abstract) return null;
  const span = spanWithDecorators(raw);
  switch (raw.type) {
    case "TSDeclareMethod":
    case "TSIndexSignature":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
    case "TSAbstractAccessorProperty":
      return null;
    case "ClassMethod":
    case "ClassPrivateMethod":
      return r.make("Method", raw, { ...readMemberHead(r, raw), value: readFunction(r, raw, raw.kind, span) }, span);
    case "ClassProperty":
    case "ClassPrivateProperty":
    case "ClassAccessorProperty": {
      const accessor = raw.type === "ClassAccessorProperty";
      return r.make("Field", raw, { ...readMemberHead(r, raw), accessor, value: r.optional(raw.value) }, span);
    }
    case "StaticBlock":
      return r.make("StaticBlock", raw, { body: r.statements(raw.body) });
    default:
      throw r.unknown(raw);
  }
}

function readMemberHead(r: Reader, raw: Raw) {
  const computed = Boolean(raw.computed);
  const decorators: Expression[] = readDecorators(r, raw);
  return { static: Boolean(raw.static), key: readKey(r, raw.key, computed), computed, decorators };
}
