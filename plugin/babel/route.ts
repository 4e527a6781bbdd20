/** The Babel route without a Babel host: source in, source out, through the project's own `@babel/core`. */
import type { Route, SourceMap } from "../core/transform.ts";
import { applyAst, type BabelNode, type ParseStatements } from "./apply.ts";
import { type BabelCore, parseBabel } from "./parse.ts";
import { readBabel } from "./read.ts";

/** What is used of `@babel/core` besides its parser. */
export interface BabelHost extends BabelCore {
  readonly types: {
    cloneNode(node: any, deep?: boolean, withoutLoc?: boolean): any;
    traverseFast(node: any, visit: (node: any) => void): void;
  };
  transformFromAstSync(ast: any, code: string, options: any): { code?: string | null; map?: unknown } | null;
}

export function babelRoute(babel: BabelHost): Route {
  return {
    read(source, filename) {
      const file = parseBabel(source, filename, babel) as BabelNode;
      const { program, origin } = readBabel(file, source);
      return {
        program,
        apply(plan, emission) {
          applyAst(file, origin, plan, emission, statementParser(babel));
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

/** Emitted text as nodes without positions: they have none in the user's source. */
export function statementParser(babel: Pick<BabelHost, "parseSync" | "types">): ParseStatements {
  return (code) => {
    const file = babel.parseSync(code, {
      babelrc: false,
      configFile: false,
      browserslistConfigFile: false,
      // A script where it can be: `yield`, `await` and `arguments` may be names of the user's.
      sourceType: "unambiguous",
    }) as BabelNode;
    return file.program.body.map((statement: BabelNode) => babel.types.cloneNode(statement, true, true) as BabelNode);
  };
}
