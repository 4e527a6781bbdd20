/** A store in memory: what a store is, in its shortest form. For tests, and to share entries between two caches. */
import { joined } from "./bytes.ts";
import type { About, EntryName, Store, Which } from "./store.ts";

interface Kept {
  readonly name: EntryName;
  readonly bytes: Uint8Array;
  readonly about: About;
}

/** @param now ms since 1970 */
export function memoryStore(now: () => number = Date.now): Store {
  const all = new Map<string, Kept>();
  const placeOf = ({ site, code, key }: EntryName) => JSON.stringify([site, code, key]);

  function trim(site: string, most: number): void {
    const own = [...all].filter(([, kept]) => kept.name.site === site);
    for (const [place] of own.slice(0, Math.max(0, own.length - most))) all.delete(place);
  }

  return {
    name: "memory",
    can: { sync: true, ttl: true, tags: true, lease: false, watch: false },
    get(name) {
      const place = placeOf(name);
      const kept = all.get(place);
      if (kept === undefined) return undefined;
      all.delete(place);
      if (now() >= kept.about.until) return undefined;
      // The one that was used last is the last to be trimmed.
      all.set(place, kept);
      return kept.bytes.slice();
    },
    set(name, pieces, about) {
      const place = placeOf(name);
      all.delete(place);
      // The pieces are views of a value that someone else keeps.
      all.set(place, { name, bytes: pieces.length === 1 ? joined(pieces).slice() : joined(pieces), about });
      if (about.maxEntries !== undefined) trim(name.site, about.maxEntries);
    },
    remove(which) {
      for (const [place, kept] of all) if (isOneOf(kept, which)) all.delete(place);
    },
    flush() {},
    close() {},
  };
}

function isOneOf({ name, about }: Kept, which: Which): boolean {
  if ("tag" in which) return about.tags.includes(which.tag);
  if (which.site === undefined) return true;
  return name.site === which.site && (which.key === undefined || name.key === which.key);
}
