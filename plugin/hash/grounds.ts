/**
 * What a code hash stands on: every question that was put to the project while it was computed, with its answer. A hash
 * is a function of these answers, and each question follows from the answers before it; so as long as all of them are
 * the same, so is the hash, and nothing has to be parsed or linked to know it. Plain data, kept from build to build.
 */
import type { LinkNode } from "./link.ts";
import type { Files } from "./resolve/files.ts";
import type { Given } from "./resolve/given.ts";
import type { Resolved, Resolver } from "./resolve/index.ts";

export interface Grounds {
  /** Path → digest of the content. */
  readonly contents: Readonly<Record<string, string>>;
  /** File → specifier → what it means there. */
  readonly resolved: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Path → whether it is there. */
  readonly sought: Readonly<Record<string, boolean>>;
}

export function groundsOf(nodes: Iterable<LinkNode>, { files, given }: Resolver): Grounds {
  const contents: Record<string, string> = Object.create(null);
  const resolved: Record<string, Record<string, string>> = Object.create(null);
  const sought: Record<string, boolean> = Object.create(null);
  for (const each of nodes) {
    for (const path of each.files) contents[path] ??= given.digestOf(path);
    for (const path of each.sought) sought[path] ??= files.read(path).isThere;
    for (const [question, answer] of each.resolved) {
      const [file, specifier] = question.split("\0") as [string, string];
      (resolved[file] ??= Object.create(null))[specifier] = spell(answer);
    }
  }
  return { contents, resolved, sought };
}

/** Is every file what it was? Where that is so and its specifiers mean what they meant, so is the hash. */
export function haveSameContents({ contents, sought }: Grounds, files: Files, given: Given): boolean {
  for (const [path, digest] of Object.entries(contents)) if (given.digestOf(path) !== digest) return false;
  for (const [path, isThere] of Object.entries(sought)) if (files.read(path).isThere !== isThere) return false;
  return true;
}

/** Does every specifier mean what it meant? */
export function haveSameMeanings({ resolved }: Grounds, resolver: Resolver): boolean {
  for (const [file, answers] of Object.entries(resolved))
    for (const [specifier, answer] of Object.entries(answers))
      if (spell(resolver.resolve(file, specifier)) !== answer) return false;
  return true;
}

/** All that the graph takes of an answer. */
function spell(resolved: Resolved): string {
  switch (resolved.kind) {
    case "file":
      return `${resolved.bytes ? "bytes" : "file"} ${resolved.path}`;
    case "package":
      return `package ${resolved.package.name}@${resolved.package.version} ${resolved.subpath} ${resolved.package.files.join(" ")}`;
    case "name":
      return `name ${resolved.name}`;
    case "files":
      return `files ${resolved.paths.join(" ")}`;
    case "unresolved":
      return "unresolved";
  }
}
