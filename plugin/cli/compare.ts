/** Two states of a project: which functions have another hash now, and which of the code behind them is why. */
import type { Reached, Scan, ScannedSite } from "./scan.ts";

export interface Cause {
  readonly what: "changed" | "new" | "gone" | "rewired" | "version";
  /** `src/parse.ts#parse`; of a package, `zod 4.0.0 → 4.1.0`. */
  readonly title: string;
  readonly line: number | null;
  /** From the function to it, both included. */
  readonly path: readonly string[];
}

export interface Change {
  readonly id: string;
  readonly before: string;
  readonly after: string;
  /** What changed itself, not what merely refers to it. The function's own code comes first. */
  readonly causes: readonly Cause[];
}

export interface Comparison {
  /** Functions that are in both states. */
  readonly compared: number;
  readonly changed: readonly Change[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export function compare(before: Scan, after: Scan): Comparison {
  const old = new Map(before.sites.map((site) => [site.id, site]));
  const now = new Map(after.sites.map((site) => [site.id, site]));
  const both = after.sites.filter((site) => old.has(site.id));
  return {
    compared: both.length,
    changed: both.flatMap((site) => {
      const was = old.get(site.id) as ScannedSite;
      return was.code === site.code
        ? []
        : [{ id: site.id, before: was.code, after: site.code, causes: causesOf(was, site) }];
    }),
    added: [...now.keys()].filter((id) => !old.has(id)),
    removed: [...old.keys()].filter((id) => !now.has(id)),
  };
}

/** Content that is on one side only. By content first: a file that was moved has changed nothing. */
export function causesOf(before: ScannedSite, after: ScannedSite): Cause[] {
  const oldLabels = new Set(before.reach.map(contentOf));
  const newLabels = new Set(after.reach.map(contentOf));
  const gone = before.reach.filter((each) => !newLabels.has(contentOf(each)));
  const came = after.reach.filter((each) => !oldLabels.has(contentOf(each)));
  const goneByName = new Map(gone.map((each) => [nameOf(each), each]));
  const causes: Cause[] = [];
  for (const each of came) {
    const was = goneByName.get(nameOf(each));
    if (was) goneByName.delete(nameOf(each));
    if (was && each.kind === "leaf") causes.push({ ...causeOf("version", each, after), title: versions(was, each) });
    else causes.push(causeOf(was ? "changed" : "new", each, after));
  }
  for (const each of goneByName.values()) causes.push(causeOf("gone", each, before));
  if (causes.length === 0) {
    // The same pieces, put together in another way.
    const wired = new Map(before.reach.map((each) => [nameOf(each), each.children.join("\n")]));
    for (const each of after.reach)
      if (wired.has(nameOf(each)) && wired.get(nameOf(each)) !== each.children.join("\n"))
        causes.push(causeOf("rewired", each, after));
  }
  return causes;
}

const contentOf = ({ kind, label }: Reached): string => `${kind} ${label}`;

/** What stays when the content changes: a package's name, a unit's place. */
function nameOf({ kind, title }: Reached): string {
  return `${kind} ${kind === "leaf" ? title.replace(/^(npm:.[^@]*)@[^/#]*/, "$1") : title}`;
}

function versions(before: Reached, after: Reached): string {
  const [, name = after.title, now = ""] = /^npm:(.[^@]*)@([^/#]*)/.exec(after.title) ?? [];
  const was = /^npm:.[^@]*@([^/#]*)/.exec(before.title)?.[1] ?? "";
  return `${name} ${was} → ${now}`;
}

function causeOf(what: Cause["what"], reached: Reached, site: ScannedSite): Cause {
  return { what, title: reached.title, line: reached.line, path: pathTo(reached, site) };
}

export function pathTo(reached: Reached, { reach }: ScannedSite): string[] {
  const byId = new Map(reach.map((each) => [each.id, each]));
  const path: string[] = [];
  for (let at: Reached | undefined = reached; at; at = at.from === null ? undefined : byId.get(at.from))
    if (path[0] !== at.title) path.unshift(at.title);
  return path;
}
