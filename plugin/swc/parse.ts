/** Source → SWC's AST, with the position that its spans count from. */
import { type Goal, type Language, languageOf } from "../core/language.ts";
import { ReadError } from "../core/read-error.ts";
import { syntaxErrorOf } from "./syntax-error.ts";

/** What is used of `@swc/core`: a peer, so the host's own copy is handed in. */
export interface Swc {
  readonly version: string;
  parseSync(source: string, options: any): unknown;
}

export interface SwcFile {
  readonly ast: unknown;
  /** The span position of the source's first byte. */
  readonly base: number;
}

/** Up to 1.15.40 the spans of a parse went on where those of the parse before had ended. */
export const OLDEST_SWC = "1.15.41";

/** Throws a {@link ReadError}: `syntax` with the position, or `parser-version`. */
export function parseSwc(source: string, filename: string, swc: Swc): SwcFile {
  assertVersion(swc, source);
  const language = languageOf(filename);
  const text = language.jsx ? withoutBadEntities(source) : source;
  let first: unknown;
  for (const goal of language.goals) {
    try {
      const ast = swc.parseSync(text, optionsFor(language, goal));
      return { ast, base: baseOf(ast) };
    } catch (error) {
      first ??= error;
    }
  }
  throw syntaxErrorOf(first, source);
}

function optionsFor({ typescript, jsx }: Language, goal: Goal): object {
  const isModule = goal === "module" ? true : "commonjs";
  if (typescript) return { syntax: "typescript", tsx: jsx, decorators: true, target: "esnext", isModule };
  return {
    syntax: "ecmascript",
    jsx,
    decorators: true,
    decoratorsBeforeExport: true,
    autoAccessors: true,
    explicitResourceManagement: true,
    importAttributes: true,
    target: "esnext",
    isModule,
  };
}

function assertVersion({ version }: Swc, source: string): void {
  const wanted = OLDEST_SWC.split(".").map(Number);
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [];
  const at = wanted.findIndex((part, i) => part !== found[i]);
  if (at !== -1 && (found[at] ?? 0) < wanted[at]!) {
    const why = "In older versions the positions of one parse depend on the parses before it.";
    const message = `Kept needs @swc/core ${OLDEST_SWC} or newer, and found ${version}. ${why}\n\n  npm i -D @swc/core@latest`;
    throw new ReadError("parser-version", message, source, 0);
  }
}

/**
 * A character reference in JSX that names no character, `&#x;` or `&#xD800;`, makes SWC abort the whole process (seen in
 * 1.15.41 and 1.16.0). It is defused, byte for byte: the reader takes all text from the source itself.
 */
function withoutBadEntities(source: string): string {
  return source.replace(/&#(?:x([0-9a-f]*)|([0-9]*));/gi, (written, hex, decimal) => {
    const code = Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16);
    const names = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return names ? written : `&_${written.slice(2)}`;
  });
}

/** Read from where SWC keeps it; the program's own span begins at its first token, behind leading comments. */
function baseOf(ast: unknown): number {
  for (const symbol of Object.getOwnPropertySymbols(ast))
    if (symbol.description === "@swc/core.programSourceContext") return (ast as any)[symbol].startPos;
  return 1;
}
