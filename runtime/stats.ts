/** Counts and times of every cached function, as an object and in the OpenMetrics text format. */
import type { SiteKind } from "./contract.ts";
import type { Shelf, Site } from "./entry.ts";
import { on } from "./events.ts";
import { usedShelves } from "./lifetime.ts";
import { sites } from "./registry.ts";
import { shared } from "./shared.ts";

/** What happened to one cached function so far, in this process. */
export interface SiteStats {
  readonly kind: SiteKind;
  /** Calls served from an entry, fresh or stale. */
  readonly hits: number;
  /** Calls that ran the body. */
  readonly misses: number;
  /** Calls that waited for a run in progress. */
  readonly joins: number;
  /** Hits that were stale. */
  readonly stale: number;
  readonly evictions: number;
  readonly expirations: number;
  /** Runs that threw. */
  readonly failures: number;
  /** What went wrong without the program noticing, since `kept` was first imported; see the event `fault`. */
  readonly faults: number;
  readonly entries: number;
  /** Memory that the entries take, by estimate. A resource's own is not known: 0 beside its key. */
  readonly bytes: number;
  /** ms of all runs. */
  readonly timeSpent: number;
  /** ms that the served results had taken when they were computed. */
  readonly timeSaved: number;
}

export interface Stats {
  /** By site id; functions that have been called. */
  (): Record<string, SiteStats>;
  /** The same in the OpenMetrics text format, for a scraper. */
  openmetrics(): string;
}

/**
 * Faults are counted as they are told. Hits and misses are not: they are counted where they happen, in the entries, for a
 * subscriber would make every hit pay for an event.
 */
const faults = shared("stats.faults", () => {
  const counts = new Map<string, number>();
  on("fault", ({ site = "" }) => counts.set(site, (counts.get(site) ?? 0) + 1));
  return counts;
});

function ofSite(site: Site, shelves: readonly Shelf[]): SiteStats {
  const { counts } = site;
  let { hits, saved } = counts;
  let entries = 0;
  let bytes = 0;
  for (const shelf of shelves) {
    entries += shelf.entries.size;
    bytes += shelf.bytes;
    for (const entry of shelf.entries.values()) {
      hits += entry.hits;
      saved += entry.hits * entry.cost;
    }
  }
  return {
    kind: site.kind,
    hits,
    misses: counts.misses,
    joins: counts.joins,
    stale: counts.stale,
    evictions: counts.evictions,
    expirations: counts.expirations,
    failures: counts.failures,
    faults: faults.get(site.id) ?? 0,
    entries,
    bytes,
    timeSpent: counts.spent,
    timeSaved: saved,
  };
}

function collect(): Record<string, SiteStats> {
  const shelves = new Map<Site, Shelf[]>();
  for (const shelf of usedShelves()) {
    const known = shelves.get(shelf.site);
    if (known === undefined) shelves.set(shelf.site, [shelf]);
    else known.push(shelf);
  }
  const all: Record<string, SiteStats> = {};
  for (const site of sites.values()) {
    const one = ofSite(site, shelves.get(site) ?? []);
    if (one.hits + one.misses + one.joins + one.entries > 0) all[site.id] = one;
  }
  return all;
}

type Measure = { readonly of: (stats: SiteStats) => number; readonly type: "counter" | "gauge"; readonly help: string };

/** One row a metric. Times are in seconds, as OpenMetrics wants them. */
const METRICS: Readonly<Record<string, Measure>> = {
  kept_hits: { of: (s) => s.hits, type: "counter", help: "Calls served from an entry" },
  kept_misses: { of: (s) => s.misses, type: "counter", help: "Calls that ran the body" },
  kept_joins: { of: (s) => s.joins, type: "counter", help: "Calls that waited for a run in progress" },
  kept_stale_hits: { of: (s) => s.stale, type: "counter", help: "Hits that were stale" },
  kept_evictions: { of: (s) => s.evictions, type: "counter", help: "Entries dropped to make room" },
  kept_expirations: { of: (s) => s.expirations, type: "counter", help: "Entries dropped because their time was over" },
  kept_failures: { of: (s) => s.failures, type: "counter", help: "Runs that threw" },
  kept_faults: { of: (s) => s.faults, type: "counter", help: "What went wrong without the program noticing" },
  kept_spent_seconds: { of: (s) => s.timeSpent / 1000, type: "counter", help: "Time of all runs" },
  kept_saved_seconds: { of: (s) => s.timeSaved / 1000, type: "counter", help: "Time that hits have saved" },
  kept_entries: { of: (s) => s.entries, type: "gauge", help: "Entries in memory" },
  kept_memory_bytes: { of: (s) => s.bytes, type: "gauge", help: "Estimated memory of the entries" },
};

function openmetrics(): string {
  const all = Object.entries(collect());
  const lines: string[] = [];
  for (const [name, { of, type, help }] of Object.entries(METRICS)) {
    lines.push(`# TYPE ${name} ${type}`);
    if (/_(seconds|bytes)$/.test(name)) lines.push(`# UNIT ${name} ${/seconds|bytes/.exec(name)?.[0]}`);
    lines.push(`# HELP ${name} ${help}.`);
    const suffix = type === "counter" ? "_total" : "";
    for (const [site, stats] of all) {
      lines.push(`${name}${suffix}{kind="${stats.kind}",site="${quoted(site)}"} ${of(stats)}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}

function quoted(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Counts and times of every cached function that has been called. */
export const stats: Stats = Object.assign(collect, { openmetrics });
