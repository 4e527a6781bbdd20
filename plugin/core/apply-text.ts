/**
 * The edits, in the text of the source: bodies are wrapped where they stand, no line is added in the middle, and everything that is
 * not Kept's own (types, JSX, comments, formatting) is left for the next tool.
 */
import { MagicString } from "magic-string";
import type { SourceMap } from "./draft.ts";
import type { Emission, Hole, Pieces, SiteEmission } from "./emit.ts";
import type * as ir from "./ir.ts";
import type { ModulePlan } from "./module.ts";

export function applyText(
  source: string,
  filename: string,
  plan: ModulePlan,
  emission: Emission,
): { code: string; map: SourceMap } {
  const text = new MagicString(source, { filename });
  const blank = (start: number, end: number) => {
    const lines = newlines(source.slice(start, end));
    if (lines) text.overwrite(start, end, lines);
    else if (start < end) text.remove(start, end);
  };

  assertInPlace(source, plan);

  // What goes: directives, options (their functions stay, and move), imports that nothing uses any more.
  if (plan.fileDirective) blank(plan.fileDirective.start, plan.fileDirective.end);
  removeImports(plan, source, blank);
  for (const { site, open } of emission.sites) {
    if (site.directive) blank(site.directive.start, site.directive.end);
    if (site.optionsStatement) blankAround(site.optionsStatement, [...holesOf(open), ...holesOf(emission.tail)], blank);
  }

  // What comes: marks first, for where a mark and the end of a body meet, the mark is inside.
  for (const { site, text: mark } of emission.marks) {
    const place = site.mark as NonNullable<typeof site.mark>;
    if (place.after) text.appendLeft(place.after.end, `;${mark}`);
    else text.prependRight(firstStatement(place.list, plan).start, mark);
  }
  for (const { list, text: reader } of emission.readers)
    text.prependRight(firstStatement(list, plan).start, `${reader} `);
  for (const each of emission.sites) wrap(each, source, text);
  for (const { node, open, close } of emission.holders) {
    text.prependRight(node.start, /[\p{ID_Continue}$]/u.test(source[node.start - 1] ?? "") ? ` ${open}` : open);
    text.prependLeft(node.end, close);
  }
  if (emission.registration) text.appendLeft((plan.program.body[0] as ir.Statement).end, `;${emission.registration}`);
  appendTail(emission.tail, source, text);
  locateTokens(source, text);
  return {
    code: text.toString(),
    map: text.generateMap({ source: filename, includeContent: true }) as unknown as SourceMap,
  };
}

/**
 * Each word and each sign has a place in the map: what magic-string calls boundaries, but for white space, to which no error
 * and no breakpoint points, and which would be half of the map.
 */
function locateTokens(source: string, text: MagicString): void {
  let isInWord = false;
  for (let at = 0; at < source.length; at++) {
    const code = source.charCodeAt(at);
    const isWord =
      (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95;
    const isSpace = code === 32 || (code >= 9 && code <= 13);
    if (!isSpace && !(isWord && isInWord)) text.addSourcemapLocation(at);
    isInWord = isWord;
  }
}

/** Positions come from a parser written in another language: one byte off, and the edits would land in the user's code. */
function assertInPlace(source: string, plan: ModulePlan): void {
  for (const { directive, fn } of plan.sites) {
    if (directive && !source.startsWith(directive.raw, directive.start + 1))
      throw new Error(`kept: the parser's positions don't fit the source at offset ${directive.start}`);
    if (fn.body.type === "FunctionBody" && (source[fn.body.start] !== "{" || source[fn.body.end - 1] !== "}"))
      throw new Error(`kept: the parser's positions don't fit the source at offset ${fn.body.start}`);
  }
}

/** The line ends of a piece of source: removed code leaves its lines behind. */
const newlines = (removed: string): string => (removed.match(/\r\n|[\n\r\u2028\u2029]/g) ?? []).join("");

const holesOf = (pieces: Pieces): Hole[] => pieces.filter((piece) => typeof piece !== "string");

function blankAround(
  statement: ir.Statement,
  holes: readonly Hole[],
  blank: (start: number, end: number) => void,
): void {
  const inside = holes
    .map((hole) => hole.node)
    .filter((node) => node.start >= statement.start && node.end <= statement.end);
  let at = statement.start;
  for (const node of inside.sort((a, b) => a.start - b.start)) {
    blank(at, node.start);
    at = node.end;
  }
  blank(at, statement.end);
}

function wrap({ site, open, close }: SiteEmission, source: string, text: MagicString): void {
  const { body } = site.fn;
  const hole = holesOf(open)[0];
  if (hole) {
    // The user's own `key` stays where it is, and the wrapper is written around it.
    const index = open.indexOf(hole);
    text.prependRight(hole.node.start, `;${open.slice(0, index).join("")}`);
    text.appendLeft(hole.node.end, open.slice(index + 1).join(""));
    text.appendLeft(body.end - 1, close);
  } else if (body.type === "FunctionBody") {
    const last = body.directives.at(-1);
    const separator = last && source[last.end - 1] !== ";" && last !== site.directive ? ";" : "";
    text.appendLeft(last ? last.end : body.start + 1, separator + open.join(""));
    text.appendLeft(body.end - 1, close);
  } else {
    text.appendLeft(body.start, open.join(""));
    text.prependLeft(body.end, close);
  }
}

/** The first statement that stays, of a list that marks a hoisted function. */
function firstStatement(list: ir.Node, plan: ModulePlan): ir.Statement {
  const { body } = list as ir.FunctionBody;
  const options = new Set<ir.Node | null>(plan.sites.map((site) => site.optionsStatement));
  return body.find((statement) => !options.has(statement)) as ir.Statement;
}

function removeImports(plan: ModulePlan, source: string, blank: (start: number, end: number) => void): void {
  for (const specifier of plan.unusedImports) {
    const statement = plan.scopes.parentOf.get(specifier) as ir.Import;
    const others = statement.specifiers.some((each) => !plan.unusedImports.includes(each));
    // Type-only specifiers are not in the IR, but may stand in the text.
    const types = /\btype\b/.test(source.slice(statement.start, statement.end));
    if (!others && !types) {
      if (specifier === statement.specifiers[0]) blank(statement.start, statement.end);
      continue;
    }
    let { end } = specifier;
    while (/\s/.test(source[end] as string)) end++;
    blank(specifier.start, source[end] === "," ? end + 1 : specifier.end);
  }
}

/** Pieces of text around functions that move from `cacheOptions` to the end of the file, their source positions kept. */
function appendTail(tail: Pieces, source: string, text: MagicString): void {
  let before = "";
  for (const piece of tail) {
    if (typeof piece === "string") before += piece;
    else {
      text.move(piece.node.start, piece.node.end, source.length);
      text.prependRight(piece.node.start, before);
      before = "";
    }
  }
  text.append(before);
}
