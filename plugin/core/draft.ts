/** What is known of a file once it is compiled: without its code hashes, which depend on other files, and with them. */
import type { SiteKind } from "../../runtime/contract.ts";
import type { Unit } from "../hash/facts.ts";
import type { CodeHash, FoundDoubt } from "../hash/project.ts";
import { type Diagnostic, type Position, Report } from "./diagnostics.ts";
import type { Span } from "./ir.ts";
import type { SiteOptions } from "./options.ts";
import { absolutePath, relativePath } from "./paths.ts";

/** What is known about an annotated function after the build. */
export interface Site {
  /** `src/rides.ts#loadRides`. */
  readonly id: string;
  readonly kind: SiteKind;
  /** The function as its author calls it. */
  readonly name: string;
  /** The code hash, `h1:` + 128 bits. */
  readonly code: string;
  /** Names of what is keyed: parameters after defaults, then captures. */
  readonly hashed: readonly string[];
  /** Parameters and captures left out of the key. */
  readonly excluded: readonly string[];
  /** Those of {@link hashed} that are variables of a function around. */
  readonly captured: readonly string[];
  /** Times in milliseconds; function options by name only. */
  readonly options: SiteOptions & { readonly code?: readonly string[] };
  readonly loc: { readonly start: Position; readonly end: Position };
}

export interface TransformResult {
  readonly code: string;
  /** A source map (version 3) to the source as given. */
  readonly map: SourceMap;
  readonly sites: readonly Site[];
  /** Absolute paths of other files that the code hashes depend on, to watch. */
  readonly files: readonly string[];
  /** Warnings. Errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface SourceMap {
  readonly version: number;
  readonly file?: string;
  readonly sources: (string | null)[];
  readonly sourcesContent?: (string | null)[];
  readonly names: string[];
  readonly mappings: string;
}

/**
 * What becomes of a file, but for its code hashes: stand-ins of the same length are in their place. It depends on the
 * file's own source and the options alone, and it is plain data, so it may be kept from build to build.
 */
export interface Draft {
  readonly code: string;
  readonly map: SourceMap;
  readonly sites: readonly Omit<Site, "code">[];
  /** In the order of {@link sites}. */
  readonly roots: readonly SiteRoot[];
  readonly standIns: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A site as the project hashes it. Plain data. */
export interface SiteRoot {
  /** The site's id. */
  readonly name: string;
  readonly unit: Unit;
  /** The function as its author calls it, and where a diagnostic of its hash points to. */
  readonly title: string;
  readonly place: Span;
}

/** Puts the hashes in, and says what can't be followed. */
export function complete(
  draft: Draft,
  source: string,
  { filename, root }: { readonly filename: string; readonly root: string },
  hashes: readonly CodeHash[],
): TransformResult {
  const report = new Report(source, relativePath(root, filename));
  report.diagnostics.push(...draft.diagnostics);
  let { code } = draft;
  for (const [index, { hash, doubts }] of hashes.entries()) {
    code = code.replaceAll(draft.standIns[index] as string, hash);
    sayDoubts(draft.roots[index] as SiteRoot, doubts, report);
  }
  return {
    code,
    map: draft.map,
    sites: draft.sites.map((site, index) => ({ ...site, code: (hashes[index] as CodeHash).hash })),
    files: filesBehind(absolutePath(root, filename), hashes),
    diagnostics: report.sorted,
  };
}

/** What can't be followed, and the way to the first of it. */
export function sayDoubts({ title, place }: SiteRoot, doubts: readonly FoundDoubt[], report: Report): void {
  const [first] = doubts;
  if (!first) return;
  const more = doubts.length > 1 ? ` (and ${doubts.length - 1} more)` : "";
  report.add("unknown-code", place, title, first.what + more, first.path.join("\n  → "));
}

/** Other files than the sites' own, sorted. */
export function filesBehind(path: string, hashes: readonly CodeHash[]): string[] {
  const files = new Set(hashes.flatMap((each) => each.files));
  files.delete(path);
  return [...files].sort();
}
