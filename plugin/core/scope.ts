/**
 * Who declares what, and who means whom: every identifier of a program bound to its declaration, by the rules of the
 * language (hoisting, TDZ, Annex B, parameter scope, class scope, catch, loops, enums, namespaces). Done once on the
 * IR; captures, emission, lints and the code hash only ask.
 */
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";

export type BindingKind =
  | "import"
  | "var"
  | "let"
  | "const"
  | "using"
  | "function"
  | "class"
  | "param"
  | "catch"
  | "enum"
  | "namespace"
  /** The name of a function or class expression, or a class's own name inside its body. */
  | "self";

export interface Binding {
  readonly name: string;
  readonly kind: BindingKind;
  readonly scope: Scope;
  /** What declares it: Declarator, Function, Class, Param, Try, ImportSpecifier, Enum, Namespace, ImportEquals. */
  readonly declarations: ir.Node[];
  /** Every identifier that means it, declarations left out. */
  readonly references: Reference[];
  /** The parameter that a `var` or function of the body hides: `function f(a) { var a; }`. */
  redeclares: Binding | null;
}

export interface Reference {
  readonly node: ir.Identifier;
  readonly scope: Scope;
  /** `null`: a global, or a name that `with` or a sloppy `eval` may provide. */
  binding: Binding | null;
  readonly reads: boolean;
  readonly writes: boolean;
}

export type ScopeKind =
  | "module"
  | "function"
  | "body"
  | "block"
  | "class"
  | "namespace"
  | "enum"
  | "static"
  | "self"
  | "with";

export interface Scope {
  readonly kind: ScopeKind;
  readonly node: ir.Node;
  readonly parent: Scope | null;
  readonly bindings: Map<string, Binding>;
  /** Where `var` goes: the nearest module, body, static block or namespace. */
  readonly varScope: Scope;
}

export interface Scopes {
  readonly module: Scope;
  readonly scopeOf: ReadonlyMap<ir.Node, Scope>;
  readonly parentOf: Found<ir.Node, ir.Node>;
  readonly referenceOf: Found<ir.Identifier, Reference>;
  readonly declarationOf: Found<ir.Identifier, Binding>;
  readonly references: readonly Reference[];
  /** All of the program, in no order that says anything. */
  readonly functions: readonly ir.Function[];
  readonly calls: readonly ir.Call[];
  readonly expressionStatements: readonly ir.ExpressionStatement[];
}

/** What is known of each node: kept in the nodes themselves, where maps would take most of the time. */
export interface Found<N, T> {
  get(node: N): T | undefined;
  has(node: N): boolean;
}

const PARENTS: Scopes["parentOf"] = {
  get: (node) => node.parent ?? undefined,
  has: (node) => node.parent != null,
};
const REFERENCES: Scopes["referenceOf"] = {
  get: (node) => node.reference ?? undefined,
  has: (node) => node.reference != null,
};
const DECLARATIONS: Scopes["declarationOf"] = {
  get: (node) => node.declares ?? undefined,
  has: (node) => node.declares != null,
};

