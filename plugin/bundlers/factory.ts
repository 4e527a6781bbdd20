/** The plugin that every bundler gets, by unplugin. */
import { createUnplugin, type UnpluginInstance } from "unplugin";
import { format } from "../core/diagnostics.ts";
import { CONTENT_FILTER } from "../core/directive.ts";
import { transform } from "../index.ts";
import { checkOptions, type PluginOptions } from "../options.ts";

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
>((options = {}) => {
  checkOptions(options, ["root", "route"]);
  let root = options.root ?? process.cwd();
  return {
    name: "kept",
    enforce: "pre",
    vite: {
      configResolved(config) {
        root = options.root ?? config.root;
      },
    },
    transform: {
      // Rollup and Rolldown have no `enforce`; with this the place in the list of plugins doesn't matter.
      order: "pre",
      filter: { id: { include: SOURCE_FILE, exclude: /[\\/]node_modules[\\/]/ }, code: CONTENT_FILTER },
      handler(source, id) {
        const result = transform(source, { ...options, filename: id, root });
        if (!result) return undefined;
        for (const diagnostic of result.diagnostics) this.warn(format(diagnostic));
        for (const file of result.files) this.addWatchFile(file);
        return { code: result.code, map: result.map as never };
      },
    },
  };
});
