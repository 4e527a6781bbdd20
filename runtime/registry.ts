/**
 * Which sites there are. A site that comes back (hot reload, or the other copy of the package) with the same code and
 * options goes on with its entries; with others, its old entries go and its resources are released.
 */
import { type CachedCall, CONTRACT_VERSION, type SiteKind, type SiteSpec } from "./contract.ts";
import { Site } from "./entry.ts";
import { ContractError } from "./errors.ts";
import { hears, publish } from "./events.ts";
import { setFunctionKey } from "./key.ts";
import { empty, usedShelves } from "./lifetime.ts";
import { shared } from "./shared.ts";

type Callable = (...args: never) => unknown;

const registry = shared("registry", () => ({
  sites: new Map<string, Site>(),
  /** Functions that are known to be sites. */
  functions: new WeakMap<Callable, Site>(),
  calls: new WeakMap<CachedCall, Site>(),
  /** Functions that were told of where they are made, and what they take from around them: `null`, that can't be told. */
  captures: new WeakMap<Callable, (() => unknown[]) | null | undefined>(),
  /** Ids that other code has taken over: the old code may still be called. */
  taken: new Set<string>(),
}));

/** All sites that generated code has made, by id. */
export const sites: ReadonlyMap<string, Site> = registry.sites;

/**
 * The site that `spec` describes, new or come back.
 *
 * @throws ContractError if the compiler that wrote it speaks another contract
 */
export function register(kind: SiteKind, spec: SiteSpec): Site {
  if (spec.v !== CONTRACT_VERSION) throw new ContractError(spec.id, spec.v, CONTRACT_VERSION);
  const known = registry.sites.get(spec.id);
  if (known !== undefined) {
    // The old function may still be called, and cleared, by those who hold it.
    const before = selfOf(known);
    if (before !== undefined) registry.functions.set(before, known);
    if (known.kind === kind && isSame(known.spec, spec)) {
      known.spec = spec;
      return known;
    }
  }
  const site = new Site(kind, spec);
  registry.sites.set(spec.id, site);
  if (known !== undefined) retire(known);
  return site;
}

/** What decides whether entries may stay: the code, what is in the key, and every option about entries. */
const TELLING = [
  "code",
  "hashed",
  "excluded",
  "captured",
  "rest",
  "async",
  "ttl",
  "staleFor",
  "maxEntries",
  "persist",
  "scope",
  "copy",
  "tags",
  "allowInputs",
  "env",
] as const satisfies readonly (keyof SiteSpec)[];

function isSame(one: SiteSpec, other: SiteSpec): boolean {
  const parts = (spec: SiteSpec) =>
    JSON.stringify([...TELLING.map((name) => spec[name] ?? null), !!spec.validate, !!spec.onRelease]);
  return parts(one) === parts(other);
}

/** Other code has taken its id. The old function goes on working for those who still hold it, and begins anew. */
function retire(site: Site): void {
  registry.taken.add(site.id);
  let entries = 0;
  for (const shelf of usedShelves()) if (shelf.site === site) entries += empty(shelf);
  if (entries > 0 && hears("clear")) publish({ type: "clear", scope: "reload", of: site.id, entries });
}

/** True if there was other code under this id. */
export function wasTaken(id: string): boolean {
  return registry.taken.has(id);
}

/** Connects what generated code calls with its site. */
export function connect(call: CachedCall, site: Site): CachedCall {
  registry.calls.set(call, site);
  return call;
}

/** Tells that `fn` is the function of the site behind `call`. @returns `fn` */
export function mark<F>(fn: F, call: CachedCall, captures?: (() => unknown[]) | null): F {
  const site = registry.calls.get(call);
  if (site === undefined || typeof fn !== "function") return fn;
  registry.functions.set(fn as never, site);
  registry.captures.set(fn as never, captures);
  return fn;
}

/** The site of a function. */
export function siteOf(fn: unknown): Site | undefined {
  if (typeof fn !== "function") return undefined;
  const known = registry.functions.get(fn as never);
  if (known !== undefined) return known;
  for (const site of registry.sites.values()) {
    if (selfOf(site) !== fn) continue;
    registry.functions.set(fn as never, site);
    return site;
  }
  return undefined;
}

/** The function of a site, where its module can name it. */
export function selfOf(site: Site): Callable | undefined {
  try {
    const self = site.spec.self?.();
    return typeof self === "function" ? (self as Callable) : undefined;
  } catch {
    // Not defined yet.
    return undefined;
  }
}

// A cached function that is passed as an argument is what its code is, and what it takes from around it.
setFunctionKey((fn) => {
  const spec = siteOf(fn)?.spec;
  if (spec === undefined) return undefined;
  const captures = registry.captures.get(fn);
  if (captures === null) return undefined;
  // Whatever stands under the name by now: `load = wrap(load)`.
  if ((spec.captured !== undefined || spec.replaceable) && !registry.captures.has(fn)) return undefined;
  return { code: spec.code, captures };
});
