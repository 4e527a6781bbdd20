/** The one line of Kept, written into a configuration: only where it is sure to be right, and nothing else is touched. */
import type * as ir from "../core/ir.ts";
import { forEachChild } from "../core/ir.ts";
import type { Route } from "../core/transform.ts";

export interface ConfigEdit {
  /** What `kept` is imported from, where the configuration calls it. */
  readonly entry?: string;
  /** Where the options are: what the file exports, or what it passes to a function (`build({ … })`). */
  readonly where: "exported" | readonly string[];
  /**
   * `plugins`: a list whose first element this is to be. `properties`: all of them, unless one is there. `transformer`: what
   * `kept/jest` stands around, where the configuration names none.
   */
  readonly what:
    | { readonly plugins: string }
    | { readonly properties: Readonly<Record<string, string>> }
    | { readonly transformer: string };
}

interface Change {
  readonly at: number;
  readonly end?: number;
  readonly text: string;
}

/** @returns the configuration with the line in it; `undefined` where a person has to do it */
export function withKept(config: string, file: string, edit: ConfigEdit, route: Route): string | undefined {
  if (/["']kept\//.test(config)) return undefined;
  const program = read(config, file, route);
  const options = program && optionsOf(program, edit.where);
  const changes = options && changesOf(options, config, edit.what);
  if (!program || !changes) return undefined;
  const statement = edit.entry && importOf(program, file, edit.entry);
  // Before the first statement: comments and a hashbang at the top stay there.
  if (statement) changes.push({ at: program.body[0]!.start, text: statement });
  changes.sort((a, b) => b.at - a.at);
  let edited = config;
  for (const { at, end = at, text } of changes) edited = edited.slice(0, at) + text + edited.slice(end);
  return read(edited, file, route) && edited;
}

function read(config: string, file: string, route: Route): ir.Program | undefined {
  try {
    return route.read(config, file.endsWith(".json") || !/\.[cm]?[jt]s$/.test(file) ? `${file}.js` : file).program;
  } catch {
    return undefined;
  }
}

/** By what the file is: its ending, or else what it holds. */
function importOf({ body }: ir.Program, file: string, entry: string): string {
  const isModule = /\.m[jt]s$/.test(file) || body.some(({ type }) => type === "Import" || type.startsWith("Export"));
  return isModule ? `import kept from "${entry}";\n` : `const kept = require("${entry}").default;\n`;
}

// ── where ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function optionsOf(program: ir.Program, where: ConfigEdit["where"]): ir.ObjectLiteral | undefined {
  if (where === "exported") return objectOf(exportedBy(program), program);
  const found: ir.ObjectLiteral[] = [];
  const visit = (node: ir.Node): void => {
    if (node.type === "Call" && where.includes(nameOf(node.callee) ?? "")) {
      const options = objectOf(node.arguments[0], program);
      if (options) found.push(options);
    }
    forEachChild(node, visit);
  };
  visit(program);
  return found.length === 1 ? found[0] : undefined;
}

/** `build`, `esbuild.build` and the like. */
function nameOf(callee: ir.Expression): string | undefined {
  if (callee.type === "Identifier") return callee.name;
  return callee.type === "Member" && callee.property.type === "Name" ? callee.property.name : undefined;
}

function exportedBy({ body }: ir.Program): ir.Node | undefined {
  for (const statement of body) {
    if (statement.type === "ExportDefault") return statement.declaration;
    if (statement.type !== "ExpressionStatement" || statement.expression.type !== "Assign") continue;
    const { left, right } = statement.expression;
    if (left.type === "Member" && nameOf(left) === "exports") return right;
  }
  return undefined;
}

/** The object behind `defineConfig({ … })`, a constant, or a function that returns nothing else. */
function objectOf(node: ir.Node | undefined, program: ir.Program): ir.ObjectLiteral | undefined {
  switch (node?.type) {
    case "Object":
      return node;
    case "Call":
      return node.arguments.length === 1 ? objectOf(node.arguments[0], program) : undefined;
    case "Identifier":
      return objectOf(constantNamed(node.name, program), program);
    case "Function":
      return objectOf(returnedBy(node), program);
    default:
      return undefined;
  }
}

function constantNamed(name: string, { body }: ir.Program): ir.Node | undefined {
  for (const statement of body)
    if (statement.type === "Variable" && statement.kind === "const")
      for (const { id, init } of statement.declarations)
        if (id.type === "Identifier" && id.name === name) return init ?? undefined;
  return undefined;
}

function returnedBy({ body }: ir.Function): ir.Node | undefined {
  if (body.type !== "FunctionBody") return body;
  const returns: (ir.Node | null)[] = [];
  const visit = (node: ir.Node): void => {
    if (node.type === "Return") returns.push(node.argument);
    else if (node.type !== "Function" && node.type !== "Class") forEachChild(node, visit);
  };
  for (const statement of body.body) visit(statement);
  return returns.length === 1 ? (returns[0] ?? undefined) : undefined;
}

// ── what ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function changesOf(options: ir.ObjectLiteral, config: string, what: ConfigEdit["what"]): Change[] | undefined {
  if ("transformer" in what) return wrapTransformers(options, config, what.transformer);
  if ("properties" in what) {
    const entries = Object.entries(what.properties);
    if (entries.some(([name]) => optionOf(options, name))) return undefined;
    return [
      insert(
        options,
        config,
        entries.map(([, text]) => text),
      ),
    ];
  }
  const list = optionOf(options, "plugins");
  if (!list) return [insert(options, config, [`plugins: [${what.plugins}],`])];
  if (list.type !== "Array") return undefined;
  return [{ at: list.start + 1, text: list.elements.length > 0 ? `${what.plugins}, ` : what.plugins }];
}

