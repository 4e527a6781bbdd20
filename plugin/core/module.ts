/**
 * One file, planned: which functions are annotated, what each becomes, and what else in the file has to change. Nothing
 * is edited here, and nothing is edited at all unless every site of the file could be planned.
 */
import { codeHash, digest } from "../hash/digest.ts";
import type { CodeHash, Project } from "../hash/project.ts";
import { type FactsReading, readFacts } from "../hash/read-facts.ts";
import { serialize } from "../hash/serialize.ts";
import { siteUnit } from "../hash/site.ts";
import { codeOf } from "./captures.ts";
import { FILE, Report, TransformError } from "./diagnostics.ts";
import { findDirective, findStrays } from "./directive.ts";
import { filesBehind, type SiteRoot, sayDoubts } from "./draft.ts";
import type * as ir from "./ir.ts";
import { lintSite } from "./lints.ts";
import { exportsPath, qualify } from "./names.ts";
import { keptName } from "./options.ts";
import { absolutePath, relativePath } from "./paths.ts";
import { type Annotation, displayName, planSite, type SitePlan } from "./plan.ts";
import { type Binding, inferScopes, isInside, type Scopes } from "./scope.ts";

export interface PlannedSite extends SitePlan {
  readonly id: string;
  /** Until it is known, something of the same length that stands for it and for nothing else. */
  readonly hash: string;
}

export interface ModulePlan {
  readonly program: ir.Program;
  readonly scopes: Scopes;
  readonly system: "module" | "commonjs";
  readonly sites: readonly PlannedSite[];
  /** Absolute paths of the other files that the code hashes depend on. */
  readonly files: readonly string[];
  /** The directive of the file, which no other tool should see. */
  readonly fileDirective: ir.Directive | null;
  /** Import specifiers of `cacheOptions` that nothing uses any more. */
  readonly unusedImports: readonly ir.ImportSpecifier[];
  readonly report: Report;
}

export interface ModuleOptions {
  /** Path of the file; together with {@link root} it makes the ids. */
  readonly filename: string;
  readonly root: string;
  /** What the host knows about the module system; else it is inferred. */
  readonly system?: "module" | "commonjs";
}

/**
 * Plans every site of a file.
 *
 * @returns `undefined` where there is nothing to do
 * @throws TransformError where something has to be refused
 */
export function planModule(
  program: ir.Program,
  source: string,
  options: ModuleOptions,
  project: Project,
): ModulePlan | undefined {
  const plan = planFile(program, source, options);
  if (!plan || plan.sites.length === 0) return plan;
  const path = absolutePath(options.root, options.filename);
  const { reading, roots } = readRoots(plan, source);
  const hashes = project.hash(path, source, reading, roots);
  for (const [index, { doubts }] of hashes.entries()) sayDoubts(roots[index] as SiteRoot, doubts, plan.report);
  const sites = plan.sites.map((site, index) => ({ ...site, hash: (hashes[index] as CodeHash).hash }));
  return { ...plan, sites, files: filesBehind(path, hashes) };
}

/** What the project hashes: the sites of a file, in their order, and the rest of it. */
export function readRoots(
  { program, scopes, sites }: ModulePlan,
  source: string,
): { readonly reading: FactsReading; readonly roots: readonly SiteRoot[] } {
  const reading = readFacts(program, scopes, source);
  return { reading, roots: sites.map((site) => rootOf(site, scopes, reading)) };
}

/** Plans all but the code hashes, which depend on other files too. */
export function planFile(program: ir.Program, source: string, options: ModuleOptions): ModulePlan | undefined {
  const file = relativePath(options.root, options.filename);
  const report = new Report(source, file);
  const scopes = inferScopes(program);
  const { annotations, fileDirective } = findAnnotations(program, scopes, report);
  const strays = findStrays(scopes, (node) => enclosingName(node, scopes), report, source);
  const plans = tellApart(annotations.flatMap((annotation) => planSite(annotation, scopes, report) ?? []));
  refuseMisplacedOptions(
    annotations.map((each) => each.fn),
    strays,
    scopes,
    report,
  );
  if (report.errors.length > 0) throw new TransformError(report.sorted);
  if (plans.length === 0 && report.diagnostics.length === 0) return undefined;
  const annotated = new Set(plans.map((plan) => plan.fn));
  for (const plan of plans) lintSite(plan, annotated, scopes, report);
  const standIn = standIns(source);
  const sites = identify(plans, file, scopes).map((site, index) => ({ ...site, hash: standIn(index) }));
  return {
    program,
    scopes,
    sites,
    files: [],
    fileDirective,
    report,
    system: options.system ?? inferSystem(program, scopes, options.filename),
    unusedImports: findUnusedImports(plans, scopes),
  };
}

