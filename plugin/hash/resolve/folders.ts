/** The files that fit a pattern, with the folders that had to be looked into. */
import { type Dirent, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Listed {
  /** Absolute, sorted. */
  readonly paths: readonly string[];
  readonly folders: readonly string[];
}

/** @param patterns relative to `folder`, or from `root` with a `/`; what fits one that begins with `!` is left out */
export function listFiles(folder: string, root: string, patterns: readonly string[]): Listed {
  const folders = new Set<string>();
  const paths = new Set<string>();
  const absolute = (pattern: string): string =>
    (pattern.startsWith("/") ? join(root, pattern) : join(folder, pattern)).replaceAll("\\", "/");
  const excluded = patterns.flatMap((each) => {
    if (!each.startsWith("!")) return [];
    return toRegExp(each.startsWith("!**") ? each.slice(1) : absolute(each.slice(1)));
  });
  for (const pattern of patterns) {
    if (pattern.startsWith("!")) continue;
    const full = absolute(pattern);
    const fits = toRegExp(full);
    const isDeep = full.includes("**");
    const base = dirname(full.slice(0, full.search(/[*?{[]|$/) + 1));
    const visit = (at: string, depth: number): void => {
      folders.add(at);
      for (const entry of entriesOf(at)) {
        const path = `${at}/${entry.name}`;
        if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
        if (entry.isDirectory()) {
          if (isDeep || depth > 1) visit(path, depth - 1);
        } else if (fits.test(path) && !excluded.some((each) => each.test(path))) paths.add(path);
      }
    };
    visit(base, full.slice(base.length + 1).split("/").length);
  }
  return { paths: [...paths].sort(), folders: [...folders] };
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // there is none, or no longer
  }
}

/** `*` within a folder, `**` through all below, `?`, `{a,b}`, `[ab]`. An extension that is left out is any. */
function toRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/?|\*|\?|\{[^}]*\}|\[[^\]]*\]|[.+^$()|\\]/g, (token) => {
    if (token.startsWith("**")) return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("{")) return `(?:${token.slice(1, -1).split(",").join("|")})`;
    return token.startsWith("[") ? token : `\\${token}`;
  });
  return new RegExp(`^${source}(?:\\.\\w+)?$`);
}