/** Binds every identifier of the program. Two passes: declare everything (hoisting), then resolve. */
export function inferScopes(program: ir.Program): Scopes {
  const scopeOf = new Map<ir.Node, Scope>();
  const references: Reference[] = [];
  const functions: ir.Function[] = [];
  const calls: ir.Call[] = [];
  const expressionStatements: ir.ExpressionStatement[] = [];
  const sloppyBlockFunctions: { fn: ir.Function; scope: Scope }[] = [];

  const open = (kind: ScopeKind, node: ir.Node, parent: Scope | null): Scope => {
    const scope = { kind, node, parent, bindings: new Map() } as unknown as { -readonly [K in keyof Scope]: Scope[K] };
    scope.varScope =
      parent === null || kind === "body" || kind === "static" || kind === "namespace" ? scope : parent.varScope;
    if (kind === "function") scope.varScope = scope;
    if (!scopeOf.has(node)) scopeOf.set(node, scope);
    return scope;
  };

  const declare = (scope: Scope, id: ir.Identifier, kind: BindingKind, by: ir.Node): void => {
    let binding = scope.bindings.get(id.name);
    if (binding) binding.declarations.push(by);
    else {
      const hidden = scope.kind === "body" ? (scope.parent?.bindings.get(id.name) ?? null) : null;
      binding = { name: id.name, kind, scope, declarations: [by], references: [], redeclares: hidden };
      scope.bindings.set(id.name, binding);
    }
    id.declares = binding;
  };

  /** Hands each name of a pattern to `name`; its computed keys, defaults and member targets are ordinary expressions. */
  const pattern = (node: ir.Pattern, scope: Scope, name: (id: ir.Identifier) => void): void => {
    const inner = (part: ir.Pattern, parent: ir.Node): void => {
      link(part, parent);
      pattern(part, scope, name);
    };
    switch (node.type) {
      case "Identifier":
        name(node);
        break;
      case "ArrayPattern":
        for (const element of node.elements) if (element) inner(element, node);
        break;
      case "ObjectPattern":
        for (const property of node.properties) {
          link(property, node);
          if (property.type === "PatternProperty" && property.computed) child(property.key, property, scope);
          inner(property.type === "Rest" ? property.argument : property.value, property);
        }
        break;
      case "Default":
        inner(node.left, node);
        child(node.right, node, scope);
        break;
      case "Rest":
        inner(node.argument, node);
        break;
      default:
        visit(node, scope);
    }
  };
  /** Declares the names of a pattern in `target`. */
  const bind = (node: ir.Pattern, kind: BindingKind, target: Scope, by: ir.Node, scope: Scope): void =>
    pattern(node, scope, (id) => declare(target, id, kind, by));
  /** Names that an assignment, `for (x of …)` or `++` writes. */
  const assign = (node: ir.Pattern, scope: Scope, reads: boolean): void =>
    pattern(node, scope, (id) => refer(id, scope, reads && id === node, true));

  /** What a name means is known only when everything is declared. */
  const refer = (node: ir.Identifier, scope: Scope, reads: boolean, writes: boolean): void => {
    node.reference = { node, scope, binding: null, reads, writes };
    references.push(node.reference);
  };
  const link = (node: ir.Node, parent: ir.Node): void => {
    node.parent = parent;
  };
  const child = (node: ir.Node, parent: ir.Node, scope: Scope): void => {
    link(node, parent);
    visit(node, scope);
  };
  const children = (nodes: readonly (ir.Node | null)[], parent: ir.Node, scope: Scope): void => {
    for (const node of nodes) if (node) child(node, parent, scope);
  };

  /** Lexical declarations of a statement list are visible in all of it; functions even callable. */
  const statements = (list: readonly ir.Statement[], parent: ir.Node, scope: Scope): void => {
    for (const statement of list) hoist(statement, scope);
    children(list, parent, scope);
  };

  const hoist = (statement: ir.Statement, scope: Scope): void => {
    switch (statement.type) {
      case "Function":
        if (!statement.id) return;
        declare(scope, statement.id, "function", statement);
        if (scope.varScope !== scope) sloppyBlockFunctions.push({ fn: statement, scope });
        return;
      case "Class":
        if (statement.id) declare(scope, statement.id, "class", statement);
        return;
      case "Enum":
        declare(scope, statement.id, "enum", statement);
        return;
      case "Namespace":
        declare(scope, statement.id, "namespace", statement);
        return;
      case "ImportEquals":
        declare(scope, statement.local, "import", statement);
        return;
      case "Import":
        for (const specifier of statement.specifiers) declare(scope, specifier.local, "import", specifier);
        return;
      case "ExportNamed":
        if (statement.declaration) hoist(statement.declaration as ir.Statement, scope);
        return;
      case "ExportDefault": {
        const { declaration } = statement;
        if ((declaration.type === "Function" || declaration.type === "Class") && declaration.kind === "declaration")
          hoist(declaration, scope);
        return;
      }
    }
  };

  const visit = (node: ir.Node, scope: Scope): void => {
    switch (node.type) {
      case "Program": {
        children(node.directives, node, scope);
        statements(node.body, node, scope);
        return;
      }
      case "Identifier":
        refer(node, scope, true, false);
        return;
      case "Variable": {
        const target = node.kind === "var" ? scope.varScope : scope;
        const kind = node.kind === "await using" ? "using" : node.kind;
        for (const declarator of node.declarations) {
          link(declarator, node);
          link(declarator.id, declarator);
          bind(declarator.id, kind, target, declarator, scope);
          if (declarator.init) child(declarator.init, declarator, scope);
        }
        return;
      }
      case "Block":
        statements(node.body, node, open("block", node, scope));
        return;
      case "StaticBlock":
        statements(node.body, node, open("static", node, scope));
        return;
      case "Namespace":
        link(node.id, node);
        statements(node.body, node, open("namespace", node, scope));
        return;
      case "Enum": {
        link(node.id, node);
        const inner = open("enum", node, scope);
        for (const member of node.members) {
          link(member, node);
          // Members are in scope, unqualified, in later initialisers.
          if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(member.name))
            inner.bindings.set(member.name, enumMember(member, inner));
          if (member.init) child(member.init, member, inner);
        }
        return;
      }
      case "Switch": {
        child(node.discriminant, node, scope);
        const inner = open("block", node, scope);
        for (const each of node.cases) for (const statement of each.body) hoist(statement, inner);
        for (const each of node.cases) {
          link(each, node);
          if (each.test) child(each.test, each, inner);
          children(each.body, each, inner);
        }
        return;
      }
      case "For": {
        const inner = open("block", node, scope);
        children([node.init, node.test, node.update, node.body], node, inner);
        return;
      }
      case "ForIn":
      case "ForOf": {
        const inner = open("block", node, scope);
        if (node.left.type === "Variable") child(node.left, node, inner);
        else {
          link(node.left, node);
          assign(node.left, inner, false);
        }
        children([node.right, node.body], node, inner);
        return;
      }
      case "Try": {
        child(node.block, node, scope);
        if (node.handler) {
          const inner = open("block", node, scope);
          if (node.param) {
            link(node.param, node);
            bind(node.param, "catch", inner, node, inner);
          }
          child(node.handler, node, inner);
        }
        if (node.finalizer) child(node.finalizer, node, scope);
        return;
      }
      case "With": {
        child(node.object, node, scope);
        child(node.body, node, open("with", node, scope));
        return;
      }
      case "Function":
        visitFunction(node, scope);
        return;
      case "Class": {
        children(node.decorators, node, scope);
        const inner = open("class", node, scope);
        if (node.id) {
          link(node.id, node);
          // A declaration's outer name was hoisted; inside, the class has an immutable name of its own.
          const own: Binding = {
            name: node.id.name,
            kind: "self",
            scope: inner,
            declarations: [node],
            references: [],
            redeclares: null,
          };
          inner.bindings.set(node.id.name, own);
          if (node.kind === "expression") node.id.declares = own;
          else node.id.declares ??= own;
        }
        if (node.superClass) child(node.superClass, node, inner);
        children(node.members, node, inner);
        return;
      }
      case "Assign":
        link(node.left, node);
        assign(node.left, scope, node.operator !== "=");
        child(node.right, node, scope);
        return;
      case "Update":
        link(node.argument, node);
        assign(node.argument, scope, true);
        return;
      case "Import":
        for (const specifier of node.specifiers) {
          link(specifier, node);
          link(specifier.local, specifier);
        }
        return;
      case "ImportEquals":
        link(node.local, node);
        if (node.target) child(node.target, node, scope);
        return;
      default:
        if (node.type === "Call") calls.push(node);
        else if (node.type === "ExpressionStatement") expressionStatements.push(node);
        visitChildren(node, scope);
    }
  };

  // One function for all nodes: one made at each would be a third of what this pass leaves to the collector.
  let parent: ir.Node = program;
  let around: Scope;
  const visitChild = (node: ir.Node): void => child(node, parent, around);
  const visitChildren = (node: ir.Node, scope: Scope): void => {
    const outerParent = parent;
    const outerScope = around;
    parent = node;
    around = scope;
    forEachChild(node, visitChild);
    parent = outerParent;
    around = outerScope;
  };

  const visitFunction = (node: ir.Function, outer: Scope): void => {
    functions.push(node);
    let scope = outer;
    if (node.id) {
      link(node.id, node);
      if (node.kind === "expression") {
        scope = open("self", node, outer);
        declare(scope, node.id, "self", node);
      }
    }
    const params = open("function", node, scope);
    scopeOf.set(node, params);
    for (const param of node.params) {
      link(param, node);
      children(param.decorators, param, scope);
      link(param.pattern, param);
      bind(param.pattern, "param", params, param, params);
    }
    link(node.body, node);
    if (node.body.type !== "FunctionBody") {
      visit(node.body, params);
      return;
    }
    const body = open("body", node.body, params);
    children(node.body.directives, node.body, body);
    statements(node.body.body, node.body, body);
  };

  const module = open("module", program, null);
  visit(program, module);

  // Annex B: in sloppy code a function in a block is also a `var` of the function around it. Declaring it there too is
  // right for our purpose even in strict code, where no reference outside the block can mean it: such a reference is a
  // ReferenceError at run time either way.
  for (const { fn, scope } of sloppyBlockFunctions) annexB(fn, scope);

  for (const reference of references) {
    reference.binding = lookup(reference.scope, reference.node.name);
    reference.binding?.references.push(reference);
  }
  return {
    module,
    scopeOf,
    parentOf: PARENTS,
    referenceOf: REFERENCES,
    declarationOf: DECLARATIONS,
    references,
    functions,
    calls,
    expressionStatements,
  };
}

