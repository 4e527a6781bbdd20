/** All caches of the process, as one thing that can be listed and closed. */
import { clearMemory } from "./clear.ts";
import type { SiteKind } from "./contract.ts";
import { usedShelves } from "./lifetime.ts";
import { flushed } from "./persist.ts";
import { sites } from "./registry.ts";
import { released } from "./resource.ts";

/** A cached function, as its build has described it. */
export interface CacheInfo {
  /** `src/rides.ts#loadRides`. */
  readonly id: string;
  readonly kind: SiteKind;
  /** The code hash. */
  readonly code: string;
  readonly hashed: readonly string[];
  readonly excluded: readonly string[];
  readonly ttl?: number;
  readonly staleFor?: number;
  readonly maxEntries?: number;
  readonly scope: "global" | "session";
}

export interface Caches extends AsyncDisposable, Iterable<CacheInfo> {
  /**
   * The end of the program, or of a test: memory is cleared, resources that are being made are waited for, and all are
   * released. Resolves when the last `onRelease` has ended, and what is to outlive the process is written down. What is
   * called afterwards is kept again.
   *
   * ```ts
   * await using _ = caches;
   * ```
   */
  close(): Promise<void>;
}

async function close(): Promise<void> {
  const making = [...usedShelves()]
    .filter((shelf) => shelf.site.kind === "resource")
    .flatMap((shelf) => shelf.runs().map((flight) => flight.promise));
  clearMemory();
  if (making.length > 0) {
    await Promise.allSettled(making);
    clearMemory("resource");
  }
  await released();
  await flushed();
}

/** All caches of the process: iterate to list the functions, close to release all that they hold. */
export const caches: Caches = {
  close,
  [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]: close,
  *[Symbol.iterator]() {
    for (const { id, kind, spec } of sites.values()) {
      const { code, hashed, excluded, ttl, staleFor, maxEntries, scope = "global" } = spec;
      const limits = { ...(ttl === undefined ? {} : { ttl }), ...(staleFor === undefined ? {} : { staleFor }) };
      const bound = maxEntries === undefined ? {} : { maxEntries };
      yield { id, kind, code, hashed, excluded, scope, ...limits, ...bound };
    }
  },
} as Caches;