function optionOf({ properties }: ir.ObjectLiteral, name: string): ir.Expression | undefined {
  for (const each of properties)
    if (each.type === "Property" && !each.computed && keyOf(each) === name) return each.value;
  return undefined;
}

const keyOf = ({ key }: ir.Property): string | undefined =>
  key.type === "Name" ? key.name : key.type === "String" ? key.value : undefined;

/** First in an object, in the style of what is there. */
function insert(options: ir.ObjectLiteral, config: string, texts: readonly string[]): Change {
  const [first] = options.properties;
  const at = options.start + 1;
  if (!first) {
    const indent = `${lineIndent(config, options.start)}  `;
    const inside = texts.map((text) => `\n${indentBy(text, indent)}`).join("");
    return { at, end: options.end - 1, text: `${inside}\n${indent.slice(2)}` };
  }
  if (!config.slice(at, first.start).includes("\n")) return { at, text: ` ${texts.join(" ")}` };
  const indent = lineIndent(config, first.start);
  return { at, text: texts.map((text) => `\n${indentBy(text, indent)}`).join("") };
}

const lineIndent = (config: string, at: number): string =>
  /^[ \t]*/.exec(config.slice(config.lastIndexOf("\n", at - 1) + 1))![0];
const indentBy = (text: string, indent: string): string => text.replace(/^(?=.)/gm, indent);

export const jestLine = (transformer: string): string =>
  `transform: { "\\\\.[cm]?[jt]sx?$": ["kept/jest", { transformer: "${transformer}" }] }`;

/** Jest's transformers that `kept/jest` can stand around. */
const TRANSFORMERS: readonly unknown[] = ["@swc/jest", "babel-jest"];

function wrapTransformers(options: ir.ObjectLiteral, config: string, transformer: string): Change[] | undefined {
  const table = optionOf(options, "transform");
  if (!table) return [insert(options, config, [`${jestLine(transformer)},`])];
  if (table.type !== "Object") return undefined;
  const changes = table.properties.flatMap((each): Change[] => {
    if (each.type !== "Property") return [];
    const { value } = each;
    const named = value.type === "Array" ? value.elements[0] : value;
    if (named?.type !== "String" || !TRANSFORMERS.includes(named.value)) return [];
    const text = `["kept/jest", { transformer: ${config.slice(value.start, value.end)} }]`;
    return [{ at: value.start, end: value.end, text }];
  });
  return changes.length > 0 ? changes : undefined;
}
