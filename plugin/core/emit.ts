/** What is written: the wrapper around each body, and the lines at the end of the file. Text, for both routes. */
import { CONTRACT_VERSION } from "../../runtime/contract.ts";
import type * as ir from "./ir.ts";
import type { ModulePlan, PlannedSite } from "./module.ts";

/** The user's own code, carried over: a function of `cacheOptions`, or the property that holds it as a method. */
export interface Hole {
  readonly node: ir.Expression | ir.Property;
}
export type Pieces = readonly (string | Hole)[];

export interface SiteEmission {
  readonly site: PlannedSite;
  /** Stands before the body's first statement (or around the expression of an arrow). */
  readonly open: Pieces;
  readonly close: string;
}

export interface Emission {
  readonly sites: readonly SiteEmission[];
  readonly marks: readonly { readonly site: PlannedSite; readonly text: string }[];
  /** Objects and classes without a name, told of the cached functions in them where they are made. */
  readonly holders: readonly { readonly node: ir.Node; readonly open: string; readonly close: string }[];
  /** Functions that read, for a key, captures which something of the same name hides from their site. */
  readonly readers: readonly { readonly list: ir.Node; readonly text: string }[];
  /** Behind the first statement: the sites register as soon as the module runs. */
  readonly registration: string;
  /** At the end of the file. */
  readonly tail: Pieces;
}

export interface EmitOptions {
  /** Default `kept/runtime`. */
  readonly runtime?: string;
  /** A module whose default export gives the code hashes by site id: for hosts that make it anew when they change. */
  readonly hashes?: string;
}

/**
 * Plans the text of a whole module.
 *
 * ```ts
 * export async function load(url: string, _db: Db, limit = 100) {
 *   "use cache data";
 *   return parse(await get(url)).slice(0, limit);
 * }
 * // becomes
 * export async function load(url: string, _db: Db, limit = 100) {
 *   return (_kept0 || _kept0$())([url, limit], async () => {
 *   return parse(await get(url)).slice(0, limit);
 * });}
 * ```
 */
export function emitModule(plan: ModulePlan, source: string, options: EmitOptions = {}): Emission {
  const { runtime = "kept/runtime" } = options;
  // What is required is loaded when it is needed, and a host of CommonJS has no virtual modules.
  const hashes = plan.system === "module" ? options.hashes : undefined;
  const names = emittedNames(source);
  const { sites } = plan;
  const variable = (site: PlannedSite) => `${names.site}${sites.indexOf(site)}`;
  const markOf = (site: PlannedSite, expression: string): string => {
    const cached = variable(site);
    return `${names.mark}(${expression}, ${cached} || ${cached}$()${takenBy(site, cached)});`;
  };
  const marks = sites.flatMap((site) => (site.mark ? [{ site, text: markOf(site, site.mark.expression) }] : []));
  const members = new Map<ir.Node, string[]>();
  for (const site of sites) {
    if (!site.holder) continue;
    const { node, path } = site.holder;
    members.set(node, [...(members.get(node) ?? []), markOf(site, names.made + path)]);
  }
  const holders = [...members].map(([node, texts]) => ({
    node,
    open: `${names.hold}(`,
    close: `, (${names.made}) => { ${texts.join(" ")} })`,
  }));
  const readers = sites.flatMap((site) =>
    site.slots.flatMap(({ list, text }, index) =>
      list ? [{ list, text: `function ${readerOf(variable(site), index)}() { return ${text}; }` }] : [],
    ),
  );
  const declarations = sites.map((site) => `${variable(site)} = /*#__PURE__*/${variable(site)}$()`);
  return {
    sites: sites.map((site) => emitSite(site, variable(site))),
    marks,
    holders,
    readers,
    registration: sites.length > 0 ? `var ${declarations.join(", ")};` : "",
    tail: sites.length > 0 ? emitTail({ plan, holders, marks }, names, variable, runtime, hashes) : [],
  };
}

