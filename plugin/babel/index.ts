/**
 * The Babel plugin. It works in `pre`, on the tree as its author wrote it, whatever the order of the plugins: presets
 * would have compiled the directive away, or changed the code that is hashed.
 */
import { compiledWarning } from "../compiled.ts";
import { format } from "../core/diagnostics.ts";
import { DIRECTIVES, mayHoldDirective } from "../core/directive.ts";
import { emitModule } from "../core/emit.ts";
import { planModule } from "../core/module.ts";
import { describe, projectOf, type Route, type Site } from "../core/transform.ts";
import { besideNext } from "../next.ts";
import { checkOptions, type PluginOptions } from "../options.ts";
import { ownPackage } from "../own-package.ts";
import { applyAst, original } from "./apply.ts";
import { readBabel } from "./read.ts";
import { type BabelHost, babelRoute, shapesOf } from "./route.ts";
import { editWithScopes } from "./scopes.ts";

export type { Diagnostic, TransformError } from "../core/diagnostics.ts";
export type { Site } from "../core/transform.ts";

/** Under `file.metadata.kept`: what the plugin made of the file. */
export interface KeptMetadata {
  readonly sites: readonly Site[];
  /** Absolute paths of other files that the code hashes depend on. */
  readonly files: readonly string[];
}

export type BabelPluginOptions = Pick<PluginOptions, "root" | "hash">;

const routes = new Map<string, Route>();

/** Babel makes the plugin anew for each configuration; what is known of the code outlives that. */
function routeOf(babel: BabelHost): Route {
  let route = routes.get(babel.version);
  if (!route) routes.set(babel.version, (route = babelRoute(babel)));
  return route;
}

/** What is used of Babel's API of a plugin's configuration. */
interface CacheHost {
  readonly cache?: { never(): void };
  addExternalDependency?(file: string): void;
}

/**
 * The files behind the hashes, for hosts that keep what Babel made (babel-loader, `babel --watch`): without them an edited
 * helper would leave the hash of those who call it as it was.
 *
 * Babel asks for such files when it makes the plugin, which is before any is known. It keeps what it is given in a list of
 * lists, though, and reads that after the transform; and with `never` it makes the plugin anew for each file, so that the
 * list is the file's own.
 */
function externalDependencies({ cache, addExternalDependency }: CacheHost): string[] {
  const files: string[] = [];
  cache?.never();
  addExternalDependency?.(files as unknown as string);
  return files;
}

const PASSES =
  "Put kept/babel in `plugins`, or leave out `passPerPreset`: the preset that holds it runs after another.";

/** `transformFromAst(ast)` without the source that the tree was read from: the directives would stay, without a word. */
function refuseWithoutSource(
  file: { readonly ast: object; readonly opts: { readonly filename?: string } },
  { types }: BabelHost,
): void {
  types.traverseFast(file.ast, ({ type, value }: { readonly type: string; readonly value: unknown }) => {
    if (type === "DirectiveLiteral" && Object.hasOwn(DIRECTIVES, value as string))
      throw new Error(
        `kept: ${file.opts.filename ?? "a file"} holds "${value}", and Babel was given its tree without its source, which the code hash and the messages need:\n\n  transformFromAstSync(ast, source, options)`,
      );
  });
}

/** `plugins: ["kept/babel"]`, anywhere in the list. Works in Babel 7.29 and 8. */
export default function kept(
  api: unknown,
  options: BabelPluginOptions = {},
): { name: string; pre(this: unknown, file: any): void; visitor: object } {
  checkOptions(options, ["root", "hash"]);
  const babel = api as BabelHost;
  const reached = externalDependencies(api as CacheHost);
  return {
    name: "kept",
    visitor: {},
    pre(file) {
      const source: string = file.code;
      if (source === "") refuseWithoutSource(file, babel);
      if (!mayHoldDirective(source)) return;
      const { filename = "unknown.js", cwd, sourceType } = file.opts;
      const { program, isAsParsed } = readBabel(file.ast, source);
      if (!isAsParsed) console.warn(compiledWarning(filename, PASSES, "its tree holds code that is not in the source"));
      const moduleOptions = {
        filename,
        root: options.root ?? cwd ?? process.cwd(),
        ...(sourceType === "script" || sourceType === "commonjs" ? { system: "commonjs" as const } : {}),
        ...(options.hash ? { hash: options.hash } : {}),
      };
      const plan = planModule(program, source, moduleOptions, projectOf(routeOf(babel), moduleOptions));
      if (!plan) return;
      editWithScopes(
        file,
        babel.types.VISITOR_KEYS,
        plan.sites.map(({ fn }) => original(fn)),
        () => applyAst(file.ast, plan, emitModule(plan, source), shapesOf(babel)),
      );
      const { sites, files, diagnostics } = describe(plan);
      file.metadata.kept = { sites, files } satisfies KeptMetadata;
      reached.push(ownPackage(), ...files);
      for (const each of besideNext(diagnostics, moduleOptions.root)) console.warn(format(each));
    },
  };
}
