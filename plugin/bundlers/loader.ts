/**
 * `kept/loader`, for Turbopack and for webpack's `module.rules`. It stands last in its chain, or in a rule with
 * `enforce: "pre"`: it reads the source as its author wrote it. Synchronous; ESM alone, which `require` of Node 20.19 and
 * later loads.
 */
import { compiledWarning, wasCompiled } from "../compiled.ts";
import { format } from "../core/diagnostics.ts";
import type { SourceMap } from "../core/transform.ts";
import { transform } from "../index.ts";
import { besideNext } from "../next.ts";
import { checkOptions, type PluginOptions } from "../options.ts";
import { ownPackage } from "../own-package.ts";
import { routeNamed } from "../routes.ts";

/** What is used of the loader context, which Turbopack has too. */
interface LoaderContext {
  readonly resourcePath: string;
  readonly rootContext: string;
  getOptions(): PluginOptions;
  addDependency(file: string): void;
  emitWarning?(warning: Error): void;
  callback(error: Error | null, code?: string, map?: unknown): void;
}

export default function keptLoader(this: LoaderContext, source: string, map?: SourceMap | string): void {
  const options = this.getOptions() ?? {};
  checkOptions(options, ["root", "route", "hash"]);
  const result = transform(source, { root: this.rootContext, ...options, filename: this.resourcePath });
  for (const file of result ? [ownPackage(), ...result.files] : []) this.addDependency(file);
  for (const diagnostic of besideNext(result?.diagnostics ?? [], this.rootContext))
    this.emitWarning?.(new Error(format(diagnostic)));
  if (result && wasCompiled(source, this.resourcePath, routeNamed(options.route ?? "swc")))
    this.emitWarning?.(
      new Error(
        compiledWarning(
          this.resourcePath,
          'Put kept/loader last in `use`, or in a rule of its own with `enforce: "pre"`.',
        ),
      ),
    );
  if (result) this.callback(null, result.code, result.map);
  else this.callback(null, source, map);
}