/** Where one path fits several sites (a variable assigned twice), none has it for itself. */
function tellApart(plans: readonly SitePlan[]): SitePlan[] {
  const paths = new Map<string, number>();
  for (const { path, distinct } of plans) if (distinct) paths.set(path, (paths.get(path) ?? 0) + 1);
  return plans.map((plan) => ((paths.get(plan.path) ?? 0) > 1 ? { ...plan, distinct: false } : plan));
}

// ── which functions ──────────────────────────────────────────────────────────────────────────────────────────────────

function findAnnotations(program: ir.Program, scopes: Scopes, report: Report) {
  const annotations = new Map<ir.Function, Annotation>();
  for (const fn of scopes.functions) {
    if (fn.body.type !== "FunctionBody" || fn.body.directives.length === 0) continue;
    const name = displayName(fn, qualify(fn, scopes).spoken);
    const found = findDirective(fn.body, name, report);
    if (found) annotations.set(fn, { fn, kind: found.kind, directive: found.directive });
  }
  const ofFile = findDirective(program, FILE, report);
  if (ofFile)
    for (const fn of exportedFunctions(program, scopes))
      if (!annotations.has(fn)) annotations.set(fn, { fn, kind: ofFile.kind, directive: null });
  const inOrder = [...annotations.values()].sort((a, b) => a.fn.start - b.fn.start);
  return { annotations: inOrder, fileDirective: ofFile?.directive ?? null };
}

/** Every function that the file exports, in every form of export. */
function exportedFunctions(program: ir.Program, scopes: Scopes): Set<ir.Function> {
  const found = new Set<ir.Function>();
  const addValue = (node: ir.Node | null | undefined): void => {
    if (node?.type === "Function" && node.kind !== "get" && node.kind !== "set") found.add(node);
    else if (node?.type === "Identifier") addBinding(scopes.referenceOf.get(node)?.binding);
  };
  const addBinding = (binding: Binding | null | undefined): void => {
    if (!binding) return;
    const [declaration] = binding.declarations;
    if (declaration?.type === "Function") addValue(declaration);
    else if (declaration?.type === "Declarator" && declaration.id.type === "Identifier") {
      if (declaration.init?.type === "Function") addValue(declaration.init);
      else {
        const code = codeOf(binding, scopes);
        if (code !== "module") addValue(code);
      }
    }
  };
  const addCommonJs = (assignment: ir.Assign): void => {
    const path = exportsPath(assignment.left, scopes);
    if (path === undefined) return;
    const { right } = assignment;
    if (path === "" && right.type === "Object") {
      for (const property of right.properties)
        if (property.type === "Property" && (property.kind === "init" || property.kind === "method"))
          addValue(property.value);
    } else if (right.type === "Assign") {
      addValue(right.right);
      addCommonJs(right);
    } else addValue(right);
  };
  for (const statement of program.body) {
    if (statement.type === "ExportDefault") addValue(statement.declaration);
    else if (statement.type === "ExportAssignment") addValue(statement.expression);
    else if (statement.type === "ExportNamed" && !statement.source) {
      const { declaration } = statement;
      if (declaration?.type === "Function") addValue(declaration);
      if (declaration?.type === "Variable")
        for (const each of declaration.declarations) addValue(each.init?.type === "Function" ? each.init : null);
      for (const specifier of statement.specifiers) addValue(specifier.local);
    } else if (statement.type === "ExpressionStatement" && statement.expression.type === "Assign")
      addCommonJs(statement.expression);
  }
  return found;
}

/** The function around a node, as its author would call it. */
function enclosingName(node: ir.Node, scopes: Scopes): string {
  for (let at: ir.Node | undefined = node; at; at = scopes.parentOf.get(at))
    if (at.type === "Function") return displayName(at, qualify(at, scopes).spoken);
  return FILE;
}

function refuseMisplacedOptions(
  annotated: readonly ir.Function[],
  strays: ReadonlySet<ir.Node>,
  scopes: Scopes,
  report: Report,
): void {
  const accepted = new Set<ir.Node>();
  for (const fn of annotated)
    if (fn.body.type === "FunctionBody" && fn.body.body[0]?.type === "ExpressionStatement")
      accepted.add(fn.body.body[0].expression);
  for (const call of scopes.calls) {
    if (accepted.has(call) || keptName(call.callee, scopes)?.name !== "cacheOptions") continue;
    // Where its directive is about to be moved, that message is enough.
    let around: ir.Node | undefined = call;
    while (around && (around.type === "Program" || !strays.has(around))) around = scopes.parentOf.get(around);
    if (!around) report.add("misplaced-options", call, enclosingName(call, scopes));
  }
}

