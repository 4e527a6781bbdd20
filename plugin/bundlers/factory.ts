/** The plugin that every bundler gets, by unplugin. */
import { createUnplugin, type UnpluginInstance } from "unplugin";
import { compiledWarning, wasCompiled } from "../compiled.ts";
import { format } from "../core/diagnostics.ts";
import { CONTENT_FILTER } from "../core/directive.ts";
import { transformWith } from "../core/transform.ts";
import { checkOptions, type HashOptions, type PluginOptions } from "../options.ts";
import { routeNamed } from "../routes.ts";
import { hashModuleOf, loadHashModule, RESOLVED, resolveHashModule } from "./hash-modules.ts";
import { type HostSettings, ofEsbuild, ofFarm, ofWebpack } from "./host-settings.ts";

/**
 * Source files, also with the queries that hosts append to them; but not `?raw` and the like, whose content is another
 * module that only quotes the source.
 */
const SOURCE_FILE = /\.[cm]?[jt]sx?(?:\?(?!.*\b(?:raw|url|inline|worker|sharedworker)\b).*)?$/;

/**
 * Runs first, on the source as its author wrote it. Both filters are declared to the host, so that one that knows
 * filters makes no call for other files.
 */
export const kept: UnpluginInstance<PluginOptions | undefined, false> = createUnplugin<
  PluginOptions | undefined,
  false
>((options = {}, { framework }) => {
  checkOptions(options, ["root", "route", "hash"]);
  let root = options.root ?? process.cwd();
  let hash = options.hash ?? {};
  const settings = () => ({ root, hash });
  const route = () => routeNamed(options.route ?? "swc");
  const take = (host: HostSettings) => {
    root = options.root ?? host.root ?? root;
    hash = {
      ...options.hash,
      alias: [...(options.hash?.alias ?? []), ...host.alias],
      defines: { ...host.defines, ...options.hash?.defines },
    };
  };
  const isRollupLike = framework === "vite" || framework === "rollup" || framework === "rolldown";
  return {
    name: "kept",
    enforce: "pre",
    vite: {
      configResolved: (config: ViteConfig) =>
        take({ root: config.root, alias: aliasesOf(config), defines: definesOf(config) }),
    },
    webpack: (compiler) => take(ofWebpack(compiler)),
    rspack: (compiler) => take(ofWebpack(compiler)),
    farm: { configResolved: (config: ViteConfig) => take(ofFarm(config)) },
    esbuild: {
      // A filter of Go's, which knows no lookahead; esbuild has none for content.
      onLoadFilter: /\.[cm]?[jt]sx?$/,
      config: (config: Parameters<typeof ofEsbuild>[0]) => take(ofEsbuild(config)),
    },
    ...(isRollupLike && {
      resolveId: {
        filter: { id: /^virtual:kept\// },
        handler: resolveHashModule,
      },
      load: {
        filter: { id: RESOLVED },
        handler(id) {
          const { code, files } = loadHashModule(id, route(), settings());
          for (const file of files) this.addWatchFile(file);
          return { code, map: null, moduleType: "js" } as never;
        },
      },
    }),
    transform: {
      // Rollup and Rolldown have no `enforce`; with this the place in the list of plugins doesn't matter.
      order: "pre",
      filter: { id: { include: SOURCE_FILE, exclude: /[\\/]node_modules[\\/]/ }, code: CONTENT_FILTER },
      handler(source, id) {
        const hashModule = isRollupLike ? hashModuleOf(id, root) : undefined;
        const result = transformWith(route(), source, {
          ...settings(),
          filename: id,
          ...(hashModule !== undefined && { hashModule }),
        });
        if (!result) return undefined;
        for (const diagnostic of result.diagnostics) this.warn(format(diagnostic));
        if (wasCompiled(source, id, route())) this.warn(compiledWarning(id, "Put kept() first in `plugins`."));
        // The virtual module watches them itself; CommonJS has the hashes in the text.
        if (hashModule === undefined || !result.code.includes(JSON.stringify(hashModule)))
          for (const file of result.files) this.addWatchFile(file);
        // Bun chains no maps: it would only take the text of this one into its own.
        return { code: result.code, map: (framework === "bun" ? null : result.map) as never };
      },
    },
  };
});

/** What is used of Vite's resolved configuration. */
interface ViteConfig {
  readonly root: string;
  readonly resolve: { readonly alias: readonly { readonly find: string | RegExp; readonly replacement: string }[] };
  readonly define?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, unknown>>;
}

/** Without Vite's own. */
function aliasesOf({ resolve: { alias } }: ViteConfig): NonNullable<HashOptions["alias"]> {
  return alias
    .filter(({ find }) => !String(find).includes("@vite"))
    .map(({ find, replacement }) => ({ find, replacement }));
}

/** What Vite writes in the place of an expression. */
function definesOf({ define = {}, env = {} }: ViteConfig): Record<string, string> {
  const own = Object.entries(env).map(([name, value]) => [`import.meta.env.${name}`, JSON.stringify(value)]);
  const users = Object.entries(define).map(([name, value]) => [
    name,
    typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined"),
  ]);
  return Object.fromEntries([...own, ...users]);
}
