/** One number that the first line of every call looks at, so that what is rare costs nothing where it is not in use. */
import { shared } from "./shared.ts";

/** While this is not 0 (a call is probed, someone listens to hits), every call goes the careful way. */
export const attention: { count: number } = shared("attention", () => ({ count: 0 }));
