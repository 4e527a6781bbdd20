/**
 * The one tree that everything after parsing works on. Each route reads its own AST into this (`babel/read`,
 * `swc/read`), and from here on there are no routes: directives, scopes, captures, plans and the code hash exist
 * once. Both readers give equal trees for equal source; a corpus test proves it.
 *
 * What a reader has already done:
 * - types are gone: annotations, interfaces, aliases, overload signatures, abstract and `declare` members, `this`
 *   parameters, index signatures, type-only imports and exports (an import whose specifiers are all type-only is gone,
 *   an import without specifiers stays), namespaces that hold only types;
 * - parentheses and `as`, `satisfies`, `!`, `<T>x`, `f<T>` are unwrapped; the span is that of the inner expression;
 * - an optional chain is a {@link Chain} around plain members and calls with `optional` flags; `(a?.b).c` ends it;
 * - static keys (identifier, quoted, numeric) are a {@link Name} with the property name that results;
 * - strings are cooked from their raw text (lone surrogates kept); BigInt is its decimal digits; numbers are values;
 * - JSX text is cleaned by React's whitespace rule (text that cleans to nothing is gone), as are `{}` and `{/* … *\/}`;
 * - empty statements are gone from statement lists, stray `;` from class bodies.
 * What the language means at run time stays: enums, namespaces with values, `import x = require()`, parameter
 * properties, decorators, fields without initialiser, directives.
 *
 * Spans are UTF-16 offsets into the source as given, a BOM included; `end` is exclusive. They are equal in both routes
 * for every node, and inside the parent's: a class or member begins at its first decorator (so does the `export` of a
 * class decorated before it), a parameter at its decorators or else its pattern; a pattern or identifier ends before its
 * type annotation; `{...x}` among JSX attributes is without its braces.
 */

import type { Binding, Reference } from "./scope.ts";

export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Base<T extends string> extends Span {
  readonly type: T;
  /** What it stands in: found by `core/scope`. */
  parent?: Node | null;
  /** The parser's node that it was read from, where the route edits that. Several may share one. */
  origin?: object | null;
}
/** What is known about a node beside what it says. */
export type Finding = "parent" | "origin" | "reference" | "declares";

// ── program and statements ───────────────────────────────────────────────────────────────────────────────────────────

export interface Program extends Base<"Program"> {
  readonly directives: readonly Directive[];
  readonly body: readonly Statement[];
}

/** A string at the top of a program or function body. The span is the whole statement, its semicolon included. */
export interface Directive extends Base<"Directive"> {
  /** The text between the quotes as written: an escape stays an escape. */
  readonly raw: string;
}

export interface ExpressionStatement extends Base<"ExpressionStatement"> {
  readonly expression: Expression;
}
export interface Block extends Base<"Block"> {
  readonly body: readonly Statement[];
}
/** Only where a statement must stand: `for (;;);`. */
export interface Empty extends Base<"Empty"> {}
export interface If extends Base<"If"> {
  readonly test: Expression;
  readonly consequent: Statement;
  readonly alternate: Statement | null;
}
export interface For extends Base<"For"> {
  readonly init: Variable | Expression | null;
  readonly test: Expression | null;
  readonly update: Expression | null;
  readonly body: Statement;
}
export interface ForIn extends Base<"ForIn"> {
  readonly left: Variable | Pattern;
  readonly right: Expression;
  readonly body: Statement;
}
export interface ForOf extends Base<"ForOf"> {
  readonly await: boolean;
  readonly left: Variable | Pattern;
  readonly right: Expression;
  readonly body: Statement;
}
export interface While extends Base<"While"> {
  readonly test: Expression;
  readonly body: Statement;
}
export interface DoWhile extends Base<"DoWhile"> {
  readonly body: Statement;
  readonly test: Expression;
}
export interface Return extends Base<"Return"> {
  readonly argument: Expression | null;
}
export interface Throw extends Base<"Throw"> {
  readonly argument: Expression;
}
export interface Try extends Base<"Try"> {
  readonly block: Block;
  readonly param: Pattern | null;
  readonly handler: Block | null;
  readonly finalizer: Block | null;
}
export interface Switch extends Base<"Switch"> {
  readonly discriminant: Expression;
  readonly cases: readonly Case[];
}
export interface Case extends Base<"Case"> {
  /** `null`: `default`. */
  readonly test: Expression | null;
  readonly body: readonly Statement[];
}
export interface Break extends Base<"Break"> {
  readonly label: string | null;
}
export interface Continue extends Base<"Continue"> {
  readonly label: string | null;
}
export interface Labeled extends Base<"Labeled"> {
  readonly label: string;
  readonly body: Statement;
}
export interface Debugger extends Base<"Debugger"> {}
export interface With extends Base<"With"> {
  readonly object: Expression;
  readonly body: Statement;
}
export interface Variable extends Base<"Variable"> {
  readonly kind: "var" | "let" | "const" | "using" | "await using";
  readonly declarations: readonly Declarator[];
}
export interface Declarator extends Base<"Declarator"> {
  readonly id: Pattern;
  readonly init: Expression | null;
}

// ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Import extends Base<"Import"> {
  readonly source: string;
  readonly phase: "source" | "defer" | null;
  readonly specifiers: readonly ImportSpecifier[];
  readonly attributes: readonly ImportAttribute[];
}
export interface ImportSpecifier extends Base<"ImportSpecifier"> {
  /** The exported name; `"default"` for a default import, `null` for the namespace. */
  readonly imported: string | null;
  readonly local: Identifier;
}
export interface ImportAttribute extends Base<"ImportAttribute"> {
  readonly key: string;
  readonly value: string;
}
/** `export const …`, `export function …`, `export { a as b }`, `export { a } from "x"`. */
export interface ExportNamed extends Base<"ExportNamed"> {
  readonly declaration: Declaration | null;
  readonly specifiers: readonly ExportSpecifier[];
  readonly source: string | null;
  readonly attributes: readonly ImportAttribute[];
}
export interface ExportSpecifier extends Base<"ExportSpecifier"> {
  /** A reference where the export has no source, else a bare {@link Name}. */
  readonly local: Identifier | Name;
  readonly exported: string;
}
/** `declaration` is a `Function` or `Class` of kind "declaration" (its id may be null), or any expression. */
export interface ExportDefault extends Base<"ExportDefault"> {
  readonly declaration: Expression;
}
/** `export * from "x"`, and `export * as ns from "x"`. */
export interface ExportAll extends Base<"ExportAll"> {
  readonly exported: string | null;
  readonly source: string;
  readonly attributes: readonly ImportAttribute[];
}
/** TypeScript: `import x = require("y")`, `import x = A.B`. */
export interface ImportEquals extends Base<"ImportEquals"> {
  readonly isExport: boolean;
  readonly local: Identifier;
  /** The specifier of `require`, or `null` where {@link target} names an entity. */
  readonly source: string | null;
  readonly target: Expression | null;
}
/** TypeScript: `export = x`. */
export interface ExportAssignment extends Base<"ExportAssignment"> {
  readonly expression: Expression;
}
export interface Enum extends Base<"Enum"> {
  readonly isConst: boolean;
  readonly id: Identifier;
  readonly members: readonly EnumMember[];
}
export interface EnumMember extends Base<"EnumMember"> {
  readonly name: string;
  readonly init: Expression | null;
}
/** `namespace A.B {}` is two, the inner one exported from the outer. */
export interface Namespace extends Base<"Namespace"> {
  readonly id: Identifier;
  readonly body: readonly Statement[];
}

// ── functions and classes ────────────────────────────────────────────────────────────────────────────────────────────

