/** Private copies of a result. */

/** What an entry holds of a `data` value. */
export interface Keeper {
  /** A private copy; in `freeze` mode and for immutable values, the value itself. */
  give(): unknown;
  /** An honest estimate of the memory that the kept value takes. */
  readonly bytes: number;
}

/**
 * @returns what an entry keeps, and what the caller of the miss gets: as private a copy as every hit's
 * @throws UncopyableResultError
 */
export function keep(
  value: unknown,
  _mode: "copy" | "freeze",
  _site: { readonly id: string },
): { keeper: Keeper; first: unknown } {
  return { keeper: { give: () => structuredClone(value), bytes: 0 }, first: structuredClone(value) };
}
