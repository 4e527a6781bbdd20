/** A call of a cached function: key → fresh entry? serve → join the flight → run → store → serve. */
import { attention } from "./attention.ts";
import { type Call, keyOf } from "./call.ts";
import { now } from "./config.ts";
import type { CachedCall } from "./contract.ts";
import { BOUNDED, ELABORATE, type Entry, PLAIN, type Site } from "./entry.ts";
import { hears, hitChannel, publish } from "./events.ts";
import { type Flight, isOutdated, join, launch } from "./flight.ts";
import { pathOf } from "./inputs.ts";
import { encodeKey } from "./key.ts";
import { Grant } from "./lease.ts";
import { drop, entryNames, type Life, lifeOf, touch } from "./lifetime.ts";
import { claim } from "./persist.ts";
import { isProbed, note, unprobed } from "./probe.ts";
import { refreshBehind } from "./refresh.ts";
import { replay } from "./replay.ts";
import { hold, isValid, unhold } from "./resource.ts";
import { currentRun, takeOver, tracker } from "./run.ts";
import { shelfOf } from "./session.ts";
import { isThenable } from "./thenable.ts";

/** The story of a call, once its key is known. An `async` site may get a promise, or the value where nothing is awaited. */
export function recall(call: Call): unknown {
  const { shelf, key } = call;
  const entry = shelf.entries.get(key);
  if (entry !== undefined) {
    const life = lifeOf(entry, now());
    if (life === "over") drop(entry, "expire");
    else if (shelf.site.spec.validate === undefined) return serve(entry, life, call);
    else return validated(entry, life, call);
  }
  const flight = shelf.flightOf(key);
  if (flight === undefined && shelf.site.spec.persist !== undefined) return ask(call);
  return compute(call, flight);
}

/** Joins the flight that is under way, or begins one. */
function compute(call: Call, flight: Flight | undefined, grant?: Grant): unknown {
  if (flight === undefined || isOutdated(flight)) return launch(call, "miss", grant);
  return join(flight, call, begin, hand);
}

/** Memory has nothing, and nobody computes it: a store may have it from before. */
function ask(call: Call): unknown {
  const { shelf, key } = call;
  const take = (found: Entry | Grant | undefined) => {
    const grant = found instanceof Grant ? found : undefined;
    // Whoever asked at the same time may have gone on already.
    const entry = (found instanceof Grant ? undefined : found) ?? shelf.entries.get(key);
    const life = entry === undefined ? "over" : lifeOf(entry, now());
    const given =
      entry === undefined || life === "over" ? compute(call, shelf.flightOf(key), grant) : serve(entry, life, call);
    grant?.giveBack();
    return given;
  };
  const found = claim(shelf, key);
  return isThenable(found) ? found.then(take) : take(found);
}

/** Serves an entry, fresh or stale; the stale one also has itself replaced. */
function serve(entry: Entry, life: Life, call: Call): unknown {
  const { shelf } = entry;
  if (shelf.bounded && entry.live) touch(entry);
  // One that memory doesn't keep takes its count with it.
  if (entry.live) entry.hits++;
  else countHit(entry);
  if (life === "fresh") {
    if (hears("hit")) publish({ type: "hit", ...entryNames(entry), saved: entry.cost });
  } else {
    shelf.site.counts.stale++;
    if (hears("stale")) publish({ type: "stale", ...entryNames(entry), age: now() - entry.expires });
    refreshBehind(entry, call);
  }
  return hand(entry);
}

function countHit({ shelf, cost }: Entry): void {
  const { counts } = shelf.site;
  counts.hits++;
  counts.saved += cost;
}

/** Gives a caller its own copy of what is kept, with the effects that belong to it. */
function hand(entry: Entry): unknown {
  if (entry.ease !== PLAIN) {
    takeOver(currentRun(), entry.expires, entry.tags);
    const played = entry.ease === ELABORATE ? replay(entry) : undefined;
    if (played !== undefined) return played.then(() => give(entry));
  }
  return give(entry);
}

function give(entry: Entry): unknown {
  return entry.keeper === undefined ? entry.value : entry.keeper.give();
}

/** A resource is served if `validate` agrees; else it goes, and the call begins anew. */
function validated(entry: Entry, life: Life, call: Call): unknown {
  const decide = (valid: boolean): unknown => {
    if (valid && entry.live) return serve(entry, life, call);
    drop(entry, "invalid");
    return begin(call);
  };
  const verdict = isValid(entry, call.args?.() ?? []);
  if (!isThenable(verdict)) return decide(verdict);
  hold(entry);
  return verdict.then((valid) => {
    try {
      return decide(valid);
    } finally {
      unhold(entry);
    }
  });
}

/** Finds the entry's key: the key of the arguments, and where inputs are allowed, what they give now. */
export function begin(call: Call): unknown {
  const { shelf, base } = call;
  if (!shelf.site.spec.allowInputs) return recall(call);
  const path = pathOf(shelf, base);
  return isThenable(path) ? path.then((key) => recall({ ...call, key })) : recall({ ...call, key: path });
}

/** What generated code calls in place of the body. Its first lines are the whole of most calls. */
export function callOf(site: Site): CachedCall {
  const { shelf } = site;
  const { entries } = shelf;
  return (slots, run, args, captures) => {
    if (attention.count !== 0 || site.careful) return callWithCare(site, slots, run, args, captures);
    const key = encodeKey(slots, site.spec);
    const entry = entries.get(key);
    if (entry !== undefined && (entry.ease === PLAIN || isSimple(entry)) && !hitChannel.hasSubscribers) {
      entry.hits++;
      if (shelf.bounded) touch(entry);
      return entry.keeper === undefined ? entry.value : entry.keeper.give();
    }
    return recall({ shelf, key, base: key, slots, run, args, captures });
  };
}

/** True if there is nothing to a hit but to look at the clock. */
function isSimple(entry: Entry): boolean {
  return entry.ease === BOUNDED && tracker.running === 0 && now() < entry.expires;
}

/** A call that may be probed, or belongs to a session, or whose key has more to it than the arguments. */
function callWithCare(
  site: Site,
  slots: unknown[],
  run: () => unknown,
  args: Call["args"],
  captures: Call["captures"],
): unknown {
  if (isProbed(site)) return note(() => keyOf(site, slots), slots, run, args);
  return unprobed(() => {
    const shelf = shelfOf(site);
    const key = keyOf(site, slots);
    return begin({ shelf, key, base: key, slots, run, args, captures });
  });
}
