/**
 * Where a cached function is told of, so that `clear(fn)` finds its site and a key in which it is an argument tells it
 * from others: by its name at the module's top, behind the statement that names it, or where its holder is made. What
 * stands under a name later may be another function, and is not taken for this one.
 */
import { isChangedThrough, isModuleLevel, lexicalOwner } from "./captures.ts";
import type * as ir from "./ir.ts";
import { forEachChild } from "./ir.ts";
import { type Address, addressOf, type Holder, holderOf } from "./names.ts";
import type { Slot } from "./plan.ts";
import { isReassigned, type Scope, type Scopes } from "./scope.ts";

/** Where `mark(fn, site)` goes for a function that its name at the module's top does not lead to for certain. */
export interface MarkPlace {
  readonly expression: string;
  /** The statement list, and the statement to stand behind; `null`: at its start, for hoisted functions. */
  readonly list: ir.Node;
  readonly after: ir.Statement | null;
  /** Even there, another function may be of that name: `{ load() {}, ...rest }`. */
  readonly isUnsure: boolean;
}

export interface Place {
  /** The expression that names it anywhere in the module. */
  readonly self: string | null;
  /** Another function may be what {@link self} gives. */
  readonly isReplaceable: boolean;
  readonly mark: MarkPlace | null;
  /** The object or class to tell of it where it is made. */
  readonly holder: Holder | null;
}

export function placeOf(fn: ir.Function, scopes: Scopes): Place {
  const address = addressOf(fn, scopes);
  const isTop = address !== undefined && (address.root === null || address.root.scope === scopes.module);
  const self = isTop ? address.expression : null;
  const isLocal = !isModuleLevel(scopes.scopeOf.get(fn)?.parent as Scope);
  if (isTop && !isLocal && !address.isUnsure && !isReplaced(address, assignmentOf(fn, scopes), scopes))
    return { self, isReplaceable: false, mark: null, holder: null };
  const mark = (address && markPlace(fn, address, scopes)) ?? null;
  return {
    self,
    isReplaceable: isTop,
    mark: isTop && mark?.isUnsure ? null : mark,
    holder: mark || isTop ? null : (holderOf(fn, scopes) ?? null),
  };
}

/** `load = wrap(load)`, `api.load = other`, `this.load = other` of a method: whatever the object, if the name is one of these. */
function isReplaced({ root, expression }: Address, assignment: ir.Assign | undefined, scopes: Scopes): boolean {
  const names = expression.match(/[^.[\]"]+/g)?.slice(1) ?? [];
  const own = assignment && nameAssigned(assignment);
  const assigned = namesAssigned(scopes);
  if (names.some((each) => (assigned.get(each) ?? 0) > (each === own ? 1 : 0))) return true;
  if (root === null) return false;
  const values = root.declarations.filter(({ type }) => type === "Function" || type === "Declarator");
  if (values.length > 1 || isReassigned(root)) return true;
  const isOwn = ({ start }: ir.Node) => assignment && start >= assignment.start && start < assignment.left.end;
  return names.length > 0 && root.references.some(({ node }) => !isOwn(node) && isChangedThrough(node, scopes));
}

const known = new WeakMap<Scopes, ReadonlyMap<string, number>>();

/** Which properties the module assigns, and how often. */
function namesAssigned(scopes: Scopes): ReadonlyMap<string, number> {
  const before = known.get(scopes);
  if (before) return before;
  const found = new Map<string, number>();
  const visit = (node: ir.Node): void => {
    const name = node.type === "Assign" ? nameAssigned(node) : undefined;
    if (name !== undefined) found.set(name, (found.get(name) ?? 0) + 1);
    forEachChild(node, visit);
  };
  visit(scopes.module.node);
  known.set(scopes, found);
  return found;
}

function nameAssigned({ left }: ir.Assign): string | undefined {
  return left.type === "Member" && left.property.type === "Name" ? left.property.name : undefined;
}

function markPlace(fn: ir.Function, address: Address, scopes: Scopes): MarkPlace | undefined {
  const { root, expression } = address;
  const assignment = assignmentOf(fn, scopes);
  const [declaration] = root?.declarations ?? [];
  if (root === null ? !assignment : root.declarations.length !== 1) return undefined;
  // Where it is assigned for certain, and then.
  if (assignment && scopes.parentOf.get(assignment)?.type !== "ExpressionStatement") return undefined;
  let { isUnsure } = address;
  let statement = assignment ?? (declaration as ir.Node);
  for (
    let parent = scopes.parentOf.get(statement);
    parent;
    statement = parent, parent = scopes.parentOf.get(statement)
  ) {
    if (LISTS.has(parent.type)) {
      const hoisted = statement === fn && fn.kind === "declaration";
      return { expression, list: parent, after: hoisted ? null : (statement as ir.Statement), isUnsure };
    }
    if (parent.type === "Function" || parent.type === "Class" || /^For/.test(parent.type)) return undefined;
    if (assignment && parent.type !== "ExpressionStatement") return undefined;
    // `if (cached) var load = () => {};`
    isUnsure ||= parent.type === "If" || parent.type === "While" || parent.type === "DoWhile";
  }
  return undefined;
}

/** `holder.load = function () {}`, `api = { load() {} }`. */
function assignmentOf(fn: ir.Function, scopes: Scopes): ir.Assign | undefined {
  let at = scopes.parentOf.get(fn);
  while (at && MEMBERS.has(at.type)) at = scopes.parentOf.get(at);
  return at?.type === "Assign" ? at : undefined;
}

const MEMBERS: ReadonlySet<string> = new Set(["Property", "Object", "Method", "Field", "Class"]);
const LISTS: ReadonlySet<string> = new Set(["Block", "FunctionBody", "Case", "StaticBlock", "Namespace", "Program"]);

/**
 * A function's captures, and what an arrow sees of the function around it: they tell it from others of the same code.
 * `null`: where the arrow is marked, `this` is another (a static field's), or what is marked may be another function.
 */
export function lexicalSlots(
  fn: ir.Function,
  slots: readonly Slot[],
  captured: number,
  defaults: readonly string[],
  { mark, holder }: Place,
  scopes: Scopes,
): readonly (number | string)[] | null {
  const isSeen = ({ isLexical = false }: Slot): boolean => fn.kind === "arrow" && isLexical;
  const from = mark?.list ?? holder?.node;
  if (mark?.isUnsure) return null;
  if (from && slots.some(isSeen) && lexicalOwner(from, scopes) !== lexicalOwner(fn, scopes)) return null;
  const own = slots.flatMap((slot, index) => (isSeen(slot) || index >= slots.length - captured ? [index] : []));
  return [...own, ...defaults];
}