export interface Function extends Base<"Function"> {
  readonly kind: "declaration" | "expression" | "arrow" | "method" | "get" | "set" | "constructor";
  readonly id: Identifier | null;
  readonly params: readonly Param[];
  readonly body: FunctionBody | Expression;
  readonly async: boolean;
  readonly generator: boolean;
}
/** From `{` to behind `}`. */
export interface FunctionBody extends Base<"FunctionBody"> {
  readonly directives: readonly Directive[];
  readonly body: readonly Statement[];
}
export interface Param extends Base<"Param"> {
  readonly pattern: Pattern;
  /** TypeScript: `constructor(private x)` also makes a property. */
  readonly property: boolean;
  readonly decorators: readonly Expression[];
  /**
   * What the type annotation says, for lints only: `function` for a function type, else the name of a plain type
   * reference (`Db`, `pg.Client`), else null. Not part of the code.
   */
  readonly annotation: string | null;
}
export interface Class extends Base<"Class"> {
  readonly kind: "declaration" | "expression";
  readonly id: Identifier | null;
  readonly superClass: Expression | null;
  readonly members: readonly ClassMember[];
  readonly decorators: readonly Expression[];
}
export type ClassMember = Method | Field | StaticBlock;
export interface Method extends Base<"Method"> {
  readonly static: boolean;
  readonly key: PropertyKey;
  readonly computed: boolean;
  /** Its kind says method, get, set or constructor. Its span is that of the whole member. */
  readonly value: Function;
  readonly decorators: readonly Expression[];
}
export interface Field extends Base<"Field"> {
  readonly static: boolean;
  /** `accessor x = 1`. */
  readonly accessor: boolean;
  readonly key: PropertyKey;
  readonly computed: boolean;
  readonly value: Expression | null;
  readonly decorators: readonly Expression[];
}
export interface StaticBlock extends Base<"StaticBlock"> {
  readonly body: readonly Statement[];
}

// ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A variable, read, written or declared. Never a property name. */
export interface Identifier extends Base<"Identifier"> {
  readonly name: string;
  /** Found by `core/scope`: what it means, or what it declares. */
  reference?: Reference | null;
  declares?: Binding | null;
}
/** A property name that is no expression: `a.b`, `{ b: 1 }`, `{ "b": 1 }`, `{ 1: 1 }` (name "1"). */
export interface Name extends Base<"Name"> {
  readonly name: string;
}
/** `#x`, without the `#`. */
export interface PrivateName extends Base<"PrivateName"> {
  readonly name: string;
}
/** With `computed`, an expression; without, a {@link Name} or {@link PrivateName}. */
export type PropertyKey = Name | PrivateName | Expression;

