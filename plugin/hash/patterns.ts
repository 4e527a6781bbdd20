/** Which files code means that spells their names only in part: `` import(`./locales/${name}.ts`) ``, `import.meta.glob`. */
import type * as ir from "../core/ir.ts";
import type { Scopes } from "../core/scope.ts";

/** A string that is known: a literal, or a template without holes. */
export function textOf(node: ir.Node): string | undefined {
  if (node.type === "String") return node.value;
  return node.type === "Template" && node.expressions.length === 0 ? (node.quasis[0]?.cooked ?? undefined) : undefined;
}

/** As a glob, in which `**` is what is known at run time alone; `undefined`: not even the folder is known. */
export function patternsOf(source: ir.Node | undefined): string[] | undefined {
  const pattern = source && spell(source).replace(/(?:\*\*)+/g, "**");
  return pattern !== undefined && /^\.{1,2}\//.test(pattern) ? [pattern] : undefined;
}

function spell(node: ir.Node): string {
  const text = textOf(node);
  if (text !== undefined) return text.replace(/[*?{[!]/g, "?");
  if (node.type === "Binary" && node.operator === "+") return spell(node.left) + spell(node.right);
  if (node.type !== "Template") return "**";
  return node.quasis.map(({ cooked }) => cooked ?? "**").join("**");
}

/** The patterns of `import.meta.glob("./pages/*.ts")`, where they are written out. */
export function globOf(callee: ir.Member, scopes: Scopes): string[] | undefined {
  const call = scopes.parentOf.get(callee);
  if (call?.type !== "Call" || call.callee !== callee || !call.arguments[0]) return undefined;
  const [given] = call.arguments;
  const texts = (given.type === "Array" ? given.elements : [given]).map((each) => each && textOf(each));
  const patterns = texts.filter((each): each is string => typeof each === "string" && /^!|^\.{0,2}\//.test(each));
  return patterns.length === texts.length && patterns.length > 0 ? patterns : undefined;
}

/** webpack's `require.context("./pages", true, /\.ts$/)`, `import.meta.webpackContext("./pages")`: taken as the whole folder. */
export function contextOf(
  { callee, arguments: [folder] }: ir.Call,
  scopes: Scopes,
): { readonly what: "require()"; readonly patterns: string[] | undefined } | undefined {
  if (callee.type !== "Member" || callee.property.type !== "Name") return undefined;
  const { object, property } = callee;
  const isRequire =
    object.type === "Identifier" && object.name === "require" && !scopes.referenceOf.get(object)?.binding;
  const isContext = isRequire ? property.name === "context" : property.name === "webpackContext";
  if (!isContext || (!isRequire && object.type !== "ImportMeta")) return undefined;
  const text = folder && textOf(folder);
  const patterns = text && /^\.{1,2}(?:\/|$)/.test(text) ? [`${text.replace(/\/$/, "")}/**`] : undefined;
  return { what: "require()", patterns };
}
