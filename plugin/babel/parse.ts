/** Source → Babel's AST, for the hosts that are no Babel plugin: the same files as `swc/parse` accepts. */
import { type Goal, type Language, languageOf } from "../core/language.ts";
import { ReadError } from "../core/read-error.ts";

/** What is used of `@babel/core` (7.29 or 8): a peer, so the host's own copy is handed in. */
export interface BabelCore {
  readonly version: string;
  parseSync(source: string, options: any): unknown;
}

/** A `File` node. Throws a {@link ReadError} `syntax` with the position. */
export function parseBabel(source: string, filename: string, babel: BabelCore): unknown {
  const language = languageOf(filename);
  let first: unknown;
  for (const goal of language.goals)
    for (const decorators of language.typescript ? (["standard", "legacy"] as const) : (["standard"] as const)) {
      try {
        return parse(source, filename, babel, language, goal, decorators);
      } catch (error) {
        first ??= error;
      }
    }
  throw syntaxErrorOf(first, source, filename);
}

function parse(
  source: string,
  filename: string,
  babel: BabelCore,
  { typescript, jsx }: Language,
  goal: Goal,
  decorators: "standard" | "legacy",
): unknown {
  const plugins: unknown[] = [
    // Decorators of parameters are known to the legacy plugin only, `@d [key]() {}` to the standard one.
    decorators === "legacy" ? "decorators-legacy" : "decorators",
    "decoratorAutoAccessors",
    "deferredImportEvaluation",
    "explicitResourceManagement",
    "importAttributes",
    "sourcePhaseImports",
  ];
  if (typescript) plugins.push("typescript");
  if (jsx) plugins.push("jsx");
  return babel.parseSync(source, {
    filename,
    babelrc: false,
    configFile: false,
    browserslistConfigFile: false,
    code: false,
    sourceType: goal === "module" ? "module" : "commonjs",
    parserOpts: {
      plugins,
      sourceType: goal === "module" ? "module" : "commonjs",
      createImportExpressions: true,
      createParenthesizedExpressions: false,
      allowUndeclaredExports: true,
      errorRecovery: false,
    },
  });
}

function syntaxErrorOf(thrown: unknown, source: string, filename: string): ReadError {
  // `&#x110000;` in JSX makes Babel throw a RangeError, without a position.
  const { name: kind, message, pos = kind === "RangeError" ? 0 : undefined } = thrown as Error & { pos?: number };
  if (typeof pos !== "number") throw thrown;
  // `/path/file.ts: Unexpected token (1:8)`, then a code frame.
  const name = message.indexOf(`${filename}: `);
  const [text = message] = message.slice(name === -1 ? 0 : name + filename.length + 2).split(/ \(\d+:\d+\)/, 1);
  return new ReadError("syntax", text, source, pos, { cause: thrown });
}
