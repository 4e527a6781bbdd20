/** Refreshing behind a stale hit: one run for a key, a bounded number in all, and a pause after a failure. */
import { type Call, keyOf } from "./call.ts";
import { now, settings } from "./config.ts";
import type { Entry } from "./entry.ts";
import { fault } from "./events.ts";
import { launch } from "./flight.ts";
import { claimAnew, isLeased } from "./persist.ts";
import { nextTurn } from "./platform.ts";
import { outsideRuns } from "./run.ts";
import { shared } from "./shared.ts";

const pool = shared("refresh", () => ({ busy: 0 }));

/** Has `entry`, which is stale, replaced by what the call gives now, unless that is being done or is not to be tried yet. */
export function refreshBehind(entry: Entry, call: Call): void {
  if (entry.refreshing || (entry.retryAt !== undefined && now() < entry.retryAt) || pool.busy >= settings.maxRefreshes)
    return;
  if (entry.shelf.flightOf(entry.key) !== undefined) return;
  entry.refreshing = true;
  pool.busy++;
  if (entry.shelf.site.spec.async) void refreshNow(entry, call).finally(() => pool.busy--);
  else later(entry, call);
}

async function refreshNow(entry: Entry, call: Call): Promise<void> {
  try {
    if (isLeased(entry.shelf.site)) await refreshAlone(entry, call);
    else await launch(call, "behind");
  } catch (error) {
    failed(entry, error);
  } finally {
    entry.refreshing = false;
  }
}

/** Another process that does it is asked again in this time: it may have died. */
const ASK_AGAIN = 1000;

/** Of all processes that serve the stale entry, one replaces it; the others are told. */
async function refreshAlone(entry: Entry, call: Call): Promise<void> {
  const { shelf, key } = entry;
  const grant = await claimAnew(shelf, key, "behind");
  if (grant === "busy") entry.retryAt = now() + ASK_AGAIN;
  else if (entry.live && shelf.flightOf(key) === undefined) await launch(call, "behind", grant);
  else grant?.giveBack();
}

/** A body that is not `async` would make the caller of the stale value wait, so it runs when that one is done. */
function later(entry: Entry, call: Call): void {
  nextTurn(() => {
    try {
      if (entry.live && !isChanged(call)) outsideRuns(() => launch(call, "behind"));
    } catch (error) {
      failed(entry, error);
    } finally {
      entry.refreshing = false;
      pool.busy--;
    }
  });
}

/** The caller has its value and may have changed an object that it passed: the body would run for other arguments. */
function isChanged(call: Call): boolean {
  return !Object.is(keyOf(call.shelf.site, call.slots), call.base);
}

function failed(entry: Entry, error: unknown): void {
  entry.retryAt = now() + settings.refreshCooldown;
  fault("refresh-failed", error, entry.shelf.site.id);
}
