/**
 * What Kept makes of a file, as text for snapshot tests: a parameter that gets into a key by accident shows in the diff.
 * The code hash is left out unless asked for, so that a snapshot changes when caching does, not with every edit.
 */
import { type Site, transformWith } from "./core/transform.ts";
import { type EntryOptions, resolveOptions } from "./options.ts";
import { routeNamed } from "./routes.ts";

export interface DescribeOptions extends EntryOptions {
  /** Prints the code hashes too. Default false. */
  readonly code?: boolean;
}

/**
 * The annotated functions of a file, one paragraph each, in the order of the file:
 *
 * ```
 * src/rides.ts#load: data
 *   keyed by   url, limit
 *   not keyed  _db
 *   options    maxEntries: 1000, onRelease: code, ttl: 1h30m
 * ```
 *
 * @returns an empty string where the file holds no directive
 * @throws TransformError, as `transform` does
 */
export function describeSites(source: string, options: DescribeOptions): string {
  const { code = false, ...entry } = options;
  const resolved = resolveOptions(entry);
  const result = transformWith(routeNamed(resolved.route), source, resolved);
  return (result?.sites ?? []).map((site) => describeSite(site, code)).join("\n\n");
}

function describeSite(site: Site, code: boolean): string {
  const captured = new Set(site.captured);
  const keyed = site.hashed.map((name) => (captured.has(name) ? `${name} (captured)` : name));
  const rows: [string, string][] = [["keyed by", keyed.join(", ") || "nothing"]];
  if (site.excluded.length > 0) rows.push(["not keyed", site.excluded.join(", ")]);
  const options = describeOptions(site.options);
  if (options.length > 0) rows.push(["options", options.join(", ")]);
  if (code) rows.push(["code", site.code]);
  return [`${site.id}: ${site.kind}`, ...rows.map(([title, text]) => `  ${title.padEnd(9)}  ${text}`)].join("\n");
}

/** As a person would write them: durations with units; of an option that is a function, that it is one. */
function describeOptions({ code = [], ...values }: Site["options"]): string[] {
  const written = Object.entries(values).map(([name, value]): [string, string] => [
    name,
    DURATIONS.has(name) && typeof value === "number" ? durationText(value) : JSON.stringify(value),
  ]);
  const functions = (code as readonly string[]).map((name): [string, string] => [name, "code"]);
  return [...written, ...functions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `${name}: ${text}`);
}

/** Held in milliseconds. */
const DURATIONS: ReadonlySet<string> = new Set(["ttl", "staleFor"]);
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

function durationText(milliseconds: number): string {
  let rest = milliseconds;
  let text = "";
  for (const [unit, length] of UNITS) {
    const count = unit === "ms" ? rest : Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return text || "0s";
}

/**
 * For `expect.addSnapshotSerializer` of Jest and Vitest: prints the `sites` of a `transform` as {@link describeSites}
 * does.
 */
export const siteSerializer: {
  test(value: unknown): boolean;
  serialize(value: unknown): string;
} = {
  test: (value) => Array.isArray(value) && value.length > 0 && value.every(isSite),
  serialize: (value) => (value as Site[]).map((site) => describeSite(site, false)).join("\n\n"),
};

function isSite(value: unknown): boolean {
  const { id, kind, hashed, excluded, captured } = (value ?? {}) as Partial<Site>;
  return (
    typeof id === "string" &&
    (kind === "data" || kind === "resource") &&
    [hashed, excluded, captured].every(Array.isArray)
  );
}
