/** Functions, and the classes and members that hold them. */
import type * as ir from "../core/ir.ts";
import type {
  Class,
  ClassMember,
  Directive,
  Expression,
  FunctionBody,
  Param,
  Property,
  Span,
  Spread,
} from "../core/ir.ts";
import { readIdentifier, readKey } from "./read-patterns.ts";
import { type Raw, type Reader, readDecorators, spanWithDecorators } from "./reader.ts";

/**
 * `fn` holds parameters and body; for a method it is a part of the member or the member itself, and the Function has the
 * span of the whole member, as in Babel's tree.
 */
export function readFunction(r: Reader, fn: Raw, kind: ir.Function["kind"], span: Span = r.span(fn)): ir.Function {
  const { body } = fn;
  const braces = isFunctionBody(body);
  const made = r.make(
    "Function",
    fn,
    {
      kind,
      id: fn.identifier && (kind === "declaration" || kind === "expression") ? readIdentifier(r, fn.identifier) : null,
      params: paramsOf(fn)
        .filter((each) => !isThis(each))
        .map((each) => readParam(r, each)),
      body: braces ? readFunctionBody(r, body) : r.expression(body),
      async: Boolean(fn.async),
      generator: Boolean(fn.generator),
    },
    span,
  );
  if (!braces) r.arrowBody(made, body);
  return made;
}

/** From 1.16.0 on a function's body has a type of its own. */
const isFunctionBody = (raw: Raw): boolean => raw.type === "FunctionBody" || raw.type === "BlockStatement";

/** Before 1.16.0 a setter had one bare pattern, and a getter nothing. */
const paramsOf = (fn: Raw): readonly Raw[] => fn.params ?? (fn.param ? [fn.param] : []);

/** TypeScript: the `this` parameter is a type. From 1.16.0 on it isn't among the parameters. */
const isThis = (raw: Raw): boolean => {
  const pattern = raw.type === "Parameter" ? raw.pat : raw;
  return pattern.type === "Identifier" && pattern.value === "this";
};

function readFunctionBody(r: Reader, raw: Raw): FunctionBody {
  return r.make("FunctionBody", raw, readBody(r, raw.stmts));
}

/** SWC knows no directives: they are the strings that open a body, without parentheses. */
export function readBody(r: Reader, statements: readonly Raw[]): Pick<FunctionBody, "directives" | "body"> {
  const first = statements.findIndex(
    ({ type, expression }) => type !== "ExpressionStatement" || expression.type !== "StringLiteral",
  );
  const end = first === -1 ? statements.length : first;
  return {
    directives: statements.slice(0, end).map((each) => readDirective(r, each)),
    body: r.statements(statements.slice(end)),
  };
}

function readDirective(r: Reader, raw: Raw): Directive {
  return r.make("Directive", raw, { raw: r.text(raw.expression).slice(1, -1) });
}

/** `Parameter` (a function's), `TsParameterProperty` (a constructor's), or a bare pattern (an arrow's). */
function readParam(r: Reader, raw: Raw): Param {
  const property = raw.type === "TsParameterProperty";
  const inner: Raw = property ? raw.param : raw.type === "Parameter" ? raw.pat : raw;
  const pattern = r.pattern(inner);
  const [first] = raw.decorators ?? [];
  const span = { start: first ? r.span(first).start : pattern.start, end: pattern.end };
  const fields = { property, annotation: annotationOf(inner), decorators: readDecorators(r, raw.decorators), pattern };
  return r.make("Param", raw, fields, span);
}

function annotationOf(raw: Raw): string | null {
  if (raw.type === "AssignmentPattern") return annotationOf(raw.left);
  let type: Raw | undefined = raw.typeAnnotation?.typeAnnotation;
  while (type?.type === "TsParenthesizedType") type = type.typeAnnotation as Raw;
  if (type?.type === "TsFunctionType" || type?.type === "TsConstructorType") return "function";
  return type?.type === "TsTypeReference" ? entityName(type.typeName) : null;
}