/** Names that nothing in the file uses, so that no user's name can hide them. */
function emittedNames(source: string) {
  const free = (name: string): string => {
    while (source.includes(name)) name = `_${name}`;
    return name;
  };
  return {
    site: free("_kept"),
    data: free("_cacheData"),
    resource: free("_cacheResource"),
    mark: free("_markKept"),
    hold: free("_holdKept"),
    made: free("_made"),
    runtimeMark: free("_mark"),
    plain: free("_uncached"),
    make: free("_make"),
    hashes: free("_keptHashes"),
    code: free("_code"),
  };
}
type Names = ReturnType<typeof emittedNames>;

/** What the function itself takes from around it, for a key in which it is an argument: read when that key is made. */
function takenBy({ slots, lexical }: PlannedSite, variable: string): string {
  if (lexical === null) return ", null";
  if (lexical.length === 0) return "";
  const texts = lexical.map((each) =>
    typeof each === "string" ? each : slots[each]?.list ? `${readerOf(variable, each)}()` : slots[each]?.text,
  );
  return `, () => [${texts.join(", ")}]`;
}

const readerOf = (variable: string, slot: number): string => `${variable}$${slot}`;

/** Before: `{ body }`. After: `{ return (_kept0 || _kept0$())([keyed], () => { body }); }`. */
function emitSite(site: PlannedSite, variable: string): SiteEmission {
  const { fn, passed } = site;
  const key: (string | Hole)[] = [];
  const captures: string[] = [];
  for (const [index, slot] of site.slots.entries()) {
    if (index > 0) key.push(", ");
    // The option `key` has no text of its own; a parameter may well be called `key`.
    if (slot.text === null) {
      key.push(...callOf(site, "key"));
      continue;
    }
    const text = slot.list ? `${readerOf(variable, index)}()` : slot.text;
    key.push(slot.spread ? `...${text}` : text);
    if (index >= site.slots.length - site.captured.length) captures.push(text);
  }
  const async = fn.async ? "async " : "";
  const bound = wantsArguments(site.options.code.validate) ? `, () => [${site.bound.join(", ")}]` : "";
  const mayChange = fn.async && site.slots.some((slot) => slot.changes);
  const args = mayChange ? `${bound || ", undefined"}, () => [${captures.join(", ")}]` : bound;
  const call = [`(${variable} || ${variable}$())([`, ...key];
  if (fn.body.type !== "FunctionBody") return { site, open: [...call, `], ${async}() => (`], close: `)${args})` };
  if (passed.length === 0) return { site, open: ["return ", ...call, `], ${async}() => {`], close: `}${args});` };
  // The body declares a parameter again: as a parameter of the arrow it keeps its value, as in the original.
  const list = passed.join(", ");
  return { site, open: ["return ", ...call, `], () => (${async}(${list}) => {`], close: `})(${list})${args});` };
}

/** `validate(value, ...args)`: unless it can be seen to look at the value alone. */
function wantsArguments(validate: ir.Expression | undefined): boolean {
  if (!validate) return false;
  return (
    validate.type !== "Function" ||
    validate.kind !== "arrow" ||
    validate.params.length > 1 ||
    validate.params[0]?.pattern.type === "Rest"
  );
}

/** The value of a function option, as an expression. */
function codeOf(site: PlannedSite, option: "key" | "validate" | "onRelease"): Pieces {
  const node = site.options.code[option] as ir.Expression;
  const property = methodProperty(site, node);
  return property ? ["({ ", { node: property }, ` }).${option}`] : ["(", { node }, ")"];
}

function callOf(site: PlannedSite, option: "key"): Pieces {
  const node = site.options.code[option] as ir.Expression;
  return [...codeOf(site, option), node.type === "Function" && node.kind !== "arrow" ? ".call(this)" : "()"];
}

function methodProperty(site: PlannedSite, value: ir.Expression): ir.Property | undefined {
  const call = site.optionsStatement?.expression;
  const argument = call?.type === "Call" ? call.arguments[0] : undefined;
  if (argument?.type !== "Object") return undefined;
  for (const property of argument.properties)
    if (property.type === "Property" && property.value === value && property.kind === "method") return property;
  return undefined;
}

