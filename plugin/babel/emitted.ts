/**
 * Emitted text as Babel's nodes, without positions, and with the user's own nodes in its holes.
 *
 * What the core emits has few shapes: with other names and strings, it is the same from file to file. So a shape is parsed
 * once, and copied: the parser would take a third of the time for it that it takes for the user's whole file.
 */

/** A Babel node, of whichever version the host has. */
export type BabelNode = { type: string; [field: string]: any };
/** Text with nodes in it. */
export type Fragment = readonly (string | BabelNode)[];
/** The statements of a text. */
export type ParseStatements = (code: string) => BabelNode[];

/** The host's parser, and the shapes that it has parsed: one for each version of Babel. */
export interface Shapes {
  readonly parse: ParseStatements;
  /** By the text without its names and strings. */
  readonly models: Map<string, readonly Model[]>;
}

/** A node to be copied: the engine is quick to copy an object whole, and slow to do so field by field. */
interface Model {
  /** Without its position. */
  readonly node: BabelNode;
  readonly children: readonly (readonly [field: string, child: Model | readonly (Model | null)[]])[];
  /** Fields that hold comments. */
  readonly comments: readonly string[];
  /** Of a name or a string of the shape: its place among them. */
  readonly place: number | undefined;
}

/** Beyond it a project has texts of too many kinds for this to gain anything. */
const MOST_SHAPES = 2000;

/** Words that may mean something to the parser: they belong to the shape. */
const WORDS = new Set(
  (
    "arguments as async await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for from function get if implements import in instanceof interface let module new null of package private " +
    "protected public return set static super switch this throw true try type typeof undefined using var void while with yield"
  ).split(" "),
);

/** Comments and other strings belong to the shape; numbers are no names; then names, and strings as JSON writes them. */
const TOKENS =
  /\/\*.*?\*\/|'(?:[^'\\\n]|\\.)*'|\d[\w.]*|([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)|("(?:[^"\\\n\u2028\u2029]|\\["\\/bfnrt]|\\u[\da-fA-F]{4})*")/gu;
const NAME = "\0";
const STRING = "\x01";
/** What is left where tokens can't be told by looking: templates, regular expressions, escapes, strings in other writing. */
const OPAQUE = /[`"\\]|\/(?!\*)(?<!\*\/)/;

/**
 * The statements of each fragment. Those of `last` may be imports, the others may be those of a function.
 *
 * Each is parsed alone: in a text that is a module, `yield` and `await` can't be names, which in the user's own old script
 * they may be.
 */
export function parseEmitted(
  shapes: Shapes,
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
  return {
    statements: fragments.map((fragment) => {
      const [fn] = statementsOf(`function KEPT() {${textOf(fragment)}\n}`, shapes, holes) as [BabelNode];
      return fn.body.body;
    }),
    // Each function apart, for how many there are is no part of a shape.
    last: textOf(last)
      .split(/\n(?=function )/)
      .flatMap((text) => statementsOf(text, shapes, holes)),
  };
}

function statementsOf(text: string, { parse, models }: Shapes, holes: ReadonlyMap<string, BabelNode>): BabelNode[] {
  const words: string[] = [];
  const places = new Map<number, number>();
  const shape = text.replace(TOKENS, (token, name: string | undefined, string: string | undefined, at: number) => {
    if (string === undefined && (name === undefined || WORDS.has(name))) return token;
    places.set(at, words.push(token) - 1);
    return string === undefined ? NAME : STRING;
  });
  const known = models.get(shape) ?? models.get(text);
  if (known) return copies(known, words, holes);
  const found = new Set<number>();
  let model = parse(text).map((statement) => modelOf(statement, places, found));
  // A place without a node: what stands there was no name.
  const isShape = !OPAQUE.test(shape) && found.size === words.length;
  if (!isShape) model = parse(text).map((statement) => modelOf(statement, new Map(), found));
  if (models.size >= MOST_SHAPES) models.clear();
  models.set(isShape ? shape : text, model);
  return copies(model, words, holes);
}

/** Takes the positions away, for these nodes have none in the user's source. */
function modelOf(node: BabelNode, places: ReadonlyMap<number, number>, found: Set<number>): Model {
  const place = node.type === "Identifier" || node.type === "StringLiteral" ? places.get(node.start) : undefined;
  if (place !== undefined) found.add(place);
  const children: [string, Model | (Model | null)[]][] = [];
  const comments: string[] = [];
  node.start = node.end = node.loc = undefined;
  for (const field in node) {
    const value = node[field];
    if (value === null || typeof value !== "object" || field === "extra") continue;
    if (field.endsWith("Comments")) {
      for (const comment of value) comment.loc = undefined;
      comments.push(field);
    } else {
      const model = (each: BabelNode | null) => each && modelOf(each, places, found);
      children.push([field, Array.isArray(value) ? value.map(model) : modelOf(value, places, found)]);
    }
  }
  return { node, children, comments, place };
}

/**
 * Nodes of its own for a file, with the user's nodes where the names of their holes stand: as a method, in the place of the
 * whole shorthand property.
 */
function copies(
  models: readonly Model[],
  words: readonly string[],
  holes: ReadonlyMap<string, BabelNode>,
): BabelNode[] {
  // Two nodes may share a comment, which is printed once.
  const printed = new Map<BabelNode, BabelNode>();
  return models.map(copy);

  function copy({ node, children, comments, place }: Model): BabelNode {
    const made: BabelNode = { ...node };
    if (made.extra) made.extra = { ...made.extra };
    if (place !== undefined) {
      const word = words[place] as string;
      if (made.type === "Identifier") made.name = word;
      else {
        made.value = word.includes("\\") ? JSON.parse(word) : word.slice(1, -1);
        made.extra.rawValue = made.value;
        made.extra.raw = word;
      }
    }
    for (const [field, child] of children) made[field] = "node" in child ? copy(child) : child.map(copyIfAny);
    for (const field of comments) made[field] = made[field].map(comment);
    return holes.size > 0 ? (holeIn(made) ?? made) : made;
  }

  function copyIfAny(model: Model | null): BabelNode | null {
    return model && copy(model);
  }

  function holeIn(node: BabelNode): BabelNode | undefined {
    if (node.type === "Identifier") return holes.get(node.name);
    // Its key has become the hole already.
    if (node.type === "ObjectProperty" && node.shorthand) return [...holes.values()].find((hole) => hole === node.key);
    return undefined;
  }

  function comment(node: BabelNode): BabelNode {
    let made = printed.get(node);
    if (!made) printed.set(node, (made = { ...node }));
    return made;
  }
}
