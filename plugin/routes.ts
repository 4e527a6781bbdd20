/** The two routes by name, over the project's own parsers. */
import type { Route } from "./core/transform.ts";
import { ownBabelRoute } from "./own-babel.ts";
import { defaultRoute } from "./swc/index.ts";

export const routeNamed = (name: "swc" | "babel"): Route => (name === "babel" ? ownBabelRoute() : defaultRoute());
