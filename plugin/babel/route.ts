/** The Babel route without a Babel host: source in, source out, through the project's own `@babel/core`. */
import type { Route, SourceMap } from "../core/transform.ts";
import { applyAst } from "./apply.ts";
import type { BabelNode, ParseStatements } from "./emitted.ts";
import { type BabelCore, parseBabel } from "./parse.ts";
import { readBabel } from "./read.ts";

/** What is used of `@babel/core` besides its parser. */
export interface BabelHost extends BabelCore {
  readonly types: {
    readonly VISITOR_KEYS: Readonly<Record<string, readonly string[]>>;
    traverseFast(node: any, visit: (node: any) => void): void;
  };
  transformFromAstSync(ast: any, code: string, options: any): { code?: string | null; map?: unknown } | null;
}

export function babelRoute(babel: BabelHost): Route {
  return {
    read(source, filename) {
      const file = parseBabel(source, filename, babel) as BabelNode;
      const { program } = readBabel(file, source);
      return {
        program,
        apply(plan, emission) {
          applyAst(file, plan, emission, statementParser(babel));
          const result = babel.transformFromAstSync(file, source, {
            filename,
            babelrc: false,
            configFile: false,
            browserslistConfigFile: false,
            sourceMaps: true,
            sourceFileName: filename,
            // Parsed for this one run.
            cloneInputAst: false,
            retainLines: true,
            compact: false,
            parserOpts: { attachComment: true },
          });
          return { code: result?.code ?? "", map: result?.map as SourceMap };
        },
      };
    },
  };
}

/** Parses text that the core emits. */
export function statementParser(babel: Pick<BabelHost, "parseSync">): ParseStatements {
  return (code) => {
    const file = babel.parseSync(code, {
      babelrc: false,
      configFile: false,
      browserslistConfigFile: false,
      // A script where it can be: `yield`, `await` and `arguments` may be names of the user's.
      sourceType: "unambiguous",
    }) as BabelNode;
    return file.program.body;
  };
}
