/** Emitted text as Babel's nodes: parsed once for a file, without positions, and with the user's own nodes in its holes. */

/** A Babel node, of whichever version the host has. */
export type BabelNode = { type: string; [field: string]: any };
/** Text with nodes in it. */
export type Fragment = readonly (string | BabelNode)[];
/** The statements of a text. */
export type ParseStatements = (code: string) => BabelNode[];

/**
 * The statements of each fragment. Those of `last` may be imports, the others may be those of a function.
 *
 * One call of Babel's parser costs as much as the text that we give it, so all goes in one text; but where that text is a
 * module, `yield` and `await` can't be names, which in the user's own old script they may be. Then each goes alone.
 */
export function parseEmitted(
  parse: ParseStatements,
  fragments: readonly Fragment[],
  last: Fragment,
): { readonly statements: readonly BabelNode[][]; readonly last: BabelNode[] } {
  const holes = new Map<string, BabelNode>();
  const textOf = (fragment: Fragment): string =>
    fragment
      .map((piece) => {
        if (typeof piece === "string") return piece;
        const name = `KEPT_HOLE_${holes.size}`;
        holes.set(name, piece);
        return name;
      })
      .join("");
  const bodies = fragments.map((fragment, index) => `function KEPT_${index}() {${textOf(fragment)}\n}\n`);
  const lastText = textOf(last);
  let parsed: BabelNode[];
  try {
    parsed = parse(bodies.join("") + lastText);
  } catch {
    parsed = [...bodies.flatMap((text) => parse(text)), ...parse(lastText)];
  }
  const settled = parsed.map((statement) => settle(statement, holes));
  return {
    statements: settled.slice(0, bodies.length).map((fn) => fn.body.body),
    last: settled.slice(bodies.length),
  };
}

/**
 * Takes the positions away, for these nodes have none in the user's source, and puts the user's nodes where the names of
 * their holes stand: as a method, in the place of the whole shorthand property.
 */
function settle(node: BabelNode, holes: ReadonlyMap<string, BabelNode>): BabelNode {
  const hole =
    node.type === "Identifier"
      ? holes.get(node.name)
      : node.type === "ObjectProperty" && node.shorthand
        ? holes.get(node.key.name)
        : undefined;
  if (hole) return hole;
  for (const field in node) {
    const value = node[field];
    if (value === null || typeof value !== "object") continue;
    if (field === "loc" || field === "extra") continue;
    if (field.endsWith("Comments")) for (const comment of value) comment.loc = undefined;
    else if (!Array.isArray(value)) node[field] = settle(value, holes);
    else for (let i = 0; i < value.length; i++) if (value[i]) value[i] = settle(value[i], holes);
  }
  node.start = undefined;
  node.end = undefined;
  node.loc = undefined;
  return node;
}
