/** What a store says of itself, for those who stand before it. */
import type { Store } from "./store.ts";

/** All of a store but its methods. */
export function traitsOf({
  name,
  can,
  staleness,
  patience,
}: Store): Pick<Store, "name" | "can" | "staleness" | "patience"> {
  return {
    name,
    can,
    ...(staleness === undefined ? {} : { staleness }),
    ...(patience === undefined ? {} : { patience }),
  };
}
