/** `kept clear`: results on disk, thrown away by function, by tag, or all of them. */
import { nearest } from "../core/diagnostics.ts";
import { type Disk, inBytes, type Report } from "./stored.ts";

export interface Cleared {
  readonly dir: string;
  readonly what: string;
  /** Undefined: of a tag, for what had it stays until someone asks for it. */
  readonly entries: number | undefined;
  readonly bytes: number | undefined;
  readonly failures: Report["failures"];
}

export type Target = { readonly function: string } | { readonly tag: string } | { readonly all: true };

export class NoSuchFunction extends Error {}

/** @throws NoSuchFunction if nothing is kept of a function of that name */
export function clear(disk: Disk, dir: string, target: Target): Cleared {
  const report = disk.readDisk(dir);
  const { failures } = report;
  const store = disk.diskStore({ dir });
  try {
    if ("tag" in target) {
      store.remove({ tag: target.tag });
      return { dir, what: `the tag \`${target.tag}\``, entries: undefined, bytes: undefined, failures };
    }
    const sites = "all" in target ? undefined : sitesOf(report, target.function);
    const gone = sites === undefined ? report.entries : report.entries.filter(({ site }) => sites.includes(site ?? ""));
    if (sites === undefined) store.remove({});
    else for (const site of sites) store.remove({ site });
    const bytes = gone.reduce((sum, each) => sum + each.bytes, 0);
    return { dir, what: sites?.join(", ") ?? "everything", entries: gone.length, bytes, failures };
  } finally {
    store.close();
  }
}

/** By id, or by the name behind its `#`. */
function sitesOf({ entries, dir }: Report, name: string): string[] {
  const known = [...new Set(entries.flatMap(({ site }) => site ?? []))];
  const meant = known.filter((site) => site === name || site.endsWith(`#${name}`));
  if (meant.length > 0) return meant;
  const like = nearest(
    name,
    known.flatMap((site) => [site, site.slice(site.indexOf("#") + 1)]),
  );
  const sealed = entries.some(({ state }) => state === "sealed");
  throw new NoSuchFunction(
    `Nothing is kept of \`${name}\` in ${dir}.${like ? ` Did you mean \`${like}\`?` : ""}${
      sealed
        ? " Entries that `configure({ secret })` has sealed don't say whose they are: `clear` in the program finds them."
        : ""
    }`,
  );
}

export function printCleared({ dir, what, entries, bytes, failures }: Cleared): string {
  const amount =
    entries === undefined
      ? "what has it is not served any more"
      : `${entries} ${entries === 1 ? "entry" : "entries"}, ${inBytes(bytes ?? 0)}`;
  return [
    `Cleared ${what} in ${dir}: ${amount}.`,
    ...failures.map(({ path, message }) => `${path} can't be looked at: ${message}`),
  ].join("\n");
}
