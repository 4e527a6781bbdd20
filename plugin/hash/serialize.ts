/**
 * One piece of code as canonical text: what it does, and nothing of how it is written. By the field table of the IR,
 * node type by node type; positions, types, comments and formatting are gone already, and here go local names (numbered
 * by first occurrence), `const` against `let`, braces around single statements, and `=> x` against `=> { return x }`.
 */
import type * as ir from "../core/ir.ts";
import { SHAPES } from "../core/ir.ts";
import { type Binding, isInside, type Scopes } from "../core/scope.ts";

export interface SerializeOptions {
  readonly scopes: Scopes;
  /** Left out: Kept's own directive and options. */
  readonly skip?: ReadonlySet<ir.Node>;
  /** What stands for a name that the root does not declare. `binding` is null for a global. */
  readonly outer: (binding: Binding | null, name: string) => string;
}

/** Types only lints look at, and the spelling of a declaration. */
const LEFT_OUT: ReadonlySet<string> = new Set(["Param.annotation"]);

export function serialize(root: ir.Node, { scopes, skip, outer }: SerializeOptions): string {
  const rootScope = scopes.scopeOf.get(root);
  const numbers = new Map<Binding, number>();
  const labels: string[] = [];
  const out: string[] = [];

  const isLocal = (binding: Binding): boolean =>
    (rootScope !== undefined && isInside(binding.scope, rootScope)) || binding.declarations.includes(root);
  const number = (binding: Binding): string => {
    let n = numbers.get(binding);
    if (n === undefined) numbers.set(binding, (n = numbers.size));
    return `#${n}`;
  };
  const identifier = (node: ir.Identifier): string => {
    const binding = scopes.referenceOf.get(node)?.binding ?? scopes.declarationOf.get(node) ?? null;
    return binding && isLocal(binding) ? number(binding) : outer(binding, node.name);
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

  const statement = (node: ir.Node): void => {
    if (node.type === "Block" || node.type === "Empty") return write(node.type === "Block" ? node : ({ ...node, type: "Block", body: [] } as ir.Block));
    out.push("(Block[");
    write(node);
    out.push("])");
  };

  const write = (node: ir.Node): void => {
    if (node.type === "Identifier") {
      out.push(identifier(node));
      return;
    }
    const fields = node as unknown as Record<string, unknown>;
    out.push("(", node.type);
    for (const field of SHAPES[node.type].values)
      if (!LEFT_OUT.has(`${node.type}.${field}`)) out.push(" ", scalar(node, field, fields[field]));
    for (const field of SHAPES[node.type].children) {
      const value = fields[field] as ir.Node | readonly (ir.Node | null)[] | null;
      if (Array.isArray(value)) {
        out.push("[");
        for (const item of value) {
          if (item === null) out.push("~");
          else if (!skip?.has(item)) write(item);
        }
        out.push("]");
      } else if (value === null) out.push("~");
      else if (BODIES.has(`${node.type}.${field}`)) statement(value as ir.Node);
      else if (node.type === "Function" && field === "body" && (value as ir.Node).type !== "FunctionBody") {
        out.push("(FunctionBody[][(Return");
        write(value as ir.Node);
        out.push(")])");
      } else if (node.type === "Function" && field === "id" && node === root) out.push("~");
      else write(value as ir.Node);
    }
    if (node.type === "Labeled") labels.pop();
    out.push(")");
  };

  write(root);
  return out.join("");
}

const BODIES: ReadonlySet<string> = new Set([
  "If.consequent", "If.alternate", "For.body", "ForIn.body", "ForOf.body", "While.body", "DoWhile.body", "With.body",
]);
