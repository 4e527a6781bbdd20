/** The compiler as a host gets it when the last build's work won't do: parser, plan, code hash. Loaded only then. */
import { wasCompiled } from "./compiled.ts";
import type { Draft } from "./core/draft.ts";
import { draftWith, readerOf, type TransformOptions } from "./core/transform.ts";
import { Project, type ProjectOptions } from "./hash/project.ts";
import type { FactsReading } from "./hash/read-facts.ts";
import { FactsCache } from "./hash/resolve/facts-cache.ts";
import type { Resolver } from "./hash/resolve/index.ts";
import { routeNamed } from "./routes.ts";

type RouteName = "swc" | "babel";

export interface FreshDraft {
  readonly draft: Draft;
  readonly reading: FactsReading | undefined;
  /** Did it reach us already compiled? */
  readonly isCompiled: boolean;
}

/** `undefined`: there is nothing to do. Throws a TransformError. */
export function draft(route: RouteName, source: string, options: TransformOptions): FreshDraft | undefined {
  const made = draftWith(routeNamed(route), source, options);
  return made && { ...made, isCompiled: wasCompiled(source, options.filename, routeNamed(route)) };
}

/** A project that sees files as the resolver does. */
export function projectOver(resolver: Resolver, route: RouteName, options: ProjectOptions, cache?: string): Project {
  return new Project(
    readerOf(routeNamed(route)),
    options,
    cache === undefined ? undefined : new FactsCache(cache),
    resolver,
  );
}