export interface Str extends Base<"String"> {
  readonly value: string;
}
export interface Num extends Base<"Number"> {
  readonly value: number;
}
export interface Big extends Base<"BigInt"> {
  /** Decimal digits. */
  readonly value: string;
}
export interface Bool extends Base<"Boolean"> {
  readonly value: boolean;
}
export interface Null extends Base<"Null"> {}
export interface RegExpLiteral extends Base<"RegExp"> {
  readonly pattern: string;
  readonly flags: string;
}
export interface Template extends Base<"Template"> {
  readonly quasis: readonly TemplateElement[];
  readonly expressions: readonly Expression[];
}
export interface TemplateElement extends Base<"TemplateElement"> {
  /** Line ends are LF. */
  readonly raw: string;
  /** `null`: an escape that only a tag may see. */
  readonly cooked: string | null;
}
export interface TaggedTemplate extends Base<"TaggedTemplate"> {
  readonly tag: Expression;
  readonly quasi: Template;
}
export interface ArrayLiteral extends Base<"Array"> {
  /** `null`: a hole. */
  readonly elements: readonly (Expression | Spread | null)[];
}
export interface ObjectLiteral extends Base<"Object"> {
  readonly properties: readonly (Property | Spread)[];
}
export interface Property extends Base<"Property"> {
  readonly kind: "init" | "get" | "set" | "method";
  readonly key: PropertyKey;
  readonly computed: boolean;
  /** `{ __proto__: x }`, which sets the prototype; `{ __proto__ }` and `{ ["__proto__"]: x }` don't. */
  readonly proto: boolean;
  readonly value: Expression;
}
export interface Spread extends Base<"Spread"> {
  readonly argument: Expression;
}
export interface Unary extends Base<"Unary"> {
  readonly operator: "-" | "+" | "!" | "~" | "typeof" | "void" | "delete";
  readonly argument: Expression;
}
export interface Update extends Base<"Update"> {
  readonly operator: "++" | "--";
  readonly prefix: boolean;
  readonly argument: Expression;
}
export interface Binary extends Base<"Binary"> {
  readonly operator: string;
  /** A {@link PrivateName} in `#x in o`. */
  readonly left: Expression | PrivateName;
  readonly right: Expression;
}
export interface Logical extends Base<"Logical"> {
  readonly operator: "&&" | "||" | "??";
  readonly left: Expression;
  readonly right: Expression;
}
export interface Assign extends Base<"Assign"> {
  readonly operator: string;
  readonly left: Pattern;
  readonly right: Expression;
}
export interface Conditional extends Base<"Conditional"> {
  readonly test: Expression;
  readonly consequent: Expression;
  readonly alternate: Expression;
}
export interface Call extends Base<"Call"> {
  readonly callee: Expression;
  readonly arguments: readonly (Expression | Spread)[];
  readonly optional: boolean;
}
export interface New extends Base<"New"> {
  readonly callee: Expression;
  readonly arguments: readonly (Expression | Spread)[];
}
export interface Member extends Base<"Member"> {
  readonly object: Expression;
  readonly property: PropertyKey;
  readonly computed: boolean;
  readonly optional: boolean;
}
export interface Chain extends Base<"Chain"> {
  readonly expression: Expression;
}
export interface Sequence extends Base<"Sequence"> {
  readonly expressions: readonly Expression[];
}
export interface Await extends Base<"Await"> {
  readonly argument: Expression;
}
export interface Yield extends Base<"Yield"> {
  readonly delegate: boolean;
  readonly argument: Expression | null;
}
export interface This extends Base<"This"> {}
/** Only as `super(…)` callee and `super.x` object. */
export interface Super extends Base<"Super"> {}
export interface NewTarget extends Base<"NewTarget"> {}
export interface ImportMeta extends Base<"ImportMeta"> {}
export interface ImportCall extends Base<"ImportCall"> {
  readonly phase: "source" | "defer" | null;
  readonly source: Expression;
  readonly options: Expression | null;
}

// ── JSX ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface JSXElement extends Base<"JSXElement"> {
  /** {@link JSXName} for `div`, `my-tag`, `svg:rect`; an Identifier, This or Member for a component. */
  readonly name: JSXName | Expression;
  readonly attributes: readonly (JSXAttribute | Spread)[];
  readonly children: readonly JSXChild[];
}
export interface JSXFragment extends Base<"JSXFragment"> {
  readonly children: readonly JSXChild[];
}
export interface JSXName extends Base<"JSXName"> {
  readonly name: string;
}
export interface JSXAttribute extends Base<"JSXAttribute"> {
  /** `a`, `data-a`, `xlink:href`. */
  readonly name: string;
  /** `null`: `<a b />`. Strings are verbatim but for entities. */
  readonly value: Expression | null;
}
/** Cleaned and decoded. */
export interface JSXText extends Base<"JSXText"> {
  readonly value: string;
}
/** `Spread` is `{...xs}`. */
export type JSXChild = JSXText | Expression | Spread;

// ── patterns ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ArrayPattern extends Base<"ArrayPattern"> {
  readonly elements: readonly (Pattern | null)[];
}
export interface ObjectPattern extends Base<"ObjectPattern"> {
  readonly properties: readonly (PatternProperty | Rest)[];
}
export interface PatternProperty extends Base<"PatternProperty"> {
  readonly key: PropertyKey;
  readonly computed: boolean;
  /** `{ a }` is `{ a: a }`, `{ a = 1 }` is `{ a: a = 1 }`. */
  readonly value: Pattern;
}
export interface Default extends Base<"Default"> {
  readonly left: Pattern;
  readonly right: Expression;
}
export interface Rest extends Base<"Rest"> {
  readonly argument: Pattern;
}
/** `Member` (and `Call`, in sloppy web code) only as an assignment target. */
export type Pattern = Identifier | Member | ArrayPattern | ObjectPattern | Default | Rest | Expression;

