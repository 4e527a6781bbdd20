/**
 * `kept/jest`: a Jest transformer around the project's own. What Kept has edited is compiled by `@swc/jest`, or by the
 * transformer that is named:
 *
 * ```js
 * transform: { "\\.[cm]?[jt]sx?$": ["kept/jest", { transformer: ["@swc/jest", { … }] }] }
 * ```
 *
 * Jest caches by the text of a file, but the code hash depends on other files too. So the key is made of the edited text,
 * where the hashes are: it changes with everything that an annotated function reaches.
 */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { format } from "../core/diagnostics.ts";
import { mayHoldDirective } from "../core/directive.ts";
import { transform } from "../index.ts";
import { checkOptions, type PluginOptions } from "../options.ts";

export interface JestOptions extends PluginOptions {
  /** The transformer around which this one stands, as in Jest's `transform`. Default `"@swc/jest"`. */
  readonly transformer?: string | readonly [name: string, options?: object];
}

/** What is used of Jest's own options of a file. */
interface FileOptions {
  readonly config: { readonly rootDir: string; readonly cwd?: string };
}
type Transformed = string | { code: string; map?: unknown };
interface Transformer {
  readonly canInstrument?: boolean;
  process?(source: string, path: string, options: FileOptions): Transformed;
  processAsync?(source: string, path: string, options: FileOptions): Promise<Transformed>;
  getCacheKey?(source: string, path: string, options: FileOptions): string;
  getCacheKeyAsync?(source: string, path: string, options: FileOptions): Promise<string>;
}

/** Raised with every change of what is written for the same source. */
const SCHEME = "kept/jest 1";

/** Called by Jest for each project. Throws a TypeError for an unknown option. */
export function createTransformer(options: JestOptions = {}): Transformer {
  checkOptions(options, ["root", "route", "hash", "transformer"]);
  const { transformer = "@swc/jest", ...plugin } = options;
  const inner = innerTransformer(transformer, options.root ?? process.cwd());
  const edit = (source: string, filename: string, { config }: FileOptions): string => {
    if (!mayHoldDirective(source)) return source;
    const result = transform(source, { root: config.rootDir, ...plugin, filename });
    if (!result) return source;
    for (const diagnostic of result.diagnostics) console.warn(format(diagnostic));
    // A map in the text is read by every transformer.
    const map = Buffer.from(JSON.stringify(result.map)).toString("base64");
    return `${result.code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`;
  };
  const key = (own: string | undefined, edited: string): string =>
    createHash("sha256")
      .update(JSON.stringify([SCHEME, own, edited]))
      .digest("hex")
      .slice(0, 32);

  return {
    canInstrument: inner.canInstrument ?? false,
    ...(inner.process && {
      process: (source, path, file) => inner.process!(edit(source, path, file), path, file),
      getCacheKey(source, path, file) {
        const edited = edit(source, path, file);
        return key(inner.getCacheKey?.(edited, path, file), `${path}\0${edited}`);
      },
    }),
    ...((inner.processAsync || inner.process) && {
      processAsync: async (source, path, file) => {
        const edited = edit(source, path, file);
        return inner.processAsync ? inner.processAsync(edited, path, file) : inner.process!(edited, path, file);
      },
      getCacheKeyAsync: async (source, path, file) => {
        const edited = edit(source, path, file);
        const own = inner.getCacheKeyAsync
          ? await inner.getCacheKeyAsync(edited, path, file)
          : inner.getCacheKey?.(edited, path, file);
        return key(own, `${path}\0${edited}`);
      },
    }),
  };
}

/** The transformer by its name, as the project has it. ES modules too: Node 20.19 and later can require them. */
function innerTransformer(given: NonNullable<JestOptions["transformer"]>, folder: string): Transformer {
  const [name, options] = typeof given === "string" ? [given] : given;
  let module: { createTransformer?: (options?: object) => Transformer; default?: unknown };
  try {
    module = createRequire(join(folder, "package.json"))(name);
  } catch (cause) {
    throw new Error(
      `kept/jest compiles with ${name}, which can't be loaded:\n\n  npm i -D ${name}\n\nor name another: ["kept/jest", { transformer: "babel-jest" }].`,
      { cause },
    );
  }
  const found = (module.createTransformer ? module : (module.default ?? module)) as typeof module;
  return found.createTransformer ? found.createTransformer(options) : (found as Transformer);
}

export default { createTransformer };
