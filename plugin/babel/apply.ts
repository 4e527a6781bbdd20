/** The Babel route's edits: the same wrappers, in the AST of the host, on the tree as its author wrote it. */
import type { Emission, Pieces, SiteEmission } from "../core/emit.ts";
import type * as ir from "../core/ir.ts";
import type { ModulePlan } from "../core/module.ts";
import { type BabelNode, type Fragment, parseEmitted, type Shapes } from "./emitted.ts";
import type { Edited } from "./scopes.ts";

/** The Babel node that a node of the IR was read from. */
export function original(node: ir.Node): BabelNode {
  if (!node.origin) throw new Error(`kept: the reader lost the origin of a ${node.type}`);
  return node.origin as BabelNode;
}

/**
 * @param file the `File` node, edited in place
 * @param shapes the host's parser, for the text that the core emits
 */
export function applyAst(file: BabelNode, plan: ModulePlan, emission: Emission, shapes: Shapes): Edited {
  const program: BabelNode = file.program;
  const fragment = (pieces: Pieces): Fragment =>
    pieces.map((piece) => (typeof piece === "string" ? piece : original(piece.node)));
  const { sites, marks, readers, holders } = emission;
  // Built before anything is taken away: the user's own `key` is still in its place.
  const built = parseEmitted(
    shapes,
    [
      ...sites.map(({ site, open, close }) => {
        if (site.fn.body.type === "FunctionBody") return fragment([...open, close]);
        return ["return ", ...fragment(open), original(site.fn).body as BabelNode, close];
      }),
      ...marks.map(({ text }) => [text]),
      ...readers.map(({ text }) => [text]),
      ...holders.map(({ node, open, close }) => [`return ${open}`, original(node), close]),
      [emission.registration],
    ],
    fragment(emission.tail),
  );
  const wrappers = built.statements.slice(0, sites.length);
  const marking = built.statements.slice(sites.length, sites.length + marks.length);
  const reading = built.statements.slice(sites.length + marks.length, -1 - holders.length);
  const holding = built.statements.slice(-1 - holders.length, -1);
  const registration = built.statements.at(-1) as BabelNode[];

  for (const [index, { site }] of marks.entries()) {
    const place = site.mark as NonNullable<typeof site.mark>;
    const list = listOf(original(place.list));
    const at = place.after
      ? list.indexOf(exportOf(list, original(place.after))) + 1
      : list.findIndex((each) => !isOptions(each));
    list.splice(Math.max(at, 0), 0, ...(marking[index] as BabelNode[]));
  }
  for (const [index, { list }] of readers.entries()) {
    const statements = listOf(original(list));
    statements.splice(
      Math.max(
        statements.findIndex((each) => !isOptions(each)),
        0,
      ),
      0,
      ...(reading[index] as BabelNode[]),
    );
  }
  for (const [index, each] of sites.entries()) wrap(each, (wrappers[index] as BabelNode[])[0] as BabelNode);
  for (const [index, { node }] of holders.entries()) {
    const [{ argument: call }] = holding[index] as [BabelNode];
    const parent = plan.scopes.parentOf.get(node)?.origin as BabelNode | null | undefined;
    if (!put(call, original(node), parent ?? program)) throw new Error(`kept: a ${node.type} is not where it was read`);
  }
  removeImports();
  if (plan.fileDirective) remove(program.directives, original(plan.fileDirective));
  const first = plan.program.body[0] as ir.Statement;
  program.body.splice(program.body.indexOf(original(first)) + 1, 0, ...registration);
  program.body.push(...built.last);
  return {
    added: [...registration, ...built.last],
    removed: plan.unusedImports.map(({ local }) => local.name),
    elsewhere: marks.length > 0 || readers.length > 0 || holders.length > 0,
  };

  function isOptions(statement: BabelNode): boolean {
    return plan.sites.some((site) => site.optionsStatement && original(site.optionsStatement) === statement);
  }

  /** The body keeps its node, as that of the arrow: Babel finds what it knows of the statements by the node around them. */
  function wrap({ site }: SiteEmission, statement: BabelNode): void {
    const { fn } = site;
    const host = original(fn);
    if (fn.body.type !== "FunctionBody") {
      host.body = statement.argument;
      return;
    }
    const body: BabelNode = host.body;
    const { start, end, loc, leadingComments, trailingComments } = body;
    if (site.directive) remove(body.directives, original(site.directive));
    const options = site.optionsStatement && original(site.optionsStatement);
    host.body = {
      type: "BlockStatement",
      start,
      end,
      loc,
      leadingComments,
      trailingComments,
      directives: body.directives,
      body: [statement],
    };
    body.directives = [];
    body.body = body.body.filter((each: BabelNode) => each !== options);
    body.start = body.end = body.loc = body.leadingComments = body.trailingComments = undefined;
    innerArrow(statement).body = body;
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

/** Puts a node where another stands, somewhere below a third: types and parentheses may be in between. */
function put(node: BabelNode, instead: BabelNode, below: BabelNode): boolean {
  for (const field in below) {
    const value = below[field];
    if (value === null || typeof value !== "object" || NO_CHILDREN.test(field)) continue;
    if (value === instead) below[field] = node;
    else if (!Array.isArray(value)) {
      if (!put(node, instead, value)) continue;
    } else if (value.includes(instead)) value[value.indexOf(instead)] = node;
    else if (!value.some((each) => each !== null && typeof each === "object" && put(node, instead, each))) continue;
    return true;
  }
  return false;
}

const NO_CHILDREN = /^(?:loc|extra|tokens|errors)$|Comments$/;

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
