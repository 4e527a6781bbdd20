/**
 * Edits of a text, and the source map of what they leave. All edits are said first, in any order, and made in one pass
 * over the source, which writes the map as it goes: a map of every word is most of what a text edit costs.
 */
import type { SourceMap } from "../core/transform.ts";

/** What comes in at one place: `left` stays with the text before it, `right` with the text behind. */
interface Insertion {
  left: string;
  right: string;
}
interface Range {
  readonly start: number;
  readonly end: number;
}

export class TextEdits {
  readonly #source: string;
  readonly #insertions = new Map<number, Insertion>();
  readonly #cuts: Range[] = [];
  readonly #moves: Range[] = [];
  #last = "";

  constructor(source: string) {
    this.#source = source;
  }

  /** Takes a range away. Its line ends stay, so that no other line moves. */
  cut(start: number, end: number): void {
    if (start < end) this.#cuts.push({ start, end });
  }

  /** Behind the text that ends here, and behind what was inserted so before. */
  after(at: number, text: string): void {
    this.#at(at).left += text;
  }

  /** Behind the text that ends here, and before what was inserted so before. */
  rightAfter(at: number, text: string): void {
    const insertion = this.#at(at);
    insertion.left = text + insertion.left;
  }

  /** Before the text that begins here, and before what was inserted so before. */
  before(at: number, text: string): void {
    const insertion = this.#at(at);
    insertion.right = text + insertion.right;
  }

  /** Moves a range, with what stands right before and behind it, to the end of the text. */
  moveToEnd(start: number, end: number): void {
    this.#moves.push({ start, end });
  }

  /** Behind everything. */
  append(text: string): void {
    this.#last += text;
  }

  /** @param name what the map calls the source */
  apply(name: string): { code: string; map: SourceMap } {
    const source = this.#source;
    const mappings = new Mappings(source);
    const moved = new Map<Range, { readonly pieces: Range[]; readonly at: Place }>();
    let code = "";
    const write = (start: number, end: number): void => {
      const { right } = this.#insertions.get(start) ?? NOTHING;
      const { left } = this.#insertions.get(end) ?? NOTHING;
      const isCut = this.#cuts.some((cut) => cut.start <= start && end <= cut.end);
      const text = isCut ? lineEnds(source.slice(start, end)) : source.slice(start, end);
      code += right + text + left;
      mappings.inserted(right);
      if (isCut) {
        mappings.inserted(text);
        mappings.skip(end);
      } else mappings.copied(end);
      mappings.inserted(left);
    };

    const bounds = this.#bounds();
    const first = this.#insertions.get(0)?.left ?? "";
    code += first;
    mappings.inserted(first);
    for (let i = 0; i + 1 < bounds.length; i++) {
      const piece = { start: bounds[i] as number, end: bounds[i + 1] as number };
      const move = this.#moves.find((each) => each.start <= piece.start && piece.end <= each.end);
      if (move) {
        const known = moved.get(move);
        if (known) known.pieces.push(piece);
        else moved.set(move, { pieces: [piece], at: mappings.place() });
        mappings.skip(piece.end);
      } else write(piece.start, piece.end);
    }
    for (const move of this.#moves) {
      const { pieces, at } = moved.get(move) as { pieces: Range[]; at: Place };
      mappings.goTo(at);
      for (const { start, end } of pieces) write(start, end);
    }
    // What stands right before the end of the source stays before what is appended.
    code += (this.#insertions.get(source.length)?.right ?? "") + this.#last;
    const map = { version: 3, sources: [name], sourcesContent: [source], names: [], mappings: mappings.encoded() };
    return { code, map };
  }

  #at(at: number): Insertion {
    let found = this.#insertions.get(at);
    if (!found) this.#insertions.set(at, (found = { left: "", right: "" }));
    return found;
  }