function entityName(raw: Raw): string {
  return raw.type === "TsQualifiedName" ? `${entityName(raw.left)}.${entityName(raw.right)}` : raw.value;
}

// ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function readProperty(r: Reader, raw: Raw): Property | Spread {
  switch (raw.type) {
    case "SpreadElement":
      return r.make("Spread", raw, { argument: r.expression(raw.arguments) });
    case "Identifier": {
      const fields = { kind: "init" as const, ...readKey(r, raw), proto: false, value: readIdentifier(r, raw) };
      return r.make("Property", raw, fields);
    }
    case "KeyValueProperty": {
      const { key, computed } = readKey(r, raw.key);
      const proto = !computed && key.type === "Name" && key.name === "__proto__";
      return r.make("Property", raw, { kind: "init", key, computed, proto, value: r.expression(raw.value) });
    }
    case "MethodProperty":
      return readAccessor(r, raw, "method");
    case "GetterProperty":
      return readAccessor(r, raw, "get");
    case "SetterProperty":
      return readAccessor(r, raw, "set");
    default:
      throw r.unknown(raw);
  }
}

/** From 1.16.0 on parameters and body of an accessor are under `function`. */
function readAccessor(r: Reader, raw: Raw, kind: "method" | "get" | "set"): Property {
  const value = readFunction(r, raw.function ?? raw, kind, r.span(raw));
  return r.make("Property", raw, { kind, ...readKey(r, raw.key), proto: false, value });
}

// ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function readClass(r: Reader, raw: Raw, kind: Class["kind"]): Class {
  const fields = {
    kind,
    id: raw.identifier ? readIdentifier(r, raw.identifier) : null,
    superClass: r.optional(raw.superClass),
    members: raw.body.map((each: Raw) => readMember(r, each)).filter((each: ClassMember | null) => each !== null),
    decorators: readDecorators(r, raw.decorators),
  };
  return r.make("Class", raw, fields, spanWithDecorators(r, raw, raw.decorators));
}

const KINDS = { method: "method", getter: "get", setter: "set" } as const;

/** `null`: a type, or a member that a subclass or another file provides. */
function readMember(r: Reader, raw: Raw): ClassMember | null {
  if (raw.declare || raw.isAbstract) return null;
  switch (raw.type) {
    case "EmptyStatement":
    case "TsIndexSignature":
      return null;
    case "Constructor": {
      if (!raw.body) return null;
      const value = readFunction(r, raw, "constructor");
      return r.make("Method", raw, { static: false, ...readKey(r, raw.key), value, decorators: [] });
    }
    case "ClassMethod":
    case "PrivateMethod": {
      const { function: fn } = raw;
      if (!fn.body) return null;
      const span = spanWithDecorators(r, raw, fn.decorators);
      const value = readFunction(r, fn, KINDS[raw.kind as keyof typeof KINDS], span);
      return r.make("Method", raw, { ...readMemberHead(r, raw, fn.decorators), value }, span);
    }
    case "ClassProperty":
    case "PrivateProperty":
    case "AutoAccessor": {
      const span = spanWithDecorators(r, raw, raw.decorators);
      const fields = { ...readMemberHead(r, raw, raw.decorators), accessor: raw.type === "AutoAccessor" };
      return r.make("Field", raw, { ...fields, value: r.optional(raw.value) }, span);
    }
    case "StaticBlock":
      return r.make("StaticBlock", raw, { body: r.statements(raw.body.stmts) });
    default:
      throw r.unknown(raw);
  }
}

function readMemberHead(r: Reader, raw: Raw, rawDecorators: readonly Raw[] | undefined) {
  const decorators: Expression[] = readDecorators(r, rawDecorators);
  return { static: Boolean(raw.isStatic), ...readKey(r, raw.key), decorators };
}