// ── unions ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Declaration = Variable | Function | Class | Enum | Namespace | ImportEquals;

export type Statement =
  | ExpressionStatement
  | Block
  | Empty
  | If
  | For
  | ForIn
  | ForOf
  | While
  | DoWhile
  | Return
  | Throw
  | Try
  | Switch
  | Break
  | Continue
  | Labeled
  | Debugger
  | With
  | Variable
  | Function
  | Class
  | Enum
  | Namespace
  | Import
  | ExportNamed
  | ExportDefault
  | ExportAll
  | ImportEquals
  | ExportAssignment;

export type Expression =
  | Identifier
  | Str
  | Num
  | Big
  | Bool
  | Null
  | RegExpLiteral
  | Template
  | TaggedTemplate
  | ArrayLiteral
  | ObjectLiteral
  | Function
  | Class
  | Unary
  | Update
  | Binary
  | Logical
  | Assign
  | Conditional
  | Call
  | New
  | Member
  | Chain
  | Sequence
  | Await
  | Yield
  | This
  | Super
  | NewTarget
  | ImportMeta
  | ImportCall
  | JSXElement
  | JSXFragment;

export type Node =
  | Program
  | Directive
  | Statement
  | Expression
  | Pattern
  | Case
  | Declarator
  | ImportSpecifier
  | ImportAttribute
  | ExportSpecifier
  | EnumMember
  | FunctionBody
  | Param
  | ClassMember
  | Name
  | PrivateName
  | TemplateElement
  | Property
  | Spread
  | JSXName
  | JSXAttribute
  | JSXText
  | PatternProperty;

export type NodeOf<T extends Node["type"]> = Extract<Node, { readonly type: T }>;

// ── the field table ──────────────────────────────────────────────────────────────────────────────────────────────────

export type FieldsOf<T extends Node["type"]> = Omit<NodeOf<T>, "type" | "start" | "end" | Finding>;
type FieldOf<T extends Node["type"]> = keyof FieldsOf<T>;
/** `values` are scalars, `children` are nodes, lists of nodes, or null. Every field stands in one of the two. */
type Shape<T extends Node["type"]> = {
  readonly values: readonly FieldOf<T>[];
  readonly children: readonly FieldOf<T>[];
};

const shape = <V extends string, C extends string>(values: readonly V[], children: readonly C[]) => ({
  values,
  children,
});

/**
 * Every node type with all its fields, in source order. Walking, hashing and comparing go by this table, never by the
 * keys that an object happens to have, so that a parser's upgrade can't change a hash.
 */
