/** What every entry of the plugin takes, resolved once. Unknown names are refused. */
import { nearest } from "./core/diagnostics.ts";
import type { TransformOptions } from "./core/transform.ts";

/** Options of the plugin, the same for every host. */
export interface PluginOptions {
  /** The folder that ids are relative to. Default: the host's root, else the working directory. */
  readonly root?: string;
  /** Which parser reads the source. Both give the same ids and hashes. Default `"swc"`. */
  readonly route?: "swc" | "babel";
  /** How the code hash follows the code. */
  readonly hash?: HashOptions;
}

export interface HashOptions {
  /**
   * What stands for an installed package: its own version, or also those of everything that it depends on. Default
   * `"version"`.
   */
  readonly packages?: "version" | "closure";
  /** Installed packages (`"lodash"`, `"@acme/*"`) whose source is followed like the project's own. */
  readonly include?: readonly string[];
  /** Specifiers that count by their name alone, whatever is behind them. */
  readonly ignore?: readonly string[];
  /** Aliases that `package.json` and `tsconfig.json` don't know. Vite's own are taken from its configuration. */
  readonly alias?: readonly { readonly find: string | RegExp; readonly replacement: string }[];
  /** Conditions of `exports` in package.json. Default `["node", "import"]`. */
  readonly conditions?: readonly string[];
  /** What the build writes in the place of an expression: `{ "process.env.NODE_ENV": '"production"' }`. */
  readonly defines?: Readonly<Record<string, string>>;
  /**
   * Where what was compiled and what is known about files are kept between builds; `false`: nowhere. Default:
   * `node_modules/.cache/kept`.
   */
  readonly cache?: string | false;
  /** The package of the JSX runtime. Default `"react"`; a `@jsxImportSource` in the file comes first. */
  readonly jsxImportSource?: string;
}

export interface EntryOptions extends PluginOptions {
  /** Path of the file. */
  readonly filename: string;
  /** The module system of the file, where the caller knows it. Default: by its extension and what it holds. */
  readonly system?: "module" | "commonjs";
}

const NAMES = ["root", "route", "hash", "filename", "system"];
const HASH_NAMES = ["packages", "include", "ignore", "alias", "conditions", "defines", "cache", "jsxImportSource"];

/** Fills in defaults. Throws a TypeError with a suggestion for an unknown option or value. */
export function resolveOptions(options: EntryOptions): TransformOptions & { readonly route: "swc" | "babel" } {
  checkOptions(options, NAMES);
  const { filename, root = process.cwd(), route = "swc", system, hash } = options;
  if (typeof filename !== "string") throw new TypeError("kept: `filename` must be the path of the file.");
  return { filename, root, route, ...(system ? { system } : {}), ...(hash ? { hash } : {}) };
}

/** Refuses what nobody would read. */
export function checkOptions(options: object, names: readonly string[]): void {
  const { hash } = options as PluginOptions;
  if (hash) checkNames(hash, HASH_NAMES);
  if (hash?.packages !== undefined && hash.packages !== "version" && hash.packages !== "closure")
    throw new TypeError(`kept: \`hash.packages\` is "version" or "closure", not ${JSON.stringify(hash.packages)}.`);
  checkNames(options, names);
  checkRoute(options as PluginOptions);
}

function checkNames(options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    throw new TypeError(
      `kept: unknown plugin option \`${name}\`.${meant ? ` Did you mean \`${meant}\`?` : ` The options are: ${names.join(", ")}.`}`,
    );
  }
}

function checkRoute({ route }: PluginOptions): void {
  if (route !== undefined && route !== "swc" && route !== "babel") {
    const meant = nearest(String(route), ["swc", "babel"]);
    throw new TypeError(
      `kept: unknown route ${JSON.stringify(route)}: it is "swc" or "babel".${meant ? ` Did you mean "${meant}"?` : ""}`,
    );
  }
}
