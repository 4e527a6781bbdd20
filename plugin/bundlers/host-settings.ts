/** What a host's own configuration says that the compiler has to know: the root, aliases, and what the build replaces. */
import type { HashOptions } from "../options.ts";

export interface HostSettings {
  readonly root: string | undefined;
  readonly alias: NonNullable<HashOptions["alias"]>;
  readonly defines: Readonly<Record<string, string>>;
}

/** webpack's and Rspack's compiler, as far as it is read. */
interface WebpackCompiler {
  readonly context: string;
  readonly options: { readonly resolve?: { readonly alias?: unknown } };
}

/** `resolve.alias`, in both of its forms. What `DefinePlugin` replaces can't be asked for: name it in `hash.defines`. */
export function ofWebpack(compiler: unknown): HostSettings {
  const { context, options } = compiler as WebpackCompiler;
  const given = options.resolve?.alias || {};
  const rows: [name: string, target: unknown, exact: boolean][] = Array.isArray(given)
    ? given.map(({ name, alias, onlyModule }) => [name, alias, !!onlyModule])
    : Object.entries(given).map(([name, target]) => [name.replace(/\$$/, ""), target, name.endsWith("$")]);
  const alias = rows.flatMap(([name, target, exact]) => {
    // The first of several targets; `false` is a module that is left empty.
    const replacement = Array.isArray(target) ? target[0] : target;
    return typeof replacement === "string" ? [aliasOf(name, replacement, exact)] : [];
  });
  return { root: context, alias, defines: {} };
}

interface EsbuildOptions {
  readonly absWorkingDir?: string;
  readonly alias?: Readonly<Record<string, string>>;
  readonly define?: Readonly<Record<string, string>>;
}

export function ofEsbuild(options: EsbuildOptions): HostSettings {
  const alias = Object.entries(options.alias ?? {}).map(([name, target]) => aliasOf(name, target, false));
  return { root: options.absWorkingDir, alias, defines: options.define ?? {} };
}

interface FarmConfig {
  readonly root?: string;
  readonly compilation?: {
    readonly resolve?: { readonly alias?: Readonly<Record<string, string>> };
    readonly define?: Readonly<Record<string, unknown>>;
  };
}

export function ofFarm(config: unknown): HostSettings {
  const { root, compilation } = config as FarmConfig;
  const alias = Object.entries(compilation?.resolve?.alias ?? {}).map(([name, target]) => aliasOf(name, target, false));
  const defines = Object.entries(compilation?.define ?? {}).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { root, alias, defines: Object.fromEntries(defines) };
}

/** `a` stands for `a` and for the start of `a/b`, unless it is exact. */
function aliasOf(name: string, replacement: string, exact: boolean): HostSettings["alias"][number] {
  const literal = name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return { find: new RegExp(`^${literal}${exact ? "$" : "(?=$|/)"}`), replacement };
}
