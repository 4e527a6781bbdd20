/** The story of a transform: read, plan everything, then edit. */
import type { SiteKind } from "../../runtime/contract.ts";
import type { ReadProgram } from "../hash/modules.ts";
import { openProject, type Project, type ProjectOptions } from "../hash/project.ts";
import { type Diagnostic, type Position, Report, TransformError } from "./diagnostics.ts";
import { mayHoldDirective } from "./directive.ts";
import { type Emission, emitModule } from "./emit.ts";
import type * as ir from "./ir.ts";
import { type ModuleOptions, type ModulePlan, type PlannedSite, planModule, relativePath } from "./module.ts";
import type { SiteOptions } from "./options.ts";
import { ReadError } from "./read-error.ts";

/** What is known about an annotated function after the build. */
export interface Site {
  /** `src/rides.ts#loadRides`. */
  readonly id: string;
  readonly kind: SiteKind;
  /** The function as its author calls it. */
  readonly name: string;
  /** The code hash, `h1:` + 128 bits. */
  readonly code: string;
  /** Names of what is keyed: parameters after defaults, then captures. */
  readonly hashed: readonly string[];
  /** Parameters and captures left out of the key. */
  readonly excluded: readonly string[];
  /** Those of {@link hashed} that are variables of a function around. */
  readonly captured: readonly string[];
  /** Times in milliseconds; function options by name only. */
  readonly options: SiteOptions & { readonly code?: readonly string[] };
  readonly loc: { readonly start: Position; readonly end: Position };
}

export interface TransformResult {
  readonly code: string;
  /** A source map (version 3) to the source as given. */
  readonly map: SourceMap;
  readonly sites: readonly Site[];
  /** Absolute paths of other files that the code hashes depend on, to watch. */
  readonly files: readonly string[];
  /** Warnings. Errors are thrown. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface SourceMap {
  readonly version: number;
  readonly file?: string;
  readonly sources: (string | null)[];
  readonly sourcesContent?: (string | null)[];
  readonly names: string[];
  readonly mappings: string;
}

export interface TransformOptions extends ModuleOptions {
  /** How the code hash follows the code: resolution, packages, what the build replaces. */
  readonly hash?: Omit<ProjectOptions, "root">;
  /** Emit an import of this module, which gives the hashes by site id, in place of the hashes themselves. */
  readonly hashModule?: string;
}

/** How a route takes part: it reads source into the IR, and applies what was planned to its own form of the source. */
export interface Route {
  read(
    source: string,
    filename: string,
  ): { readonly program: ir.Program; apply(plan: ModulePlan, emission: Emission): { code: string; map: SourceMap } };
}

/**
 * Rewrites the annotated functions of one file.
 *
 * @returns `undefined` where the file holds no directive
 * @throws TransformError with every diagnostic of the file, where one of them is an error
 */
export function transformWith(route: Route, source: string, options: TransformOptions): TransformResult | undefined {
  if (!mayHoldDirective(source)) return undefined;
  const { program, apply } = readFile(route, source, options);
  const plan = planModule(program, source, options, projectOf(route, options));
  if (!plan) return undefined;
  const emission = emitModule(plan, source, options.hashModule === undefined ? {} : { hashes: options.hashModule });
  return { ...apply(plan, emission), ...describe(plan) };
}

const readers = new WeakMap<Route, ReadProgram>();

/** The code around a file is read by the same route, so that both routes see the same. */
export function projectOf(route: Route, { root, hash = {} }: Pick<TransformOptions, "root" | "hash">): Project {
  let read = readers.get(route);
  if (!read) readers.set(route, (read = (source, filename) => route.read(source, filename).program));
  return openProject(read, { ...hash, root });
}

/** The parser's own words are in the message: the one text that differs between the routes. */
function readFile(route: Route, source: string, { filename, root }: ModuleOptions): ReturnType<Route["read"]> {
  try {
    return route.read(source, filename);
  } catch (error) {
    if (!(error instanceof ReadError) || error.code !== "syntax") throw error;
    const report = new Report(source, relativePath(root, filename));
    report.add("unparsable", { start: error.offset, end: error.offset }, error.message);
    throw new TransformError(report.diagnostics, { cause: error });
  }
}

/** What hosts and users are told about a planned module. */
export function describe(plan: ModulePlan): Pick<TransformResult, "sites" | "files" | "diagnostics"> {
  return {
    sites: plan.sites.map((site) => describeSite(site, plan)),
    files: plan.files,
    diagnostics: plan.report.sorted,
  };
}

function describeSite(site: PlannedSite, { report }: ModulePlan): Site {
  const { id, kind, name, hash, hashed, excluded, captured, options, fn } = site;
  const code = Object.keys(options.code);
  return {
    id,
    kind,
    name,
    code: hash,
    hashed,
    excluded,
    captured,
    options: { ...options.values, ...(code.length > 0 ? { code } : {}) },
    loc: { start: report.position(fn.start), end: report.position(fn.end) },
  };
}
