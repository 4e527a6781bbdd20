/** The code hash of a function that is asked for by name, annotated or not. */
import { resolve } from "node:path";
import { nearest, Report } from "../core/diagnostics.ts";
import { findDirective } from "../core/directive.ts";
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import { qualify } from "../core/names.ts";
import { planSite } from "../core/plan.ts";
import { inferScopes, type Scopes } from "../core/scope.ts";
import { digest } from "./digest.ts";
import type { Unit } from "./facts.ts";
import type { CodeHash, Project } from "./project.ts";
import { type FactsReading, readFacts } from "./read-facts.ts";
import { siteUnit } from "./site.ts";

export interface NamedOptions {
  readonly filename: string;
  readonly root: string;
}

/**
 * @param name as in a site's id (`load`, `Repo.find`, `default`), or a top-level or exported name of any kind
 * @throws RangeError where the file has no such name
 */
export function hashNamed(
  program: ir.Program,
  source: string,
  name: string,
  { filename, root }: NamedOptions,
  project: Project,
): CodeHash {
  const scopes = inferScopes(program);
  const reading = readFacts(program, scopes, source);
  const exported = reading.facts.exports[name];
  const local = exported && "binding" in exported ? exported.binding : name;
  const unit =
    functionUnit(program, source, name, scopes, reading) ??
    functionUnit(program, source, local, scopes, reading) ??
    bindingUnit(local, reading);
  const [hash] = project.hash(resolve(root, filename), source, reading, [{ name: `?${name}`, unit }]);
  return hash as CodeHash;
}

/** As it would be hashed if it were annotated, so that adding the directive changes nothing. */
function functionUnit(
  program: ir.Program,
  source: string,
  name: string,
  scopes: Scopes,
  reading: FactsReading,
): Unit | undefined {
  const found: ir.Function[] = [];
  const visit = (node: ir.Node): void => {
    if (node.type === "Function" && qualify(node, scopes).path === name) found.push(node);
    forEachChild(node, visit);
  };
  visit(program);
  const [fn] = found;
  if (!fn) return undefined;
  const report = new Report(source, "");
  const own = fn.body.type === "FunctionBody" ? findDirective(fn.body, name, report) : undefined;
  const ofFile = own ?? findDirective(program, name, report);
  const kind = ofFile?.kind ?? "data";
  const plan = planSite({ fn, kind, directive: own?.directive ?? null }, scopes, report);
  return plan ? siteUnit(plan, scopes, reading) : undefined;
}

function bindingUnit(name: string, { facts }: FactsReading): Unit {
  if (!facts.bindings[name]) {
    const known = [...Object.keys(facts.bindings), ...Object.keys(facts.exports)];
    const meant = nearest(name, known);
    throw new RangeError(`kept: this file has no \`${name}\`.${meant ? ` Did you mean \`${meant}\`?` : ""}`);
  }
  const refs = [{ to: "binding", name }] as const;
  return { digest: digest("named"), refs, names: [name], line: 1, unknowns: [], globals: [] };
}
