/** What stops a file from being read, in one shape for both routes and both parsers. */

export type ReadErrorCode = "syntax" | "unknown-node" | "parser-version";

export class ReadError extends Error {
  override readonly name = "ReadError";
  readonly code: ReadErrorCode;
  /** UTF-16 offset into the source as given, a BOM included. */
  readonly offset: number;
  /** 1-based. */
  readonly line: number;
  /** 0-based, in UTF-16 units. */
  readonly column: number;

  constructor(code: ReadErrorCode, message: string, source: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.offset = Math.max(0, Math.min(offset, source.length));
    const before = source.slice(0, this.offset);
    this.line = (before.match(/\r\n|[\n\r\u2028\u2029]/g)?.length ?? 0) + 1;
    this.column = this.offset - lineStart(before);
  }
}

/** A node that the reader has no rule for. Reading on would hash and analyse the file in part. */
export function unknownNode(route: string, type: string, source: string, offset: number): ReadError {
  const message = `Kept can't read the ${route} node \`${type}\`: no rule says what it means.`;
  return new ReadError("unknown-node", message, source, offset);
}

const lineStart = (text: string): number =>
  Math.max(...["\n", "\r", "\u2028", "\u2029"].map((end) => text.lastIndexOf(end))) + 1;
