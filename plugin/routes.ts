/** The two routes by name, over the project's own parsers. */
import { createRequire } from "node:module";
import { type BabelHost, babelRoute } from "./babel/route.ts";
import type { Route } from "./core/transform.ts";
import { defaultRoute } from "./swc/index.ts";

export function routeNamed(name: "swc" | "babel"): Route {
  return name === "babel" ? babel() : defaultRoute();
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
