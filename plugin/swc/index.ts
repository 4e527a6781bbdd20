/**
 * The SWC route: parsed with `@swc/core`, edited as text, so that types, JSX and comments are left as they are for the
 * next tool. `@swc/core` is an optional peer, loaded when the first file is transformed.
 */
import { createRequire } from "node:module";
import { applyText } from "../core/apply-text.ts";
import { type Route, type TransformResult, transformWith } from "../core/transform.ts";
import { type EntryOptions, resolveOptions } from "../options.ts";
import { parseSwc, type Swc } from "./parse.ts";
import { readSwc } from "./read.ts";

export type { Diagnostic, TransformError } from "../core/diagnostics.ts";
export type { Site, TransformResult } from "../core/transform.ts";

export function swcRoute(swc: Swc): Route {
  return {
    read(source, filename) {
      const { program } = readSwc(parseSwc(source, filename, swc), source);
      return { program, apply: (plan, emission) => applyText(source, filename, plan, emission) };
    },
  };
}

let loaded: Route | undefined;

/** The route over the project's own `@swc/core`. */
export function defaultRoute(): Route {
  if (loaded) return loaded;
  try {
    loaded = swcRoute(createRequire(import.meta.url)("@swc/core") as Swc);
  } catch (cause) {
    throw new Error(
      'Kept reads source with @swc/core, which is not installed:\n\n  npm i -D @swc/core\n\nor use the Babel route: { route: "babel" }.',
      { cause },
    );
  }
  return loaded;
}

/**
 * Rewrites the annotated functions of one file; give the result to SWC, esbuild or TypeScript, with its map:
 *
 * ```js
 * const kept = transform(source, { filename });
 * swc.transformSync(kept?.code ?? source, { filename, inputSourceMap: kept && JSON.stringify(kept.map) });
 * ```
 *
 * @returns `undefined` where the file holds no directive
 * @throws TransformError
 */
export function transform(source: string, options: EntryOptions): TransformResult | undefined {
  return transformWith(defaultRoute(), source, resolveOptions(options));
}
