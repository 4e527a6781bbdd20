/**
 * How the code hash travels in Vite, Rollup and Rolldown: each file with annotated functions imports a virtual module
 * that holds their hashes, and that module is made anew when any file behind a hash changes. A literal in the file itself
 * would go stale in Vite's dev server, which does not transform a module again because of what it imports.
 */
import { relative, resolve } from "node:path";

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

/** The file whose hashes a resolved module holds. */
export function fileOfHashModule(id: string, root: string): string {
  return resolve(root, id.slice(PREFIX.length + 1, -".js".length).replaceAll("~/", "../"));
}

export function hashModuleCode(codes: ReadonlyMap<string, string>): string {
  const entries = [...codes].map(([site, code]) => `  ${JSON.stringify(site)}: ${JSON.stringify(code)},\n`);
  return `export default {\n${entries.join("")}};\n`;
}
