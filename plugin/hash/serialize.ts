/**
 * Code as canonical text: what it does, and nothing of how it is written. By the field table of the IR, node type by
 * node type; positions, types, comments and formatting are gone already, and here go local names (numbered by first
 * occurrence), `const` against `let`, braces around single statements, and `=> x` against `=> { return x }`.
 */
import type * as ir from "../core/ir.ts";
import { SHAPES } from "../core/ir.ts";
import { type Binding, boundNames, type Scopes } from "../core/scope.ts";

export interface SerializeOptions {
  readonly scopes: Scopes;
  /** Left out wherever it stands in a list: Kept's own directives and options. */
  readonly skip?: (node: ir.Node) => boolean;
  /** What stands for a name; `undefined`: it is local, and numbered. `binding` is null for a global. */
  readonly name: (node: ir.Identifier, binding: Binding | null) => string | undefined;
  /** Takes a whole node over. */
  readonly replace?: (node: ir.Node) => string | undefined;
}

/** `annotation` is for lints alone. A root's own name is no part of it. */
const LEFT_OUT: ReadonlySet<string> = new Set(["Param.annotation"]);

const BODIES: ReadonlySet<string> = new Set([
  "If.consequent",
  "If.alternate",
  "For.body",
  "ForIn.body",
  "ForOf.body",
  "While.body",
  "DoWhile.body",
  "With.body",
]);

const NAMED: ReadonlySet<string> = new Set(["Function", "Class", "Enum", "Namespace"]);

type Role = "name" | "children" | "body" | "function body" | "plain";

/** The field table, with what is said above worked into it: looking that up at every node takes most of the time. */
interface Layout {
  readonly head: string;
  readonly values: readonly string[];
  readonly children: readonly (readonly [field: string, role: Role])[];
}

const LAYOUT: Readonly<Record<string, Layout>> = Object.fromEntries(
  Object.entries(SHAPES).map(([type, { values, children }]) => {
    const roleOf = (field: string): Role => {
      if (field === "id" && NAMED.has(type)) return "name";
      if (field === "children") return "children";
      if (BODIES.has(`${type}.${field}`)) return "body";
      return type === "Function" && field === "body" ? "function body" : "plain";
    };
    const layout: Layout = {
      head: `(${type}`,
      values: values.filter((field) => !LEFT_OUT.has(`${type}.${field}`)),
      children: children.map((field) => [field, roleOf(field)]),
    };
    return [type, layout];
  }),
);

/** One text for each root; a local that several roots mention has one number in all of them. */
export function serialize(roots: readonly ir.Node[], options: SerializeOptions): string[] {
  const { scopes, skip, name, replace } = options;
  const numbers = new Map<Binding, number>();
  const labels: string[] = [];
  let out = "";
  let root: ir.Node;

  const identifier = (node: ir.Identifier): string => {
    const binding = scopes.referenceOf.get(node)?.binding ?? scopes.declarationOf.get(node) ?? null;
    const given = name(node, binding);
    if (given !== undefined) return given;
    if (!binding) return `$${node.name}`;
    let n = numbers.get(binding);
    if (n === undefined) numbers.set(binding, (n = numbers.size));
    return `#${n}`;
  };

  const scalar = (node: ir.Node, field: string, value: unknown): string => {
    if (node.type === "Variable" && field === "kind" && value === "const") return '"let"';
    if (field === "label" && typeof value === "string") {
      if (node.type === "Labeled") labels.push(value);
      return `@${labels.lastIndexOf(value)}`;
    }
    if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
    return value === null ? "null" : JSON.stringify(value);
  };

  const write = (node: ir.Node): void => {
    const replaced = replace?.(node);
    if (replaced !== undefined) {
      out += replaced;
      return;
    }
    if (node.type === "Identifier") {
      out += identifier(node);
      return;
    }
    const fields = node as unknown as Record<string, unknown>;
    const { head, values, children } = LAYOUT[node.type] as Layout;
    out += head;
    for (const field of values) out += ` ${scalar(node, field, fields[field])}`;
    for (const [field, role] of children) {
      const value = fields[field] as ir.Node | readonly (ir.Node | null)[] | null;
      if (role === "name" && node === root) out += "~";
      else if (Array.isArray(value)) list(role === "children" ? mergeText(value) : value);
      else if (value === null) out += "~";
      else if (role === "body") statement(value as ir.Node);
      else if (role === "function body" && (value as ir.Node).type !== "FunctionBody") {
        out += "(FunctionBody[][(Return";
        write(value as ir.Node);
        out += ")])";
      } else write(value as ir.Node);
    }
    if (node.type === "Labeled") labels.pop();
    if (node.type === "ExportNamed" && node.declaration) out += ` ${JSON.stringify(declaredNames(node.declaration))}`;
    out += ")";
  };

  const list = (items: readonly (ir.Node | null)[]): void => {
    out += "[";
    for (const item of items) {
      if (item === null) out += "~";
      else if (!skip?.(item)) write(item);
    }
    out += "]";
  };

  const statement = (node: ir.Node): void => {
    if (node.type === "Block") write(node);
    else {
      out += "(Block[";
      if (node.type !== "Empty") write(node);
      out += "])";
    }
  };

  return roots.map((each) => {
    out = "";
    root = each;
    write(each);
    return out;
  });
}

/** Inside a namespace, what is exported is a property, and its name is seen from outside. */
function declaredNames(node: ir.Declaration): string[] {
  if (node.type === "Variable") return node.declarations.flatMap(({ id }) => boundNames(id).map(({ name }) => name));
  const id = node.type === "ImportEquals" ? node.local : node.id;
  return id ? [id.name] : [];
}

/** `text{" "}{x}` is `text {x}`: formatters move the space between the two. */
function mergeText(children: readonly (ir.Node | null)[]): (ir.Node | null)[] {
  const merged: (ir.Node | null)[] = [];
  for (const child of children) {
    const last = merged.at(-1);
    if (child?.type === "JSXText" || child?.type === "String") {
      if (last?.type === "JSXText") {
        merged[merged.length - 1] = { ...last, value: last.value + child.value };
        continue;
      }
      merged.push({ type: "JSXText", value: child.value, start: child.start, end: child.end });
    } else merged.push(child);
  }
  return merged;
}
