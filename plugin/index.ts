/** `kept/plugin`: the transform itself, for those who bring their own host. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { projectOf, type TransformResult, transformWith } from "./core/transform.ts";
import { hashNamed } from "./hash/named.ts";
import type { CodeHash } from "./hash/project.ts";
import { type EntryOptions, type PluginOptions, resolveOptions } from "./options.ts";
import { routeNamed } from "./routes.ts";

export {
  type Diagnostic,
  type DiagnosticCode,
  format as formatDiagnostic,
  TransformError,
} from "./core/diagnostics.ts";
export { CONTENT_FILTER, mayHoldDirective } from "./core/directive.ts";
export type { Site, SourceMap, TransformResult } from "./core/transform.ts";
export { type DescribeOptions, describeSites, siteSerializer } from "./describe.ts";
export type { EntryOptions, HashOptions, PluginOptions } from "./options.ts";

/**
 * Rewrites the annotated functions of one file. Synchronous.
 *
 * @param source the file as its author wrote it: before types and JSX are compiled away
 * @returns `undefined` where the file holds no directive
 * @throws TransformError, whose `diagnostics` say what is refused, where, why, and what to write instead
 */
export function transform(source: string, options: EntryOptions): TransformResult | undefined {
  const resolved = resolveOptions(options);
  return transformWith(routeNamed(resolved.route), source, resolved);
}

export interface NamedCodeHash extends Pick<CodeHash, "hash" | "files"> {
  /** What can't be followed: the bytes of that file's imports are in the hash instead. */
  readonly diagnostics: readonly {
    readonly code: "unknown-code";
    readonly severity: "warning";
    readonly message: string;
    /** From the function to where it ends: `src/rides.ts#load`, `src/parse.ts#parse`. */
    readonly path: readonly string[];
    readonly loc: { readonly file: string; readonly line: number | null };
  }[];
}

/**
 * The code hash of a function and everything that its code reaches, annotated or not. An annotated function has the hash
 * that `transform` gives its site.
 *
 * @param filename a file on disk, relative to `root` or absolute
 * @param name as in a site's id: `load`, `Repo.find`, `default`; or any other name of the file's top level
 * @throws RangeError where the file has no such name, ReadError where it does not parse
 */
export function codeHash(filename: string, name: string, options: PluginOptions = {}): NamedCodeHash {
  const resolved = resolveOptions({ ...options, filename });
  const route = routeNamed(resolved.route);
  const path = resolve(resolved.root, filename);
  const source = readFileSync(path, "utf8");
  const { program } = route.read(source, path);
  const { hash, files, doubts } = hashNamed(
    program,
    source,
    name,
    { ...resolved, filename: path },
    projectOf(route, resolved),
  );
  const diagnostics = doubts.map(
    (doubt) =>
      ({
        code: "unknown-code",
        severity: "warning",
        message: `The code hash of ${name} can't follow all of its code: ${doubt.what}.`,
        path: doubt.path,
        loc: { file: doubt.file, line: doubt.line },
      }) as const,
  );
  return { hash, files, diagnostics };
}