export const SHAPES = {
  Program: shape([], ["directives", "body"]),
  Directive: shape(["raw"], []),
  ExpressionStatement: shape([], ["expression"]),
  Block: shape([], ["body"]),
  Empty: shape([], []),
  If: shape([], ["test", "consequent", "alternate"]),
  For: shape([], ["init", "test", "update", "body"]),
  ForIn: shape([], ["left", "right", "body"]),
  ForOf: shape(["await"], ["left", "right", "body"]),
  While: shape([], ["test", "body"]),
  DoWhile: shape([], ["body", "test"]),
  Return: shape([], ["argument"]),
  Throw: shape([], ["argument"]),
  Try: shape([], ["block", "param", "handler", "finalizer"]),
  Switch: shape([], ["discriminant", "cases"]),
  Case: shape([], ["test", "body"]),
  Break: shape(["label"], []),
  Continue: shape(["label"], []),
  Labeled: shape(["label"], ["body"]),
  Debugger: shape([], []),
  With: shape([], ["object", "body"]),
  Variable: shape(["kind"], ["declarations"]),
  Declarator: shape([], ["id", "init"]),
  Import: shape(["source", "phase"], ["specifiers", "attributes"]),
  ImportSpecifier: shape(["imported"], ["local"]),
  ImportAttribute: shape(["key", "value"], []),
  ExportNamed: shape(["source"], ["declaration", "specifiers", "attributes"]),
  ExportSpecifier: shape(["exported"], ["local"]),
  ExportDefault: shape([], ["declaration"]),
  ExportAll: shape(["exported", "source"], ["attributes"]),
  ImportEquals: shape(["isExport", "source"], ["local", "target"]),
  ExportAssignment: shape([], ["expression"]),
  Enum: shape(["isConst"], ["id", "members"]),
  EnumMember: shape(["name"], ["init"]),
  Namespace: shape([], ["id", "body"]),
  Function: shape(["kind", "async", "generator"], ["id", "params", "body"]),
  FunctionBody: shape([], ["directives", "body"]),
  Param: shape(["property", "annotation"], ["decorators", "pattern"]),
  Class: shape(["kind"], ["decorators", "id", "superClass", "members"]),
  Method: shape(["static", "computed"], ["decorators", "key", "value"]),
  Field: shape(["static", "accessor", "computed"], ["decorators", "key", "value"]),
  StaticBlock: shape([], ["body"]),
  Identifier: shape(["name"], []),
  Name: shape(["name"], []),
  PrivateName: shape(["name"], []),
  String: shape(["value"], []),
  Number: shape(["value"], []),
  BigInt: shape(["value"], []),
  Boolean: shape(["value"], []),
  Null: shape([], []),
  RegExp: shape(["pattern", "flags"], []),
  Template: shape([], ["quasis", "expressions"]),
  TemplateElement: shape(["raw", "cooked"], []),
  TaggedTemplate: shape([], ["tag", "quasi"]),
  Array: shape([], ["elements"]),
  Object: shape([], ["properties"]),
  Property: shape(["kind", "computed", "proto"], ["key", "value"]),
  Spread: shape([], ["argument"]),
  Unary: shape(["operator"], ["argument"]),
  Update: shape(["operator", "prefix"], ["argument"]),
  Binary: shape(["operator"], ["left", "right"]),
  Logical: shape(["operator"], ["left", "right"]),
  Assign: shape(["operator"], ["left", "right"]),
  Conditional: shape([], ["test", "consequent", "alternate"]),
  Call: shape(["optional"], ["callee", "arguments"]),
  New: shape([], ["callee", "arguments"]),
  Member: shape(["computed", "optional"], ["object", "property"]),
  Chain: shape([], ["expression"]),
  Sequence: shape([], ["expressions"]),
  Await: shape([], ["argument"]),
  Yield: shape(["delegate"], ["argument"]),
  This: shape([], []),
  Super: shape([], []),
  NewTarget: shape([], []),
  ImportMeta: shape([], []),
  ImportCall: shape(["phase"], ["source", "options"]),
  JSXElement: shape([], ["name", "attributes", "children"]),
  JSXFragment: shape([], ["children"]),
  JSXName: shape(["name"], []),
  JSXAttribute: shape(["name"], ["value"]),
  JSXText: shape(["value"], []),
  ArrayPattern: shape([], ["elements"]),
  ObjectPattern: shape([], ["properties"]),
  PatternProperty: shape(["computed"], ["key", "value"]),
  Default: shape([], ["left", "right"]),
  Rest: shape([], ["argument"]),
} as const satisfies { readonly [T in Node["type"]]: Shape<T> };

/** Fails to compile when a field of a node stands in neither list. */
type Unlisted = {
  [T in Node["type"]]: Exclude<
    FieldOf<T>,
    (typeof SHAPES)[T]["values"][number] | (typeof SHAPES)[T]["children"][number]
  >;
}[Node["type"]];
const everyFieldIsListed: [Unlisted] extends [never] ? true : Unlisted = true;
void everyFieldIsListed;

/** Calls `visit` for each direct child, in source order. */
export function forEachChild(node: Node, visit: (child: Node) => void): void {
  const fields = node as unknown as Record<string, Node | readonly (Node | null)[] | null>;
  for (const field of SHAPES[node.type].children) {
    const value = fields[field];
    if (value == null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (item) visit(item);
    } else visit(value as Node);
  }
}
