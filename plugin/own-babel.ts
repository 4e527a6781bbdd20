/** The Babel route over the project's own `@babel/core`, loaded when the first file is read. */
import { createRequire } from "node:module";
import { type BabelHost, babelRoute } from "./babel/route.ts";
import type { Route } from "./core/transform.ts";

let loaded: Route | undefined;

export function ownBabelRoute(): Route {
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
