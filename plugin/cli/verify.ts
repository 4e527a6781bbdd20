/**
 * `kept verify <dist>`: what a build must not hold. A directive that is still there was never transformed (the plugin is
 * missing, or came after another compiler), and functions run uncached without a word. A site of another contract version
 * makes the program throw when it starts.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { CONTRACT_VERSION } from "../../runtime/contract.ts";
import { DIRECTIVES } from "../core/directive.ts";
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import type { Route } from "../core/transform.ts";

export interface Finding {
  readonly what: "directive" | "contract" | "unreadable";
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

export interface Verification {
  readonly files: number;
  /** Cached functions in the build. */
  readonly sites: number;
  readonly findings: readonly Finding[];
}

/** Looks at every JavaScript file of a folder, or at one file; packages are left out. */
export function verify(target: string, route: Route): Verification {
  const files = statSync(target).isDirectory() ? scriptsIn(target) : [target];
  const findings: Finding[] = [];
  let sites = 0;
  for (const file of files) {
    const found = verifyFile(file, relative(process.cwd(), file) || file, route);
    findings.push(...found.findings);
    sites += found.sites;
  }
  return { files: files.length, sites, findings };
}

export function printVerification({ files, sites, findings }: Verification): string {
  const lines = findings.map(({ file, line, message }) => `${file}:${line}  ${message}`);
  const counts = `${plural(files, "file")}, ${plural(sites, "cached function")}`;
  const verdict =
    findings.length > 0
      ? `${plural(findings.length, "fault")} in ${counts}.`
      : sites > 0
        ? `${counts}: nothing untransformed.`
        : `${counts}: nothing untransformed, but nothing cached either.`;
  return [...lines, verdict].join("\n");
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function scriptsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : scriptsIn(path);
      return /\.[cm]?js$/.test(entry.name) ? [path] : [];
    })
    .sort();
}

/** Both are words that a build without Kept hardly holds, so most files are never parsed. */
const WORTH_READING = /use cache (?:data|resource)|\bhashed["']?\s*:/;

function verifyFile(path: string, file: string, route: Route): { sites: number; findings: Finding[] } {
  const source = readFileSync(path, "utf8");
  const findings: Finding[] = [];
  const add = (what: Finding["what"], offset: number, message: string) => {
    findings.push({ what, file, line: source.slice(0, offset).split("\n").length, message });
  };
  if (!WORTH_READING.test(source)) return { sites: 0, findings };
  let program: ir.Program;
  try {
    program = route.read(source, path).program;
  } catch (error) {
    add("unreadable", 0, `can't be parsed: ${(error as Error).message.split("\n")[0]}`);
    return { sites: 0, findings };
  }
  let sites = 0;
  const visit = (node: ir.Node): void => {
    if (node.type === "FunctionBody" || node.type === "Program")
      for (const directive of node.directives)
        if (Object.hasOwn(DIRECTIVES, directive.raw))
          add(
            "directive",
            directive.start,
            `"${directive.raw}" was never transformed: Kept's plugin is missing from this build, or comes after another compiler. It has to come first.`,
          );
    if (node.type === "Object") {
      const spec = readSpec(node);
      if (spec) sites++;
      if (spec && spec.v !== CONTRACT_VERSION)
        add(
          "contract",
          node.start,
          `${spec.id} was compiled for contract ${spec.v} of Kept's runtime, and the one installed has ${CONTRACT_VERSION}. Build again with the version that runs.`,
        );
    }
    forEachChild(node, visit);
  };
  visit(program);
  return { sites, findings };
}

/** `{ v: 1, id: "…", hashed: […], … }`, as the compiler writes it and minifiers rewrite it. */
function readSpec({ properties }: ir.ObjectLiteral): { v: number; id: string } | undefined {
  const values = new Map<string, ir.Expression>();
  for (const each of properties)
    if (each.type === "Property" && each.key.type === "Name") values.set(each.key.name, each.value);
  const [v, id] = [values.get("v"), values.get("id")];
  const text = id?.type === "String" ? id.value : id?.type === "Template" ? id.quasis[0]?.cooked : undefined;
  if (v?.type !== "Number" || text == null || !values.has("code") || !values.has("hashed")) return undefined;
  return text.includes("#") ? { v: v.value, id: text } : undefined;
}