  /** Where anything happens, in order. */
  #bounds(): number[] {
    const found = new Set([0, this.#source.length, ...this.#insertions.keys()]);
    for (const { start, end } of this.#cuts) found.add(start).add(end);
    for (const { start, end } of this.#moves) found.add(start).add(end);
    return [...found].sort((a, b) => a - b);
  }
}

const NOTHING: Readonly<Insertion> = { left: "", right: "" };

/** The line ends of a piece of source. */
const lineEnds = (removed: string): string =>
  LINE_END.test(removed) ? (removed.match(/\r\n|[\n\r\u2028\u2029]/g) as string[]).join("") : "";
const LINE_END = /[\n\r\u2028\u2029]/;

/** A place in the source: for maps, lines end at LF alone. */
interface Place {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

const SPACE = 0;
const WORD = 1;
const OTHER = 2;
const LF = 10;
/** Of ASCII; `$` is a part of words. What is beyond is `OTHER`: a segment too many does no harm, one too few does. */
const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /[\w$]/.test(char) ? WORD : /\s/.test(char) ? SPACE : OTHER;
});
const DIGITS = Uint8Array.from(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
  (char) => char.charCodeAt(0) as never,
);
const COMMA = 44;
const SEMICOLON = 59;
const ZERO = 65; // "A"

/** The `mappings` of a source map, written in one pass: a segment for every line, word and sign that was copied. */
class Mappings {
  readonly #source: string;
  #bytes: Uint8Array;
  #size = 0;
  /** Where we are in the source. */
  #offset = 0;
  #line = 0;
  #column = 0;
  /** The column that we write. */
  #out = 0;
  /** What the next segment is relative to. */
  #lastOut = 0;
  #lastLine = 0;
  #lastColumn = 0;
  #isFirst = true;

  constructor(source: string) {
    this.#source = source;
    this.#bytes = new Uint8Array(3 * source.length + 1024);
  }

  place(): Place {
    return { offset: this.#offset, line: this.#line, column: this.#column };
  }

  goTo({ offset, line, column }: Place): void {
    this.#offset = offset;
    this.#line = line;
    this.#column = column;
  }

  /** Text that comes from nowhere: the segment before it goes on. */
  inserted(text: string): void {
    for (let from = 0; ; ) {
      const at = text.indexOf("\n", from);
      if (at === -1) {
        this.#out += text.length - from;
        return;
      }
      this.#endLine();
      from = at + 1;
    }
  }

  /** Source up to `end` that is left out. */
  skip(end: number): void {
    const source = this.#source;
    for (let from = this.#offset; ; ) {
      const at = source.indexOf("\n", from);
      if (at === -1 || at >= end) {
        this.#column += end - from;
        break;
      }
      this.#line++;
      this.#column = 0;
      from = at + 1;
    }
    this.#offset = end;
  }

  /** Source up to `end` as it stands. */
  copied(end: number): void {
    const source = this.#source;
    let column = this.#column;
    // The first character of a line or piece has a segment, whatever it is.
    let due = true;
    let inWord = false;
    for (let i = this.#offset; i < end; i++, column++) {
      const code = source.charCodeAt(i);
      if (code === LF) {
        this.#out += column - this.#column;
        this.#endLine();
        this.#line++;
        this.#column = 0;
        column = -1;
        due = true;
        inWord = false;
        continue;
      }
      const kind = code < 128 ? (CLASSES[code] as number) : OTHER;
      if (due || kind === OTHER || (kind === WORD && !inWord)) this.#segment(column);
      due = false;
      inWord = kind === WORD;
    }
    this.#out += column - this.#column;
    this.#column = column;
    this.#offset = end;
  }

  encoded(): string {
    return DECODER.decode(this.#bytes.subarray(0, this.#size));
  }

  /** At `column` of the source's line; what was copied since {@link #column} stands as far right in the output. */
  #segment(column: number): void {
    // A segment takes at most a comma and four numbers of seven digits.
    if (this.#size + 29 > this.#bytes.length) this.#grow();
    const bytes = this.#bytes;
    const out = this.#out + column - this.#column;
    const along = out - this.#lastOut;
    const back = column - this.#lastColumn;
    const down = this.#line - this.#lastLine;
    if (!this.#isFirst) bytes[this.#size++] = COMMA;
    if (along === back && down === 0 && along >= 0 && along < 16) {
      const digit = DIGITS[along << 1] as number;
      bytes[this.#size++] = digit;
      bytes[this.#size++] = ZERO;
      bytes[this.#size++] = ZERO;
      bytes[this.#size++] = digit;
    } else {
      this.#number(along);
      bytes[this.#size++] = ZERO;
      this.#number(down);
      this.#number(back);
    }
    this.#isFirst = false;
    this.#lastOut = out;
    this.#lastLine = this.#line;
    this.#lastColumn = column;
  }

  /** Base64 VLQ. */
  #number(value: number): void {
    let rest = value < 0 ? (-value << 1) | 1 : value << 1;
    do {
      let digit = rest & 31;
      rest >>>= 5;
      if (rest > 0) digit |= 32;
      this.#bytes[this.#size++] = DIGITS[digit] as number;
    } while (rest > 0);
  }

  #endLine(): void {
    if (this.#size + 1 > this.#bytes.length) this.#grow();
    this.#bytes[this.#size++] = SEMICOLON;
    this.#out = 0;
    this.#lastOut = 0;
    this.#isFirst = true;
  }

  #grow(): void {
    const bytes = new Uint8Array(2 * this.#bytes.length);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

const DECODER = new TextDecoder("latin1");
