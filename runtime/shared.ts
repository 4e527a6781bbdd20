/**
 * State that outlives a module: one object on `globalThis`, under a versioned symbol. The ESM and the CommonJS copy of
 * the package find the same sites and entries there, and so does a module that is evaluated again by hot reload.
 */

/** Raised whenever the shape of what is shared changes: two versions of the package then keep two caches, not a wrong one. */
const PLACE: unique symbol = Symbol.for("kept.shared/1") as never;

type Host = typeof globalThis & { [PLACE]?: Map<string, object> };

/** @returns what an earlier copy has put under `name`, else what `make` gives */
export function shared<T extends object>(name: string, make: () => T): T {
  const host = globalThis as Host;
  if (host[PLACE] === undefined) Object.defineProperty(host, PLACE, { value: new Map() });
  const slots = host[PLACE] as Map<string, object>;
  const found = slots.get(name) as T | undefined;
  if (found !== undefined) return found;
  const made = make();
  slots.set(name, made);
  return made;
}
