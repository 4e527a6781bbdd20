/** The compiler as a host gets it when the last build's work won't do: parser, plan, code hash. Loaded only then. */
import { wasCompiled } from "./compiled.ts";
import type { Draft } from "./core/draft.ts";
import { draftWith, type Route, readerOf, type TransformOptions } from "./core/transform.ts";
import type { FactsStore } from "./hash/modules.ts";
import { Project, type ProjectOptions } from "./hash/project.ts";
import type { FactsReading } from "./hash/read-facts.ts";
import type { Resolver } from "./hash/resolve/index.ts";
import { defaultRoute } from "./swc/index.ts";

export { FactsCache } from "./hash/resolve/facts-cache.ts";
export { Resolver } from "./hash/resolve/index.ts";

export interface FreshDraft {
  readonly draft: Draft;
  readonly reading: FactsReading | undefined;
  /** Did it reach us already compiled? */
  readonly isCompiled: boolean;
}

/** Of the two, only the one that is used is loaded. */
export async function openRoute(name: "swc" | "babel"): Promise<Route> {
  if (name === "swc") return defaultRoute();
  const { ownBabelRoute } = await import("./own-babel.ts");
  return ownBabelRoute();
}

/** `undefined`: there is nothing to do. Throws a TransformError. */
export function draft(route: Route, source: string, options: TransformOptions): FreshDraft | undefined {
  const made = draftWith(route, source, options);
  return made && { ...made, isCompiled: wasCompiled(source, options.filename, route) };
}

/** A project that sees files as the resolver does. */
export function projectOver(resolver: Resolver, route: Route, options: ProjectOptions, facts?: FactsStore): Project {
  return new Project(readerOf(route), options, facts, resolver);
}
