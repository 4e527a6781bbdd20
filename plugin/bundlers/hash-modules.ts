/**
 * How the code hash travels in Vite, Rollup and Rolldown: each file with annotated functions imports a virtual module
 * that holds their hashes, and that module is made anew when any file behind a hash changes. A literal in the file itself
 * would go stale in Vite's dev server, which does not transform a module again because of what it imports.
 */
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { projectOf, type Route, type TransformOptions, transformWith } from "../core/transform.ts";

const PREFIX = "virtual:kept/";

/** As resolved: `\0` says to other plugins that this is no file. */
export const RESOLVED = /^\0virtual:kept\//;

/** `virtual:kept/src/rides.ts.js` for `<root>/src/rides.ts`. Hosts may tidy `..` away, so it is spelt `~`. */
export function hashModuleOf(file: string, root: string): string {
  const path = relative(root, file.replace(/[?#].*$/, "")).replaceAll("\\", "/");
  return `${PREFIX}${path.replaceAll("../", "~/")}.js`;
}

export function resolveHashModule(id: string): string | undefined {
  return id.startsWith(PREFIX) ? `\0${id}` : undefined;
}

export interface HashModule {
  readonly code: string;
  /** Absolute paths to watch. */
  readonly files: readonly string[];
}

/** The hashes as they are now, by site id. */
export function loadHashModule(id: string, route: Route, options: Omit<TransformOptions, "filename">): HashModule {
  const path = id.slice(PREFIX.length + 1, -".js".length).replaceAll("~/", "../");
  const file = resolve(options.root, path);
  const project = projectOf(route, options);
  // A host with a cache of its own need not have transformed the file in this process.
  if (!project.hashAgain(file)) transformWith(route, readFileSync(file, "utf8"), { ...options, filename: file });
  const hashes = project.hashAgain(file) ?? new Map();
  const files = new Set<string>([file]);
  for (const each of hashes.values()) for (const reached of each.files) files.add(reached);
  const entries = [...hashes].map(([site, { hash }]) => `  ${JSON.stringify(site)}: ${JSON.stringify(hash)},\n`);
  return { code: `export default {\n${entries.join("")}};\n`, files: [...files] };
}
