/** What the commands say: to a terminal, and (diff) as Markdown that fits a comment. */
import type { Cause, Change, Comparison } from "./compare.ts";
import type { Reached, Scan, ScannedSite } from "./scan.ts";

export function printExplanation({ sites, failures }: Scan): string {
  const parts = sites.map((site) => `${describe(site)}\n${tree(site)}`);
  for (const { file, message } of failures) parts.push(`${file}: ${message}`);
  return parts.join("\n\n");
}

function describe({ id, kind, code, hashed, excluded, captured, options }: ScannedSite): string {
  const list = (names: readonly string[]) => (names.length > 0 ? names.join(", ") : "–");
  const parameters = hashed.filter((name) => !captured.includes(name));
  return [
    `${id}  "use cache ${kind}"`,
    `  hash      ${code}`,
    `  keyed     ${list(parameters)}`,
    `  captured  ${list(captured)}`,
    `  excluded  ${list(excluded)}`,
    `  options   ${Object.keys(options).length > 0 ? JSON.stringify(options) : "–"}`,
    "  reaches",
  ].join("\n");
}

/** Each piece once, under the one that leads to it by the shortest way. A name and its declaration are one line. */
function tree({ reach }: ScannedSite): string {
  const children = new Map<string, Reached[]>();
  for (const each of reach) {
    if (each.from === null) continue;
    const list = children.get(each.from);
    if (list) list.push(each);
    else children.set(each.from, [each]);
  }
  const lines: string[] = [];
  const write = (parent: Reached, depth: number): void => {
    for (const each of children.get(parent.id) ?? []) {
      const isDeclaration = parent.kind === "binding" && each.kind === "unit" && each.title === parent.title;
      if (!isDeclaration) lines.push(`${"  ".repeat(depth)}${each.title}  (${each.reason})`);
      write(each, isDeclaration ? depth : depth + 1);
    }
  };
  write(reach[0] as Reached, 2);
  return lines.length > 0 ? lines.join("\n") : "    nothing but itself";
}

export function printChange({ id, before, after, causes }: Change): string {
  return `${id}\n  ${before}\n→ ${after}\n\n${causes.map(printCause).join("\n\n")}`;
}

const WORDS: Readonly<Record<Cause["what"], string>> = {
  changed: "changed",
  new: "is reached now",
  gone: "is not reached any more",
  rewired: "uses the same code in another way",
  version: "",
};

function printCause({ what, title, line, path }: Cause): string {
  const at = line === null ? "" : ` (line ${line})`;
  const way = path.map((each, depth) => `${"  ".repeat(depth + 1)}${depth > 0 ? "→ " : ""}${each}`).join("\n");
  return `${title}${at} ${WORDS[what]}\n${way}`.replace(/ \n/, "\n");
}

/** Markdown: one line to read, and the reasons for who wants them. */
export function printComparison({ compared, changed, added, removed }: Comparison): string {
  const one = changed.length === 1;
  const lines =
    changed.length === 0
      ? [`**This change invalidates none of ${compared} cached functions.**`]
      : [
          `**This change invalidates ${changed.length} of ${compared} cached function${compared === 1 ? "" : "s"}**, because:`,
          "",
        ];
  for (const [cause, ids] of byCause(changed)) lines.push(`- ${cause}: ${ids.map((id) => `\`${id}\``).join(", ")}`);
  if (added.length > 0) lines.push("", `New: ${added.map((id) => `\`${id}\``).join(", ")}`);
  if (removed.length > 0) lines.push("", `Gone: ${removed.map((id) => `\`${id}\``).join(", ")}`);
  void one;
  return lines.join("\n");
}

function byCause(changed: readonly Change[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { id, causes } of changed)
    for (const { what, title } of causes.length > 0 ? causes : [{ what: "rewired", title: id } as const]) {
      const cause = `\`${title}\` ${WORDS[what]}`.trim();
      const ids = found.get(cause);
      if (ids) ids.push(id);
      else found.set(cause, [id]);
    }
  return found;
}
