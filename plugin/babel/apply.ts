/** The Babel route's edits: the same wrappers, in the AST of the host, on the tree as its author wrote it. */
import type { Emission, Hole, Pieces, SiteEmission } from "../core/emit.ts";
import type * as ir from "../core/ir.ts";
import type { ModulePlan } from "../core/module.ts";

/** A Babel node, of whichever version the host has. */
export type BabelNode = { type: string; [field: string]: any };
export type ParseStatements = (code: string) => BabelNode[];

/**
 * @param file the `File` node, edited in place
 * @param origin from the reader: IR node → Babel node
 * @param parse the host's parser, for the text that the core emits
 */
export function applyAst(
  file: BabelNode,
  origin: ReadonlyMap<ir.Node, object>,
  plan: ModulePlan,
  emission: Emission,
  parse: ParseStatements,
): void {
  const program: BabelNode = file.program;
  const original = <T extends ir.Node>(node: T): BabelNode => {
    const found = origin.get(node) as BabelNode | undefined;
    if (!found) throw new Error(`kept: the reader lost the origin of a ${node.type}`);
    return found;
  };
  const build = (pieces: Pieces): BabelNode[] => fill(parse, pieces, (hole) => original(hole.node));

  // Wrappers are built before anything is taken away: the user's own `key` is still in its place.
  for (const { site, text } of emission.marks) {
    const place = site.mark as NonNullable<typeof site.mark>;
    const list = listOf(original(place.list));
    const at = place.after
      ? list.indexOf(exportOf(list, original(place.after))) + 1
      : list.findIndex((each) => !isOptions(each));
    list.splice(Math.max(at, 0), 0, ...build([text]));
  }
  for (const { list, text } of emission.readers) {
    const statements = listOf(original(list));
    statements.splice(
      Math.max(
        statements.findIndex((each) => !isOptions(each)),
        0,
      ),
      0,
      ...build([text]),
    );
  }
  for (const each of emission.sites) wrap(each);
  removeImports();
  if (plan.fileDirective) remove(program.directives, original(plan.fileDirective));
  const first = plan.program.body[0] as ir.Statement;
  if (emission.registration)
    program.body.splice(program.body.indexOf(original(first)) + 1, 0, ...build([emission.registration]));
  program.body.push(...build(emission.tail));

  function isOptions(statement: BabelNode): boolean {
    return plan.sites.some((site) => site.optionsStatement && original(site.optionsStatement) === statement);
  }

  function wrap({ site, open, close }: SiteEmission): void {
    const { fn } = site;
    const host = original(fn);
    if (fn.body.type !== "FunctionBody") {
      const [statement] = build([...open, "KEPT_BODY", close]);
      host.body = replace((statement as BabelNode).expression, "KEPT_BODY", host.body);
      return;
    }
    const body: BabelNode = host.body;
    const [statement] = build([...open, close]);
    const inner = innerArrow(statement as BabelNode);
    if (site.directive) remove(body.directives, original(site.directive));
    const options = site.optionsStatement && original(site.optionsStatement);
    inner.body.body = body.body.filter((each: BabelNode) => each !== options);
    inner.body.innerComments = body.innerComments;
    body.innerComments = undefined;
    body.body = [statement];
  }

  function removeImports(): void {
    for (const specifier of plan.unusedImports) {
      const statement = original(plan.scopes.parentOf.get(specifier) as ir.Import);
      statement.specifiers = statement.specifiers.filter((each: BabelNode) => each !== original(specifier));
      if (statement.specifiers.length === 0) statement.keptEmpty = true;
    }
    program.body = program.body.filter((each: BabelNode) => !each.keptEmpty);
  }
}

/** The arrow whose body the wrapper was emitted with empty: the last function of the wrapper that has a block of its own. */
function innerArrow(statement: BabelNode): BabelNode {
  const call: BabelNode = statement.argument;
  let run: BabelNode = call.arguments[1];
  // `() => (async (a) => {})(a)`: the body declares a parameter again.
  while (run.body.type !== "BlockStatement") run = run.body.callee;
  return run;
}

/** The array of statements that a list node of the IR stands for. */
function listOf(node: BabelNode): BabelNode[] {
  const list = node.type === "SwitchCase" ? node.consequent : Array.isArray(node.body) ? node.body : node.body?.body;
  return list as BabelNode[];
}

/** A declaration stands in its list itself or behind `export`. */
function exportOf(list: BabelNode[], node: BabelNode): BabelNode {
  return list.find((each) => each === node || each.declaration === node) ?? node;
}

function remove(list: BabelNode[], node: BabelNode): void {
  const at = list.indexOf(node);
  if (at >= 0) list.splice(at, 1);
}

/** Parses emitted text with a name in each hole, and puts the user's nodes there. */
function fill(parse: ParseStatements, pieces: Pieces, nodeOf: (hole: Hole) => BabelNode): BabelNode[] {
  const holes: BabelNode[] = [];
  const text = pieces
    .map((piece) => (typeof piece === "string" ? piece : `KEPT_HOLE_${holes.push(nodeOf(piece)) - 1}`))
    .join("");
  const isReturn = text.startsWith("return ");
  let statements = parse(isReturn ? `function f() { ${text} }` : text);
  if (isReturn) statements = (statements[0] as BabelNode).body.body;
  return holes.reduce<BabelNode[]>(
    (all, node, index) => all.map((each) => replace(each, `KEPT_HOLE_${index}`, node)),
    statements,
  );
}

/** Puts `node` where the identifier `name` stands; as a method, in place of the whole shorthand property. */
function replace<T>(tree: T, name: string, node: BabelNode): T {
  if (Array.isArray(tree)) return tree.map((each) => replace(each, name, node)) as T;
  if (tree === null || typeof tree !== "object") return tree;
  const at = tree as unknown as BabelNode;
  if (at.type === "Identifier" && at.name === name) return node as T;
  if (at.type === "ObjectProperty" && at.shorthand && at.key.name === name) return node as T;
  for (const [field, value] of Object.entries(at))
    if (value && typeof value === "object" && !/^(loc|extra|.*Comments)$/.test(field))
      at[field] = replace(value, name, node);
  return tree;
}
