/**
 * Where a token ends, from the source: for the few spans that the two parsers give differently, mostly because one of
 * them counts a type annotation in.
 */

const TRIVIA = /(?:[\s\ufeff]+|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\/)*/y;

/** The first offset from `at` on that is neither white space nor in a comment. */
export function skipTrivia(source: string, at: number): number {
  TRIVIA.lastIndex = at;
  TRIVIA.test(source);
  return TRIVIA.lastIndex;
}

/** From `<!--`, which begins a line comment in old scripts, to what comes after. So does `-->` on a line of its own. */
export function skipHtmlComment(source: string, at: number): number {
  let start = at;
  while (source.startsWith("<!--", start) || (start > at && source.startsWith("-->", start))) {
    const end = source.slice(start).search(/[\n\r\u2028\u2029]/);
    start = end === -1 ? source.length : skipTrivia(source, start + end);
  }
  return start;
}

const IDENTIFIER = /(?:[\p{ID_Continue}$\u200c\u200d]|\\u(?:[0-9a-f]{4}|\{[0-9a-f]+\}))+/iuy;

/** The end of the identifier that begins at `start`; `\u0061` counts as written. */
export function identifierEnd(source: string, start: number, name: string): number {
  if (source.startsWith(name, start)) return start + name.length;
  IDENTIFIER.lastIndex = start;
  return IDENTIFIER.test(source) ? IDENTIFIER.lastIndex : start + name.length;
}

/** Behind the `]` or `}` of a pattern, searched from the end of its last element on, and the commas before it. */
export function closingBracket(source: string, from: number): { readonly end: number; readonly commas: number } {
  let at = skipTrivia(source, from);
  let commas = 0;
  for (; source[at] === ","; commas++) at = skipTrivia(source, at + 1);
  return { end: at + 1, commas };
}
