/** What every entry of the plugin takes, resolved once. Unknown names are refused. */
import { nearest } from "./core/diagnostics.ts";
import type { ModuleOptions } from "./core/module.ts";

/** Options of the plugin, the same for every host. */
export interface PluginOptions {
  /** The folder that ids are relative to. Default: the host's root, else the working directory. */
  readonly root?: string;
  /** Which parser reads the source. Both give the same ids and hashes. Default `"swc"`. */
  readonly route?: "swc" | "babel";
}

export interface EntryOptions extends PluginOptions {
  /** Path of the file. */
  readonly filename: string;
  /** The module system of the file, where the caller knows it. Default: by its extension and what it holds. */
  readonly system?: "module" | "commonjs";
}

const NAMES = ["root", "route", "filename", "system"];

/** Fills in defaults. Throws a TypeError with a suggestion for an unknown option or value. */
export function resolveOptions(options: EntryOptions): ModuleOptions & { readonly route: "swc" | "babel" } {
  checkOptions(options, NAMES);
  const { filename, root = process.cwd(), route = "swc", system } = options;
  if (typeof filename !== "string") throw new TypeError("kept: `filename` must be the path of the file.");
  return { filename, root, route, ...(system ? { system } : {}) };
}

/** Refuses what nobody would read. */
export function checkOptions(options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    throw new TypeError(
      `kept: unknown plugin option \`${name}\`.${meant ? ` Did you mean \`${meant}\`?` : ` The options are: ${names.join(", ")}.`}`,
    );
  }
  const { route } = options as PluginOptions;
  if (route !== undefined && route !== "swc" && route !== "babel") {
    const meant = nearest(String(route), ["swc", "babel"]);
    throw new TypeError(
      `kept: unknown route ${JSON.stringify(route)}: it is "swc" or "babel".${meant ? ` Did you mean "${meant}"?` : ""}`,
    );
  }
}
