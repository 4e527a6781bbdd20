/** The story of a transform: read, plan everything, then edit. */
import type { ReadProgram } from "../hash/modules.ts";
import { openProject, type Project, type ProjectOptions } from "../hash/project.ts";
import type { FactsReading } from "../hash/read-facts.ts";
import { Report, TransformError } from "./diagnostics.ts";
import { mayHoldDirective } from "./directive.ts";
import { complete, type Draft, type Site, type SourceMap, type TransformResult } from "./draft.ts";
import { type Emission, emitModule } from "./emit.ts";
import type * as ir from "./ir.ts";
import { type ModuleOptions, type ModulePlan, type PlannedSite, planFile, readRoots } from "./module.ts";
import { absolutePath, relativePath } from "./paths.ts";
import { ReadError } from "./read-error.ts";

export type { Site, SourceMap, TransformResult } from "./draft.ts";

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
  const made = draftWith(route, source, options);
  if (!made) return undefined;
  const { draft, reading } = made;
  const path = absolutePath(options.root, options.filename);
  const hashes = reading ? projectOf(route, options).hash(path, source, reading, draft.roots) : [];
  return complete(draft, source, options, hashes);
}

/** All of {@link transformWith} that needs no other file. */
export function draftWith(
  route: Route,
  source: string,
  options: TransformOptions,
): { readonly draft: Draft; readonly reading: FactsReading | undefined } | undefined {
  if (!mayHoldDirective(source)) return undefined;
  const { program, apply } = readFile(route, source, options);
  const plan = planFile(program, source, options);
  if (!plan) return undefined;
  const emission = emitModule(plan, source, options.hashModule === undefined ? {} : { hashes: options.hashModule });
  const { code, map } = apply(plan, emission);
  const { sites, diagnostics } = describe(plan);
  const standIns = sites.map((site) => site.code);
  if (sites.length === 0) return { draft: { code, map, sites, roots: [], standIns, diagnostics }, reading: undefined };
  const { reading, roots } = readRoots(plan, source);
  return { draft: { code, map, sites, roots, standIns, diagnostics }, reading };
}

/** The code around a file is read by the same route, so that both routes see the same. */
export function projectOf(route: Route, { root, hash = {} }: Pick<TransformOptions, "root" | "hash">): Project {
  return openProject(readerOf(route), { ...hash, root });
}

const readers = new WeakMap<Route, ReadProgram>();

export function readerOf(route: Route): ReadProgram {
  let read = readers.get(route);
  if (!read) readers.set(route, (read = (source, filename) => route.read(source, filename).program));
  return read;
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
