/** `kept/plugin`: the transform itself, for those who bring their own host. */
import { createRequire } from "node:module";
import { type BabelHost, babelRoute } from "./babel/route.ts";
import { type Route, type TransformResult, transformWith } from "./core/transform.ts";
import { type EntryOptions, resolveOptions } from "./options.ts";
import { defaultRoute } from "./swc/index.ts";

export {
  type Diagnostic,
  type DiagnosticCode,
  format as formatDiagnostic,
  TransformError,
} from "./core/diagnostics.ts";
export { CONTENT_FILTER, mayHoldDirective } from "./core/directive.ts";
export type { Site, SourceMap, TransformResult } from "./core/transform.ts";
export type { EntryOptions, PluginOptions } from "./options.ts";

/**
 * Rewrites the annotated functions of one file. Synchronous.
 *
 * @param source the file as its author wrote it: before types and JSX are compiled away
 * @returns `undefined` where the file holds no directive
 * @throws TransformError, whose `diagnostics` say what is refused, where, why, and what to write instead
 */
export function transform(source: string, options: EntryOptions): TransformResult | undefined {
  const resolved = resolveOptions(options);
  return transformWith(resolved.route === "babel" ? babel() : defaultRoute(), source, resolved);
}

let loaded: Route | undefined;

function babel(): Route {
  if (loaded) return loaded;
  try {
    loaded = babelRoute(createRequire(import.meta.url)("@babel/core") as BabelHost);
  } catch (cause) {
    throw new Error(
      'Kept\'s Babel route needs @babel/core, which is not installed:\n\n  npm i -D @babel/core\n\nor use the SWC route: { route: "swc" }.',
      { cause },
    );
  }
  return loaded;
}
