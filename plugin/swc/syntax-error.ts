/**
 * Where SWC found a syntax error. Its JS API reports one as text alone, a drawing of the source with marks under it, so
 * the position is read back from the drawing:
 *
 * ```
 *   x Expected ',', got ';'
 *    ,-[2:1]
 *  1 | function f() {
 *  2 |   return (1;
 *    :            ^
 * ```
 */
import { ReadError } from "../core/read-error.ts";

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const HEADLINE = /^\s*[x×]\s+(.+)$/m;
/** A line of source with its number, and the marks below it. */
const MARKED_LINE = /^( *(\d+) [|│] ).*\n( *[:·] )(.*\^.*)$/m;

/** The drawing's tabs are four columns wide. */
const TAB = 4;

export function syntaxErrorOf(thrown: unknown, source: string): ReadError {
  // By shape: under Jest the native binding's errors are of another realm, where `instanceof` fails.
  const text = String((thrown as Partial<Error> | null)?.message ?? thrown).replace(ESCAPES, "");
  const message = HEADLINE.exec(text)?.[1]?.trim() ?? text.trim().split("\n")[0] ?? "Syntax error";
  const marked = MARKED_LINE.exec(text);
  const offset = marked ? offsetAt(source, Number(marked[2]), marked[4]!.indexOf("^")) : 0;
  return new ReadError("syntax", message, source, offset, { cause: thrown });
}

function offsetAt(source: string, line: number, column: number): number {
  let offset = source.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let i = 1; i < line; i++) {
    const end = source.indexOf("\n", offset);
    if (end === -1) break;
    offset = end + 1;
  }
  let drawn = 0;
  for (const character of source.slice(offset).split("\n", 1)[0] ?? "") {
    if (drawn >= column) break;
    drawn += width(character);
    offset += character.length;
  }
  return offset;
}

function width(character: string): number {
  if (character === "\t") return TAB;
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) return 0;
  const wide =
    /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
  return wide.test(character) ? 2 : 1;
}
