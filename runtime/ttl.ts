/** A lifetime that is found out during the run. */
import { type Duration, parseDuration } from "./contract.ts";
import { invalidOption } from "./errors.ts";
import { currentRun } from "./run.ts";

/**
 * The result that is being computed is fresh for no longer than this; of several calls, and of `ttl` in the options, the
 * shortest counts. A number is seconds; a string needs a unit. Outside of a cached function it does nothing.
 *
 * @throws KeptError `invalid-option` if it is no duration
 */
export function cacheTtl(duration: Duration): void {
  const ms = typeof duration === "number" || typeof duration === "string" ? parseDuration(duration) : undefined;
  if (ms === undefined)
    throw invalidOption("cacheTtl", "duration", duration, 'seconds, or a string with a unit such as "90s"');
  const run = currentRun();
  if (run !== undefined && ms < run.ttl) run.ttl = ms;
}