function enumMember(member: ir.EnumMember, scope: Scope): Binding {
  return { name: member.name, kind: "const", scope, declarations: [member], references: [], redeclares: null };
}

function annexB(fn: ir.Function, scope: Scope): void {
  const name = (fn.id as ir.Identifier).name;
  if (fn.async || fn.generator || isStrict(scope)) return;
  for (let at = scope.parent; at; at = at.parent) {
    const present = at.bindings.get(name);
    if (at === scope.varScope) {
      if (present) present.declarations.push(fn);
      else {
        // A parameter of that name is not touched.
        if (at.kind === "body" && at.parent?.bindings.has(name)) return;
        at.bindings.set(name, { name, kind: "var", scope: at, declarations: [fn], references: [], redeclares: null });
      }
      return;
    }
    if (present) return; // a lexical name in between: the `var` would be an early error, so there is none
  }
}

/** Class code and functions under "use strict"; a module's strictness is the caller's to add. */
export function isStrict(scope: Scope): boolean {
  for (let at: Scope | null = scope; at; at = at.parent) {
    const { node } = at;
    if (node.type === "Class") return true;
    if (
      (node.type === "FunctionBody" || node.type === "Program") &&
      node.directives.some((d) => d.raw === "use strict")
    )
      return true;
    if (node.type === "Program") return node.body.some((s) => /^(Import|Export(Named|Default|All))$/.test(s.type));
  }
  return false;
}

/** The binding that `name` means at `scope`, or `null` for a global. `with` hides everything outside it. */
export function lookup(scope: Scope, name: string): Binding | null {
  for (let at: Scope | null = scope; at; at = at.parent) {
    const binding = at.bindings.get(name);
    if (binding) return binding;
    if (at.kind === "with") return null;
  }
  return null;
}

export function isInside(scope: Scope, ancestor: Scope): boolean {
  for (let at: Scope | null = scope; at; at = at.parent) if (at === ancestor) return true;
  return false;
}

/** Is it assigned anywhere after its declaration? */
export function isReassigned(binding: Binding): boolean {
  return binding.references.some((reference) => reference.writes);
}

/** The bound names of a pattern, in order. */
export function boundNames(pattern: ir.Pattern, names: ir.Identifier[] = []): ir.Identifier[] {
  switch (pattern.type) {
    case "Identifier":
      names.push(pattern);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element) boundNames(element, names);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties)
        boundNames(property.type === "Rest" ? property.argument : property.value, names);
      break;
    case "Default":
      boundNames(pattern.left, names);
      break;
    case "Rest":
      boundNames(pattern.argument, names);
      break;
  }
  return names;
}