// ── ids and hashes ───────────────────────────────────────────────────────────────────────────────────────────────────

type Identified = SitePlan & { readonly id: string };

function identify(plans: readonly SitePlan[], file: string, scopes: Scopes): Identified[] {
  const taken = new Set<string>();
  return plans.map((plan) => {
    let id = `${file}#${plan.path}`;
    // A path that may fit another function too is told apart by the function's own code, never by its place.
    if (!plan.distinct)
      id += `~${digest(JSON.stringify([plan.kind, plan.options.values, ownCode(plan, scopes)])).slice(0, 8)}`;
    // Only twins to the letter are left: whichever is first, they are the same.
    let unique = id;
    for (let n = 2; taken.has(unique); n++) unique = `${id}~${n}`;
    taken.add(unique);
    return { ...plan, id: unique };
  });
}

function rootOf(site: Identified, scopes: Scopes, reading: FactsReading): SiteRoot {
  const { start, end } = site.directive ?? site.fn.id ?? site.fn;
  return { name: site.id, unit: siteUnit(site, scopes, reading), title: site.name, place: { start, end } };
}

/** No source holds its own digest. */
function standIns(source: string): (index: number) => string {
  const content = digest(source);
  return (index) => codeHash(`${index}\n${content}`);
}

/** The function's own code, and that of the local functions and classes that it captures. */
function ownCode(plan: SitePlan, scopes: Scopes): string[] {
  const skip = new Set<ir.Node>();
  if (plan.directive) skip.add(plan.directive);
  if (plan.optionsStatement) skip.add(plan.optionsStatement);
  const units = plan.code
    .map((binding) => codeOf(binding, scopes))
    .filter((unit): unit is ir.Function | ir.Class => unit !== undefined && unit !== "module");
  const roots = [plan.fn, ...units];
  const name = (id: ir.Identifier, binding: Binding | null): string | undefined => {
    const index = binding ? plan.code.indexOf(binding) : -1;
    if (index >= 0) return `@${index}`;
    const isLocal = binding && roots.some((root) => isLocalTo(root, binding, scopes));
    return isLocal ? undefined : `$${id.name}`;
  };
  return serialize(roots, { scopes, skip: (node) => skip.has(node), name });
}

function isLocalTo(root: ir.Node, binding: Binding, scopes: Scopes): boolean {
  const scope = scopes.scopeOf.get(root);
  return binding.declarations.includes(root) || (scope !== undefined && isInside(binding.scope, scope));
}

// ── the rest of the file ─────────────────────────────────────────────────────────────────────────────────────────────

/** By its extension, its imports and exports, and, failing those, by its use of CommonJS. */
function inferSystem(program: ir.Program, scopes: Scopes, filename: string): "module" | "commonjs" {
  if (program.body.some((each) => /^(Import|Export(Named|Default|All))$/.test(each.type))) return "module";
  const file = filename.replace(/[?#].*$/, "");
  if (/\.c[jt]s$/.test(file)) return "commonjs";
  if (/\.(m[jt]s|[jt]sx)$/.test(file)) return "module";
  // `import x = N.y` names what is there already, in a module of either kind.
  const isCommonJs = (each: ir.Statement): boolean =>
    each.type === "ExportAssignment" || (each.type === "ImportEquals" && each.source !== null);
  if (program.body.some(isCommonJs)) return "commonjs";
  const free = (name: string) => scopes.references.some((each) => !each.binding && each.node.name === name);
  return free("require") || free("module") || free("exports") || free("__dirname") || free("__filename")
    ? "commonjs"
    : "module";
}

function findUnusedImports(plans: readonly SitePlan[], scopes: Scopes): ir.ImportSpecifier[] {
  const removed = new Map<Binding, number>();
  for (const { optionsStatement } of plans) {
    const kept =
      optionsStatement?.expression.type === "Call" ? keptName(optionsStatement.expression.callee, scopes) : undefined;
    if (kept) removed.set(kept.binding, (removed.get(kept.binding) ?? 0) + 1);
  }
  return [...removed].flatMap(([binding, count]) => {
    const [declaration] = binding.declarations;
    return declaration?.type === "ImportSpecifier" && binding.references.length === count ? [declaration] : [];
  });
}
