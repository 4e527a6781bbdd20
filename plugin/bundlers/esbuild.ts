/**
 * `kept/esbuild`: `plugins: [kept()]`. Not by unplugin: esbuild has no filter for content, so it asks for every file of the
 * build, and most of what Kept costs there is to say no. Each is read at once and let go, without a promise.
 */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { BuildOptions, OnLoadArgs, OnLoadResult, Plugin } from "esbuild";
import type { UnpluginOptions } from "unplugin";
import { mayHoldDirective } from "../core/directive.ts";
import type { SourceMap } from "../core/draft.ts";
import type { PluginOptions } from "../options.ts";
import { INSTALLED, makePlugin } from "./factory.ts";

/** A filter of Go's, which knows no lookahead. */
const SOURCE_FILE = /\.[cm]?[jt]sx?$/;

const kept = (options?: PluginOptions): Plugin => {
  const plugin = makePlugin(options, "esbuild");
  return {
    name: "kept",
    setup(build) {
      plugin.esbuild?.config?.(build.initialOptions);
      build.onStart(plugin.buildStart as () => void);
      build.onEnd(plugin.buildEnd as () => void);
      build.onLoad({ filter: SOURCE_FILE, namespace: "file" }, (args) => {
        if (INSTALLED.test(args.path) || !isProgram(args, build.initialOptions)) return undefined;
        const source = readIfThere(args.path);
        return source !== undefined && mayHoldDirective(source) ? load(plugin, source, args) : undefined;
      });
    },
  };
};
export default kept;

/** Not what is imported as text (`with { type: "text" }`, `loader: { ".ts": "copy" }`): that only quotes a program. */
function isProgram({ path, with: attributes }: OnLoadArgs, { loader = {} }: BuildOptions): boolean {
  if (attributes?.type !== undefined) return false;
  const name = basename(path);
  // Of `a.worker.ts`, `.worker.ts` comes before `.ts`.
  for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
    const chosen = loader[name.slice(at)];
    if (chosen !== undefined) return PROGRAMS.has(chosen);
  }
  return true;
}

const PROGRAMS: ReadonlySet<string> = new Set(["js", "jsx", "ts", "tsx", "default"]);

async function load(
  { transform }: UnpluginOptions,
  source: string,
  { path, suffix }: OnLoadArgs,
): Promise<OnLoadResult | undefined> {
  const { handler } = transform as unknown as { handler: Handler };
  const warnings: { text: string }[] = [];
  const watchFiles: string[] = [path];
  const context = {
    warn: (text: string) => void warnings.push({ text }),
    addWatchFile: (file: string) => void watchFiles.push(file),
  };
  const output = await handler.call(context, source, path + suffix);
  if (!output) return undefined;
  const map = Buffer.from(JSON.stringify(output.map)).toString("base64");
  const contents = `${output.code}\n//# ${MAPPING}=data:application/json;charset=utf-8;base64,${map}`;
  return { contents, warnings, watchFiles, resolveDir: dirname(path), loader: "default" };
}

/** Apart, or whoever loads this file takes it for one with a map. */
const MAPPING = "sourceMappingURL";

type Handler = (
  this: { warn(text: string): void; addWatchFile(file: string): void },
  source: string,
  id: string,
) => Promise<{ readonly code: string; readonly map: SourceMap } | undefined>;

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // esbuild says what is wrong.
    return undefined;
  }
}
