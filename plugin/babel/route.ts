/**
 * The Babel route without a Babel host: source in, source out, read by the project's own `@babel/core`. The source is edited
 * as text, as in the SWC route: Babel's generator would cost ten times what all the rest does, and lose the formatting.
 */
import { applyText } from "../core/apply-text.ts";
import type { Route } from "../core/transform.ts";
import type { BabelNode, Shapes } from "./emitted.ts";
import { type BabelCore, parseBabel } from "./parse.ts";
import { readBabel } from "./read.ts";

/** What is used of `@babel/core` besides its parser. */
export interface BabelHost extends BabelCore {
  readonly types: {
    readonly VISITOR_KEYS: Readonly<Record<string, readonly string[]>>;
    traverseFast(node: any, visit: (node: any) => void): void;
  };
}

export function babelRoute(babel: BabelHost): Route {
  return {
    read(source, filename) {
      const { program } = readBabel(parseBabel(source, filename, babel), source);
      return { program, apply: (plan, emission) => applyText(source, filename, plan, emission) };
    },
  };
}

const shapes = new Map<string, Shapes>();

/** For text that the core emits. What was parsed outlives the host, which may be made anew for each file. */
export function shapesOf(babel: Pick<BabelHost, "version" | "parseSync">): Shapes {
  let known = shapes.get(babel.version);
  if (!known) shapes.set(babel.version, (known = { parse: statementParser(babel), models: new Map() }));
  return known;
}

function statementParser(babel: Pick<BabelHost, "parseSync">): Shapes["parse"] {
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
