/** Every annotated function of a project, with what its code reaches. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { TransformError } from "../core/diagnostics.ts";
import { mayHoldDirective } from "../core/directive.ts";
import { projectOf, type Site, transformWith } from "../core/transform.ts";
import { type Kind, kindOf, rootOf } from "../hash/link.ts";
import type { HashOptions } from "../options.ts";
import { routeNamed } from "../routes.ts";

export interface ScanOptions {
  readonly root: string;
  readonly route: "swc" | "babel";
  readonly hash?: HashOptions;
}

export interface ScannedSite extends Site {
  readonly reach: readonly Reached[];
}

/** One piece of code that a function reaches. */
export interface Reached {
  readonly id: string;
  readonly kind: Kind;
  /** `src/parse.ts#parse`, `npm:zod@4.1.0#z`; relative to the root. */
  readonly title: string;
  readonly line: number | null;
  /** Its own content, without what it reaches in turn. */
  readonly label: string;
  /** Titles of what it refers to, in order. */
  readonly children: readonly string[];
  /** Who leads to it, on the shortest way. */
  readonly from: string | null;
  readonly reason: string;
}

export interface Scan {
  readonly sites: readonly ScannedSite[];
  /** Files that are refused or don't parse. */
  readonly failures: readonly { readonly file: string; readonly message: string }[];
}

const SOURCE = /(?<!\.d)\.[cm]?[jt]sx?$/;

/** @param only paths relative to the root; default: all of the project's own source files */
export function scan(options: ScanOptions, only?: readonly string[]): Scan {
  const sites: ScannedSite[] = [];
  const failures: { file: string; message: string }[] = [];
  const root = resolve(options.root);
  const route = routeNamed(options.route);
  const settings = { root, ...(options.hash ? { hash: options.hash } : {}) };
  for (const path of only ?? sourceFiles(root)) {
    const file = join(root, path);
    const source = readFileSync(file, "utf8");
    if (!mayHoldDirective(source)) continue;
    try {
      const result = transformWith(route, source, { ...settings, filename: file });
      const project = projectOf(route, settings);
      for (const site of result?.sites ?? [])
        sites.push({ ...site, reach: [...reachOf(project, rootOf(file, site.id), root)] });
    } catch (error) {
      const message = error instanceof TransformError ? (error.diagnostics[0]?.message ?? "") : String(error);
      failures.push({ file: path, message });
    }
  }
  return { sites, failures };
}

function* reachOf(project: ReturnType<typeof projectOf>, rootId: string, root: string): Generator<Reached> {
  const prefix = `${root.replaceAll("\\", "/")}/`;
  const tidy = (title: string): string => title.replaceAll(prefix, "");
  for (const { id, node, from } of project.reach(rootId)) {
    const children = [...node.ordered, ...node.unordered].map(
      (child) => `${kindOf(child)} ${tidy(project.titleOf(child))}`,
    );
    const reason = from === null ? "" : reasonOf(kindOf(id), kindOf(from), project.isContributor(from, id));
    yield {
      id,
      kind: kindOf(id),
      title: tidy(node.title),
      line: node.line ?? null,
      label: node.label,
      children,
      from,
      reason,
    };
  }
}

/** Why the one depends on the other, in words. */
function reasonOf(kind: Kind, from: Kind, isContributor: boolean): string {
  if (isContributor) return "assigns it or changes it";
  switch (kind) {
    case "binding":
      return from === "namespace" ? "export of a namespace that is passed on" : "used";
    case "unit":
      return from === "binding" ? "declares it" : from === "root" ? "holds it" : "runs when the module is loaded";
    case "namespace":
      return "namespace that is passed on";
    case "whole":
      return "CommonJS exports that can't be told apart";
    case "residue":
    case "effects":
      return "statements that run when the module is loaded";
    case "json":
      return "value read";
    case "bytes":
      return "content";
    case "closure":
      return "code that can't be followed";
    default:
      return "package or builtin";
  }
}

/** As git sees them: what is ignored is no source. Without git, all but installed packages and hidden folders. */
export function sourceFiles(root: string): string[] {
  const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const files = listed.status === 0 ? listed.stdout.split("\0") : walk(root, "");
  return files
    .filter((path) => SOURCE.test(path) && !/(?:^|\/)node_modules\//.test(path))
    .filter((path) => isThere(root, path));
}

function isThere(root: string, path: string): boolean {
  try {
    readFileSync(join(root, path));
    return true;
  } catch {
    return false; // deleted, and not yet committed
  }
}

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (!entry.isDirectory()) return [path];
    return entry.name === "node_modules" || entry.name.startsWith(".") ? [] : walk(root, path);
  });
}
