/** `kept stats --disk`: what is kept of each function, and how much of it belongs to code that is gone. */
import { inBytes, type Report, type StoredEntry } from "./stored.ts";

export interface FunctionStats {
  readonly site: string;
  readonly entries: number;
  readonly bytes: number;
  /** ms since 1970. */
  readonly oldest: number;
  readonly lastUsed: number;
  /** Past their time: nobody is served them. */
  readonly over: number;
  /** Of other code than the function has now; undefined where that is not known. */
  readonly otherCode: number | undefined;
  /** Is there a function of that id in the project? */
  readonly isThere: boolean | undefined;
}

export interface Amount {
  readonly entries: number;
  readonly bytes: number;
}

export interface DiskStats extends Amount {
  readonly dir: string;
  readonly isThere: boolean;
  readonly functions: readonly FunctionStats[];
  /** Written with a `secret`: whose they are is hidden. */
  readonly sealed: Amount;
  readonly damaged: Amount;
  readonly failures: Report["failures"];
}

/** Code hashes by site; undefined where a function's is not known, and all of it where the project can't be read. */
export type Codes = ReadonlyMap<string, string> | undefined;

/**
 * @param codes of the project as it is now
 * @param isUnknown whether a function may be there although `codes` has none, since its file can't be read
 */
export function diskStats(report: Report, codes: Codes, isUnknown: (site: string) => boolean, now: number): DiskStats {
  const { dir, isThere, entries, failures } = report;
  const bySite = new Map<string, StoredEntry[]>();
  for (const entry of entries) {
    if (entry.state !== "readable" || entry.site === undefined) continue;
    const list = bySite.get(entry.site);
    if (list) list.push(entry);
    else bySite.set(entry.site, [entry]);
  }
  const functions = [...bySite].map(([site, list]): FunctionStats => {
    const code = codes?.get(site);
    const isKnown = codes !== undefined && (code !== undefined || !isUnknown(site));
    return {
      site,
      ...amountOf(list),
      oldest: Math.min(...list.map(({ began, used }) => began ?? used)),
      lastUsed: Math.max(...list.map(({ used }) => used)),
      over: list.filter(({ until }) => until !== undefined && now >= until).length,
      otherCode: isKnown ? list.filter((each) => each.code !== code).length : undefined,
      isThere: isKnown ? code !== undefined : undefined,
    };
  });
  functions.sort((a, b) => b.bytes - a.bytes || (a.site < b.site ? -1 : 1));
  const inState = (state: StoredEntry["state"]) => amountOf(entries.filter((each) => each.state === state));
  return {
    dir,
    isThere,
    ...amountOf(entries),
    functions,
    sealed: inState("sealed"),
    damaged: inState("damaged"),
    failures,
  };
}

function amountOf(entries: readonly StoredEntry[]): Amount {
  return { entries: entries.length, bytes: entries.reduce((sum, each) => sum + each.bytes, 0) };
}

export function printStats(stats: DiskStats, now: number): string {
  const { dir, isThere, functions, sealed, damaged, failures } = stats;
  const troubles = failures.map(({ path, message }) => `${path} can't be looked at: ${message}`);
  if (!isThere) return [`Nothing is kept in ${dir}.`, ...troubles].join("\n");
  const rows = functions.map((each) => [
    each.site,
    `${each.entries}`,
    inBytes(each.bytes),
    ago(now - each.oldest),
    ago(now - each.lastUsed),
    each.otherCode === undefined
      ? "?"
      : each.isThere === false
        ? `${each.otherCode}, function is gone`
        : `${each.otherCode}`,
  ]);
  const parts = [`${dir}: ${amount(stats)}`];
  if (rows.length > 0) parts.push(table([["", "entries", "size", "oldest", "last used", "of other code"], ...rows]));
  if (sealed.entries > 0) parts.push(`Sealed, so that whose they are is hidden: ${amount(sealed)}.`);
  if (damaged.entries > 0)
    parts.push(`Damaged, or of another version; no harm, nobody is served them: ${amount(damaged)}.`);
  if (functions.some(({ otherCode }) => otherCode === undefined))
    parts.push("?: the project's code could not be read here, so what belongs to it is not known.");
  return [...parts, ...troubles].join("\n\n");
}

const amount = ({ entries, bytes }: Amount): string =>
  `${entries} ${entries === 1 ? "entry" : "entries"}, ${inBytes(bytes)}`;

/** The first and the last column to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] as readonly string[]).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  const last = widths.length - 1;
  return rows
    .map((row) =>
      row
        .map((cell, at) =>
          at === 0 || at === last ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}
