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

const IDENTIFIER = /(?:[\p{ID_Continue}$\u200c\u200d]|\\u(?:[0-9a-f]{4}|\{[0-9a-f]+\}))+/iuy;

/** The end of the identifier that begins at `start`; `\u0061` counts as written. */
export function identifierEnd(source: string, start: number, name: string): number {
  if (source.startsWith(name, start)) return start + name.length;
  IDENTIFIER.lastIndex = start;
  return IDENTIFIER.test(source) ? IDENTIFIER.lastIndex : start + name.length;
}

/** Behind the `]` or `}` of a pattern, searched from the end of its last element on. */
export function closingEnd(source: string, from: number): number {
  let at = skipTrivia(source, from);
  while (source[at] === ",") at = skipTrivia(source, at + 1);
  return at + 1;
}
