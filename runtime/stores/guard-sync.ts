/**
 * The guard of a store that is done when its methods return: it can fail, but not hang, so a failure costs nothing but
 * itself. Only where it could not be told of a removal it is let alone until it was.
 */
import { fault } from "../events.ts";
import { Damage } from "./codec.ts";
import type { Reach } from "./reach.ts";
import type { Source, Store, Which } from "./store.ts";
import { traitsOf } from "./traits.ts";

/** Failures are told, and are misses; only Damage is thrown. */
export function guardedSync(store: Store, reach: Reach): Store {
  function attempt<T>(act: () => T, site?: string): T | undefined {
    try {
      return act();
    } catch (error) {
      if (error instanceof Damage) throw error;
      fault("store-failed", error, site);
      return undefined;
    }
  }

  /** Tells it of what it has missed, if it is time to try. @returns whether it may be asked */
  function isIn(atOnce = false): boolean {
    if (reach.isIn) return true;
    if (!reach.breaker.mayProbe(atOnce)) return false;
    let isBack = true;
    try {
      for (const which of reach.owed.all()) {
        store.remove(which);
        reach.owed.paid(which);
      }
    } catch {
      // Once per change is enough: it was told when the store was cut out.
      isBack = false;
    }
    reach.probed(isBack);
    return isBack;
  }

  function remove(which: Which): void {
    if (!isIn()) {
      reach.owe(which);
      return;
    }
    try {
      store.remove(which);
    } catch (error) {
      fault("store-failed", error, which.site);
      reach.owe(which, error);
    }
  }

  return {
    ...traitsOf(store),
    get(name, changed) {
      if (!isIn()) return undefined;
      const bytes = attempt(() => store.get(name, changed), name.site);
      return reach.current(name, bytes);
    },
    ...(store.read === undefined
      ? {}
      : {
          read(name, changed) {
            if (!isIn()) return undefined;
            // How old it is stands at its beginning, which a source gives only once.
            const act = () => (reach.floors.isEmpty ? store.read?.(name, changed) : store.get(name, changed));
            const found = attempt(act, name.site);
            return found instanceof Uint8Array ? reach.current(name, found) : (found as Source | undefined);
          },
        }),
    set(name, pieces, about, changed) {
      let kept: unknown;
      if (isIn()) {
        try {
          kept = store.set(name, pieces, about, changed);
          reach.floors.forget(name);
          return kept === false ? false : undefined;
        } catch (error) {
          fault("store-failed", error, name.site);
        }
      }
      // What it has of before is older than this.
      reach.floors.raise(name, about.began);
      return undefined;
    },
    remove,
    flush() {
      if (isIn(reach.owed.size > 0)) return attempt(() => store.flush());
    },
    close() {
      return attempt(() => store.close());
    },
  };
}