function emitTail(
  { plan: { sites, system }, ...told }: Pick<Emission, "marks" | "holders"> & { readonly plan: ModulePlan },
  names: Names,
  variable: (site: PlannedSite) => string,
  runtime: string,
  hashes: string | undefined,
): Pieces {
  const marks = told.marks.length + told.holders.length > 0;
  const tail: (string | Hole)[] = ["\n"];
  const isModule = system === "module";
  const from = JSON.stringify(runtime);
  if (isModule) {
    const imports = [
      ...(sites.some((site) => site.kind === "data") ? [`cacheData as ${names.data}`] : []),
      ...(sites.some((site) => site.kind === "resource") ? [`cacheResource as ${names.resource}`] : []),
      ...(marks ? [`mark as ${names.runtimeMark}`] : []),
    ];
    tail.push(`;import { ${imports.join(", ")} } from ${from};\n`);
    if (hashes !== undefined) tail.push(`import ${names.hashes} from ${JSON.stringify(hashes)};\n`);
  }
  for (const site of sites) {
    const cached = variable(site);
    const spec = emitSpec(site, hashes === undefined ? JSON.stringify(site.hash) : names.code);
    if (isModule) {
      // In an import cycle a hoisted function can be called before the runtime has run: then it runs uncached.
      const make = site.kind === "data" ? names.data : names.resource;
      // The hash is read first, for without it there is nothing to make.
      const reads =
        hashes === undefined
          ? { params: names.make, code: "" }
          : {
              params: `${names.make}, ${names.code}`,
              code: `${names.code} = ${names.hashes}[${JSON.stringify(site.id)}]; `,
            };
      tail.push(
        `function ${cached}$(${reads.params}) { try { ${reads.code}${names.make} = ${make}; } catch {} return ${cached} || (${names.make} ? ${cached} = ${names.make}(`,
        ...spec,
        `) : ${names.plain}); }\n`,
      );
    } else {
      const make = site.kind === "data" ? "cacheData" : "cacheResource";
      tail.push(
        `function ${cached}$() { return ${cached} || (${cached} = require(${from}).${make}(`,
        ...spec,
        ")); }\n",
      );
    }
  }
  if (isModule) tail.push(`function ${names.plain}(key, run) { return run(); }\n`);
  if (marks)
    tail.push(
      isModule
        ? `function ${names.mark}(fn, site, taken) { site === ${names.plain} || ${names.runtimeMark}(fn, site, taken); }\n`
        : `function ${names.mark}(fn, site, taken) { require(${from}).mark(fn, site, taken); }\n`,
    );
  if (told.holders.length > 0) tail.push(`function ${names.hold}(made, tell) { tell(made); return made; }\n`);
  return tail;
}

/** The static description of a site: see `SiteSpec` of the contract. */
function emitSpec(site: PlannedSite, hash: string): Pieces {
  const { values, code } = site.options;
  const rest = site.slots.findIndex((slot) => slot.spread);
  const fields: (readonly [string, unknown])[] = [
    ["v", CONTRACT_VERSION],
    ["id", site.id],
    ["hashed", site.hashed],
    ["excluded", site.excluded],
    ["captured", site.captured.length || undefined],
    ["rest", rest < 0 ? undefined : rest],
    ["async", site.fn.async || undefined],
    ["ttl", values.ttl],
    ["staleFor", values.staleFor],
    ["maxEntries", values.maxEntries],
    ["persist", values.persist],
    ["scope", values.scope],
    ["copy", values.copy],
    ["tags", values.tags],
    ["spinner", values.spinner],
    ["showTime", values.showTime],
    ["allowInputs", values.allowInputs],
    ["env", values.env],
  ];
  const text = fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  text.splice(2, 0, `code: ${hash}`);
  if (site.self) text.push(`self: () => ${site.self}`);
  if (site.self && site.isReplaceable) text.push("replaceable: true");
  const pieces: (string | Hole)[] = [`{ ${text.join(", ")}`];
  for (const option of ["validate", "onRelease"] as const)
    if (code[option]) pieces.push(`, ${option}: () => `, ...codeOf(site, option));
  pieces.push(" }");
  return pieces;
}
