import type { Block, Case, Declarator, Statement, Variable } from "../core/ir.ts";
import { readClass, readFunction } from "./read-functions.ts";
import { readModuleItem } from "./read-modules.ts";
import type { Raw, Reader } from "./reader.ts";

/** `null`: the statement is empty or only types. */
export function readStatement(r: Reader, raw: Raw): Statement | null {
  if (raw.declare) return null;
  switch (raw.type) {
    case "EmptyStatement":
    case "TsInterfaceDeclaration":
    case "TsTypeAliasDeclaration":
      return null;
    case "ExpressionStatement":
      return r.make("ExpressionStatement", raw, { expression: r.expression(raw.expression) });
    case "BlockStatement":
      return readBlock(r, raw);
    case "IfStatement":
      return r.make("If", raw, {
        test: r.expression(raw.test),
        consequent: r.soleStatement(raw.consequent),
        alternate: raw.alternate ? r.soleStatement(raw.alternate) : null,
      });
    case "ForStatement":
      return r.make("For", raw, {
        init: isDeclaration(raw.init) ? readVariable(r, raw.init) : r.optional(raw.init),
        test: r.optional(raw.test),
        update: r.optional(raw.update),
        body: r.soleStatement(raw.body),
      });
    case "ForInStatement":
      return r.make("ForIn", raw, {
        left: readForLeft(r, raw.left),
        right: r.expression(raw.right),
        body: r.soleStatement(raw.body),
      });
    case "ForOfStatement":
      return r.make("ForOf", raw, {
        await: Boolean(raw.isAwait ?? raw.await),
        left: readForLeft(r, raw.left),
        right: r.expression(raw.right),
        body: r.soleStatement(raw.body),
      });
    case "WhileStatement":
      return r.make("While", raw, { test: r.expression(raw.test), body: r.soleStatement(raw.body) });
    case "DoWhileStatement":
      return r.make("DoWhile", raw, { body: r.soleStatement(raw.body), test: r.expression(raw.test) });
    case "ReturnStatement":
      return r.make("Return", raw, { argument: r.optional(raw.argument) });
    case "ThrowStatement":
      return r.make("Throw", raw, { argument: r.expression(raw.argument) });
    case "TryStatement":
      return r.make("Try", raw, {
        block: readBlock(r, raw.block),
        param: raw.handler?.param ? r.pattern(raw.handler.param) : null,
        handler: raw.handler ? readBlock(r, raw.handler.body) : null,
        finalizer: raw.finalizer ? readBlock(r, raw.finalizer) : null,
      });
    case "SwitchStatement":
      return r.make("Switch", raw, {
        discriminant: r.expression(raw.discriminant),
        cases: raw.cases.map((each: Raw) => readCase(r, each)),
      });
    case "BreakStatement":
      return r.make("Break", raw, { label: raw.label?.value ?? null });
    case "ContinueStatement":
      return r.make("Continue", raw, { label: raw.label?.value ?? null });
    case "LabeledStatement":
      return r.make("Labeled", raw, { label: raw.label.value, body: r.soleStatement(raw.body) });
    case "DebuggerStatement":
      return r.make("Debugger", raw, {});
    case "WithStatement":
      return r.make("With", raw, { object: r.expression(raw.object), body: r.soleStatement(raw.body) });
    case "VariableDeclaration":
    case "UsingDeclaration":
      return readVariable(r, raw);
    case "FunctionDeclaration":
      return raw.body ? readFunction(r, raw, "declaration") : null;
    case "ClassDeclaration":
      return readClass(r, raw, "declaration");
    default:
      return readModuleItem(r, raw);
  }
}

function readBlock(r: Reader, raw: Raw): Block {
  return r.make("Block", raw, { body: r.statements(raw.stmts) });
}

function readCase(r: Reader, raw: Raw): Case {
  return r.make("Case", raw, { test: r.optional(raw.test), body: r.statements(raw.consequent) });
}

const isDeclaration = (raw: Raw | null | undefined): raw is Raw =>
  raw?.type === "VariableDeclaration" || raw?.type === "UsingDeclaration";

function readForLeft(r: Reader, raw: Raw) {
  return isDeclaration(raw) ? readVariable(r, raw) : r.pattern(raw);
}

function readVariable(r: Reader, raw: Raw): Variable {
  const using = raw.type === "UsingDeclaration";
  return r.make("Variable", raw, {
    kind: using ? (raw.isAwait ? "await using" : "using") : raw.kind,
    declarations: (using ? raw.decls : raw.declarations).map((each: Raw) => readDeclarator(r, each)),
  });
}

function readDeclarator(r: Reader, raw: Raw): Declarator {
  const id = r.pattern(raw.id);
  // In the head of a loop SWC counts the word `using` in.
  return r.make("Declarator", raw, { id, init: r.optional(raw.init) }, { start: id.start, end: r.span(raw).end });
}
