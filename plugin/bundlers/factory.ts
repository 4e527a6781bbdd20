/** The plugin that every bundler gets: Rollup's shape, which Vite, Rollup and Rolldown take as it is. */
import type { UnpluginContextMeta, UnpluginOptions } from "unplugin";
import type { Build } from "../build.ts";
import { compiledWarning } from "../compiled.ts";
import { format } from "../core/diagnostics.ts";
import { CONTENT_FILTER, mayHoldDirective } from "../core/directive.ts";
import { checkOptions, type HashOptions, type PluginOptions } from "../options.ts";
import { fileOfHashModule, hashModuleCode, hashModuleOf, RESOLVED, resolveHashModule } from "./hash-modules.ts";
import { type HostSettings, ofEsbuild, ofFarm, ofWebpack } from "./host-settings.ts";

/**
 * Source files, also with the queries that hosts append to them; but not `?raw` and the like, whose content is another
 * module that only quotes the source.
 */
const SOURCE_FILE = /\.[cm]?[jt]sx?(?:\?(?!.*\b(?:raw|url|inline|worker|sharedworker)\b).*)?$/;
export const INSTALLED = /[\\/]node_modules[\\/]/;

/** Rollup and Rolldown have no `enforce`; with this the place in the list of plugins doesn't matter. */
const FIRST = { order: "pre" } as const;

type Framework = UnpluginContextMeta["framework"];

/**
 * Runs first, on the source as its author wrote it. All filters are declared to the host, so that one that knows filters
 * makes no call for other files; what the handlers look at again is for the others (Rollup before 4.40).
 */
export function makePlugin(options: PluginOptions = {}, framework: Framework): UnpluginOptions {
  checkOptions(options, ["root", "route", "hash"]);
  let root = options.root ?? process.cwd();
  let hash = options.hash ?? {};
  let current: Build | undefined;
  let isBegun = false;
  // Loaded while the host finds its files, and not before it starts.
  const build = async (): Promise<Build> => {
    const { Build } = await import("../build.ts");
    current ??= new Build({ ...options, root, hash });
    if (isBegun) current.begin();
    isBegun = false;
    return current;
  };
  const take = (host: HostSettings) => {
    root = options.root ?? host.root ?? root;
    hash = {
      ...options.hash,
      alias: [...(options.hash?.alias ?? []), ...host.alias],
      defines: { ...host.defines, ...options.hash?.defines },
    };
    current = undefined;
  };
  const isWebpackLike = framework === "webpack" || framework === "rspack";
  const isRollupLike = framework === "vite" || framework === "rollup" || framework === "rolldown";
  // A dev server begins once and never ends; of the others it is not known what begins a build.
  let asksAtAnyTime = framework === "farm" || framework === "bun";
  return {
    name: "kept",
    enforce: "pre",
    vite: {
      configResolved(config: ViteConfig) {
        asksAtAnyTime = config.command !== "build";
        take({ root: config.root, alias: aliasesOf(config), defines: definesOf(config) });
      },
    },
    webpack: (compiler) => take(ofWebpack(compiler)),
    rspack: (compiler) => take(ofWebpack(compiler)),
    farm: { configResolved: (config: ViteConfig) => take(ofFarm(config)) },
    esbuild: {
      config: (config: Parameters<typeof ofEsbuild>[0]) => take(ofEsbuild(config)),
    },
    buildStart() {
      isBegun = !asksAtAnyTime;
      // Until the host has found the first file of ours it has nothing for JavaScript to do. What fails now will fail then.
      if (isBegun)
        build()
          .then((begun) => begun.prepare())
          .catch(ignore);
    },
    buildEnd() {
      current?.end();
    },
    ...(isRollupLike && {
      resolveId: {
        filter: { id: /^virtual:kept\// },
        handler: resolveHashModule,
      },
      load: {
        filter: { id: RESOLVED },
        async handler(id) {
          if (!RESOLVED.test(id)) return undefined;
          const file = fileOfHashModule(id, root);
          const fileOptions = { filename: file, hashModule: hashModuleOf(file, root) };
          const { codes, files, diagnostics } = await (await build()).hashes(file, fileOptions);
          for (const diagnostic of diagnostics) this.warn(format(diagnostic));
          for (const each of files) this.addWatchFile(each);
          return { code: hashModuleCode(codes), map: null, moduleType: "js" } as never;
        },
      },
    }),
    transform: {
      ...FIRST,
      filter: { id: { include: SOURCE_FILE, exclude: INSTALLED }, code: CONTENT_FILTER },
      async handler(source, id) {
        if (!SOURCE_FILE.test(id) || INSTALLED.test(id) || !mayHoldDirective(source)) return undefined;
        const hashModule = isRollupLike ? hashModuleOf(id, root) : undefined;
        const fileOptions = { filename: id, ...(hashModule !== undefined && { hashModule }) };
        const output = await (await build()).transform(source, fileOptions);
        if (!output) return undefined;
        for (const diagnostic of output.diagnostics) this.warn(format(diagnostic));
        if (output.isCompiled)
          this.warn(compiledWarning(id, isWebpackLike ? NO_OTHER_PRE : "Put kept() first in `plugins`."));
        for (const file of output.files) this.addWatchFile(file);
        // Bun chains no maps: it would only take the text of this one into its own.
        return { code: output.code, map: (framework === "bun" ? null : output.map) as never };
      },
    },
  };
}

const ignore = (): void => {};

/** In webpack and Rspack the plugin is a rule of its own with `enforce: "pre"`, wherever it stands. */
const NO_OTHER_PRE = 'Take `enforce: "pre"` off the rule of the other compiler.';

/** What is used of Vite's resolved configuration. */
interface ViteConfig {
  readonly root: string;
  readonly command: "build" | "serve";
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
