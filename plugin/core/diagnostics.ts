/**
 * Everything that the compiler says to a user: a code, one line with the function's own name, why, and what to write
 * instead. Written here once; `docs/diagnostics.md` is generated from it.
 */
import { frameOf } from "./frame.ts";
import type { Span } from "./ir.ts";

export interface Position {
  /** 1-based. */
  readonly line: number;
  /** 0-based, in UTF-16 units, as source maps count. */
  readonly column: number;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  /** One line: what, in which function. */
  readonly message: string;
  readonly loc: { readonly file: string; readonly start: Position; readonly end: Position };
  /** The source around {@link loc}, marked. */
  readonly frame: string;
  /** Why it can't be, and what to write instead, as code where code helps. */
  readonly fix: string;
}

/** What stands for a function's name where the directive is the file's. */
export const FILE = "this file";

/** How the function would be called: `Repo.find` → `find`. */
const lastName = (f: string): string => /(?:^|\.)#?([\p{ID_Start}$_][\p{ID_Continue}$]*)$/u.exec(f)?.[1] ?? "load";

type Words = { readonly message: string; readonly fix: string };
type Entry = { readonly severity: "error" | "warning"; readonly say: (...names: string[]) => Words };

const byWayOf = (via: string): string => (via === "" ? "" : ` (by way of ${via})`);
const error = (say: Entry["say"]): Entry => ({ severity: "error", say });
const warning = (say: Entry["say"]): Entry => ({ severity: "warning", say });

/** The catalogue. `f` is always the name of the user's own function. */
export const CATALOGUE = {
  "misspelt-directive": error((found = "", meant = "", f = "") => ({
    message: `"${found}" in ${f} is not a directive of Kept. Did you mean "${meant}"?`,
    fix: `A misspelt directive would be ignored in silence. Write exactly:\n\n  "${meant}";`,
  })),
  "directive-not-string": error((how = "", meant = "", f = "") => ({
    message: `"${meant}" in ${f} is ${how}, so JavaScript sees no directive at all.`,
    fix: `Write it as a plain string, the first statement of the function:\n\n  "${meant}";`,
  })),
  "directive-not-first": error((meant = "", f = "") => ({
    message: `"${meant}" is not the first statement of ${f}, so it is not a directive.`,
    fix: `Only strings before the first statement are directives. Move it to the first line of ${f === FILE ? "the file" : "the function"}:\n\n  "${meant}";`,
  })),
  "directive-in-block": error((meant = "", f = "") => ({
    message: `"${meant}" stands in a block inside ${f}, not at the top of a function.`,
    fix: `A directive annotates a whole function. Move it to the function's first line, or move the block into a function of its own:\n\n  function part(…) {\n    "${meant}";\n    …\n  }`,
  })),
  "ambiguous-directive": warning((f = "", meant = "") => ({
    message: `"use cache" in ${f} does not say which kind. Did you mean "${meant}"?`,
    fix: `"use cache data" gives every caller its own copy of the result; "use cache resource" shares one object (a client, a connection, a pool, a model). Kept leaves "use cache" alone. Write:\n\n  "${meant}";`,
  })),
  "conflicting-directives": error((f = "", one = "", other = "") => ({
    message: `${f === FILE ? "This file" : f} has both "${one}" and "${other}".`,
    fix: `${one.startsWith("use cache") && other.startsWith("use cache") ? "A result is either copied for each caller (data) or shared by all (resource)." : `A function marked "${other}" is replaced by a reference to another environment; what Kept would keep is not what callers see.`} Keep one of the two:\n\n  "${one}";`,
  })),
  "not-cacheable": error((f = "", what = "", instead = "") => ({
    message: `${f} is ${what} and can't be cached.`,
    fix: instead,
  })),
  generator: error((f = "", kind = "") => ({
    message: `${f} is ${kind}: its result is consumed as it is read, so it can't be kept.`,
    fix: `Collect the values and return them:\n\n  ${kind.startsWith("an async") ? "async " : ""}function ${lastName(f)}(…) {\n    "use cache data";\n    const all = [];\n    for ${kind.startsWith("an async") ? "await " : ""}(const item of source(…)) all.push(item);\n    return all;\n  }`,
  })),
  "unknown-option": error((f = "", option = "", suggestion = "") => ({
    message: `Unknown option \`${option}\` in cacheOptions of ${f}.${suggestion ? ` Did you mean \`${suggestion}\`?` : ""}`,
    fix: suggestion
      ? `Write:\n\n  cacheOptions({ ${suggestion}: … });`
      : `The options are: ttl, staleFor, maxEntries, ignore, key, persist, scope, copy, tags, validate, onRelease, spinner, showTime, allowInputs, version, env.`,
  })),
  "invalid-option": error((f = "", option = "", why = "", instead = "") => ({
    message: `\`${option}\` in cacheOptions of ${f} ${why}${why.endsWith("?") ? "" : "."}`,
    fix: `Write for example:\n\n  cacheOptions({ ${instead} });`,
  })),
  "option-not-static": error((f = "", option = "", instead = "", code = "") => ({
    message: `${/^\w+$/.test(option) ? `\`${option}\`` : `${option[0]?.toUpperCase()}${option.slice(1)}`} in cacheOptions of ${f} can't be read at build time.`,
    fix: `${code ? "The compiler carries this option over as code: a function as written, or the name of one." : "Options are read by the compiler: one object of literals, template literals without holes, and module-level `const`s that hold such values."} Write for example:\n\n  cacheOptions({ ${instead} });`,
  })),
  "option-wrong-kind": error((f = "", option = "", kind = "", other = "") => ({
    message: `\`${option}\` in cacheOptions of ${f} has no meaning for "use cache ${kind}".`,
    fix: `\`${option}\` belongs to "use cache ${other}". Remove it, or change the directive:\n\n  "use cache ${other}";`,
  })),
  "option-reads-local": error((f = "", option = "", name = "") => ({
    message: `\`${option}\` in cacheOptions of ${f} reads \`${name}\`, which exists only while ${f} runs.`,
    fix: `\`${option}\` is called long after the call that stored the value. It may use its own parameters and module-level bindings:\n\n  cacheOptions({ ${option}: (value) => … });`,
  })),
  "misplaced-options": error((f = "") => ({
    message: `cacheOptions(…) in ${f} is not at the top of an annotated function.`,
    fix: `It is read at build time and belongs directly under the directive:\n\n  function f(…) {\n    "use cache data";\n    cacheOptions({ ttl: "1h" });\n    …\n  }`,
  })),
  "unknown-ignore": error((f = "", name = "", suggestion = "") => ({
    message: `\`ignore\` of ${f} names \`${name}\`, which is neither a parameter nor a captured variable.${suggestion ? ` Did you mean \`${suggestion}\`?` : ""}`,
    fix: suggestion
      ? `Write:\n\n  cacheOptions({ ignore: ["${suggestion}"] });`
      : `Remove it. What \`ignore\` can name here: the parameters of ${f}, variables that it captures, "this", "arguments".`,
  })),
  "writes-captured": error((f = "", name = "") => ({
    message: `${f} assigns to \`${name}\`, a variable of the function around it.`,
    fix: `A hit does not run the body, so the assignment would be skipped. Return the value instead and assign it where ${f} is called:\n\n  ${name} = ${lastName(f)}(…);`,
  })),
  "shadowed-capture": error((f = "", name = "", via = "") => ({
    message: `${f} uses \`${via}\`, which reads a variable \`${name}\` that another \`${name}\` hides at this place.`,
    fix: `The value of the hidden \`${name}\` must be part of the key, but can't be named here. Rename one of the two.`,
  })),
  "captures-unkeyable": error((f = "", name = "", what = "") => ({
    message: `${f} uses \`${name}\`, an arrow function that reads the \`${what}\` of a function around both.`,
    fix: `That \`${what}\` would have to be part of the key, but can't be named inside ${f}. Hold what ${name} needs of it in a variable beside ${name}, which is then keyed by itself:\n\n  const { base } = ${what === "this" ? "this" : "options"};\n\nor leave it out of the key:\n\n  cacheOptions({ ignore: ["${name}"] });`,
  })),
  "captures-changed": error((f = "", name = "", what = "", ignore = "") => ({
    message: `${f} uses \`${name}\`, a ${what} of the function around it that is changed after it is made.`,
    fix: `What is put into it later is part neither of the key nor of the code hash. Say it in ${name} itself, or hold it in a variable of its own, which is then keyed:\n\n  const limit = options.limit;\n\nor leave it out of the key:\n\n  cacheOptions({ ignore: ["${ignore}"] });`,
  })),
  "this-unkeyable": error((f = "", cls = "", held = "") => ({
    message: held
      ? `${f} reads \`this\`, an object that holds \`${held}\`, and a function can't be keyed.`
      : `${f} reads \`this\`, and nothing says how an instance of ${cls || "its class"} is keyed.`,
    fix: `Two ${held ? "objects" : "instances"} must not share results by accident. Say what tells ${held ? "them" : "instances"} apart:\n\n  ${held ? `const ${/^\w+(?=\.)/.exec(f)?.[0] ?? "object"} = {` : `class ${cls || "…"} {`}\n    [Symbol.for("kept.key")]() { return [this.id]; }${held ? "," : ""}\n  }${held ? ";" : ""}\n\nor key this function by what it uses:\n\n  cacheOptions({ key: () => [this.id] });\n\nor let all ${held ? "of them" : "instances"} share:\n\n  cacheOptions({ ignore: ["this"] });`,
  })),
  "this-nameless": error((f = "") => ({
    message: `${f} reads \`this\`, a class that has no name to know it by.`,
    fix: `It may also be called on a subclass, which must not share results by accident. Name the class:\n\n  class Repo {\n    static ${lastName(f)}(…) { … }\n  }\n\nor key this function by what it uses:\n\n  cacheOptions({ key: () => [this.id] });\n\nor let the class and its subclasses share:\n\n  cacheOptions({ ignore: ["this"] });`,
  })),
  "this-circular": error((f = "") => ({
    message: `${f} is a getter that reads \`this\`, an object whose key reads ${f} in turn.`,
    fix: `An object is keyed by all that it holds. Say what tells objects apart:\n\n  const ${/^\w+(?=\.)/.exec(f)?.[0] ?? "object"} = {\n    [Symbol.for("kept.key")]() { return [this.id]; },\n  };\n\nor key this function by what it uses:\n\n  cacheOptions({ key: () => [this.id] });\n\nor let all of them share:\n\n  cacheOptions({ ignore: ["this"] });`,
  })),
  "arguments-excluded": error((f = "", name = "") => ({
    message: `${f} reads \`arguments\`, which holds \`${name}\`, a parameter left out of the key.`,
    fix: `\`arguments\` is keyed whole. Name the parameters that you need (a rest parameter is keyed element by element), or leave it out of the key too:\n\n  cacheOptions({ ignore: ["arguments"] });`,
  })),
  "arguments-aliased": error((f = "", name = "") => ({
    message: `${f} declares its parameter \`${name}\` again and reads \`arguments\`, which in sloppy code follows that parameter.`,
    fix: `The two would come apart where the body is wrapped. Drop the second declaration, or write the function in strict code:\n\n  ${name} = …;`,
  })),
  "eval-in-closure": error((f = "") => ({
    message: `${f} stands inside another function and calls \`eval\`, which may read any variable around it.`,
    fix: `What the key must hold can't be known. Move ${f} to the top level of the module, or do without \`eval\`.`,
  })),
  "inside-with": error((f = "") => ({
    message: `${f} stands inside a \`with\` statement, so it can't be known what its variables mean.`,
    fix: `Move ${f} out of the \`with\` statement.`,
  })),
  "key-async": error((f = "") => ({
    message: `\`key\` in cacheOptions of ${f} must be a plain function without parameters.`,
    fix: `It is called at each call, in place, and may use the parameters of ${f} and \`this\`:\n\n  cacheOptions({ key: () => [this.id, url] });`,
  })),
  "unknown-code": warning((f = "", what = "", path = "") => ({
    message: `The code hash of ${f} can't follow all of its code: ${what}.`,
    fix: `The bytes of that module and of all that it imports are taken instead, so any change there drops the entries of ${f}. The way to it:\n\n  ${path}\n\nSpecifiers written as plain strings can be followed. What is of no matter can be left out in the plugin's options:\n\n  kept({ hash: { ignore: ["…"] } })`,
  })),
  "reassigned-state": warning((f = "", name = "", via = "") => ({
    message: `${f} reads \`${name}\`, a variable of the module that is assigned again${byWayOf(via)}.`,
    fix: `The key can't see its value, so a hit may be from before the assignment. Pass it as a parameter, and it is keyed:\n\n  ${/^[\w$]+$/.test(f) ? f : "f"}(…, ${name});\n\nor declare it with \`const\`.`,
  })),
  "mutated-state": warning((f = "", name = "", via = "") => ({
    message: `${f} reads \`${name}\`, which functions of this module change${byWayOf(via)}.`,
    fix: `The key can't see its content, so a hit may be from before the change; and what ${f} changes in it, a hit does not. Pass what you need of it as a parameter, and it is keyed:\n\n  ${/^[\w$]+$/.test(f) ? f : "f"}(…, ${/#/.test(name) ? "value" : name});`,
  })),
  "impure-call": warning((f = "", call = "") => ({
    message: `${f} calls ${call}, which gives another value each time, and a hit repeats the first.`,
    fix: `Pass it as a parameter where it matters, or bound the age of an entry:\n\n  cacheOptions({ ttl: "1m" });`,
  })),
  "changes-argument": warning((f = "", name = "") => ({
    message: `${f} changes \`${name}\`, and a hit does not.`,
    fix: `Only the call that runs the body would change it, so the program would depend on what is cached. ${name === "this" ? "Return what is new, and let the caller keep it:\n\n  this.result = this.compute(…);" : `Work on a copy, and return what is new:\n\n  const next = structuredClone(${name});`}`,
  })),
  "changes-outside": warning((f = "", name = "", via = "") => ({
    message: `${f} changes \`${name}\`, which is outside of it, and a hit does not${byWayOf(via)}.`,
    fix: `Only the call that runs the body would change it, so the program would depend on what is cached. Return what is new, and let the caller keep it:\n\n  const next = ${/^[\w$]+$/.test(f) ? f : "f"}(…);`,
  })),
  "env-not-keyed": warning((f = "", name = "", via = "") => ({
    message: `${f} reads \`process.env.${name}\`, which is not part of its key${byWayOf(via)}.`,
    fix: `A result made under one value would be served under another. To have an entry for each value:\n\n  cacheOptions({ env: ["${name}"] });`,
  })),
  "unkeyable-parameter": warning((f = "", name = "", what = "") => ({
    message: `\`${name}\` of ${f} is ${what}, which can't be part of a key.`,
    fix: `A call would be refused at run time. Pass what tells the calls apart instead (an id, a path), or leave it out of the key:\n\n  cacheOptions({ ignore: ["${name}"] });`,
  })),
  unparsable: error((what = "") => ({
    message: `This file does not parse: ${what.replace(/\.$/, "")}.`,
    fix: `Kept reads the source before other tools. If a tool ahead of it makes this code valid, put Kept after that tool.`,
  })),
} as const satisfies Record<string, Entry>;

export type DiagnosticCode = keyof typeof CATALOGUE;

/** Collects what there is to say about one file. */
export class Report {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: string;
  readonly #file: string;
  #lines: number[] | undefined;

  constructor(source: string, file: string) {
    this.#source = source;
    this.#file = file;
  }

  add(code: DiagnosticCode, at: Span, ...names: string[]): void {
    const entry: Entry = CATALOGUE[code];
    const { message, fix } = entry.say(...names);
    const start = this.position(at.start);
    const end = this.position(at.end);
    const frame = frameOf(this.#source, start, end);
    this.diagnostics.push({
      code,
      severity: entry.severity,
      message,
      loc: { file: this.#file, start, end },
      frame,
      fix,
    });
  }

  /** By position. */
  get sorted(): readonly Diagnostic[] {
    return [...this.diagnostics].sort(
      (a, b) => a.loc.start.line - b.loc.start.line || a.loc.start.column - b.loc.start.column,
    );
  }

  get errors(): readonly Diagnostic[] {
    return this.diagnostics.filter((each) => each.severity === "error");
  }

  position(offset: number): Position {
    this.#lines ??= lineStarts(this.#source);
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lines[low] as number) };
  }
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (const match of source.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length);
  return starts;
}

/** What a diagnostic looks like to a person: message, place, frame, fix. */
export function format(diagnostic: Diagnostic): string {
  const { code, message, loc, frame, fix } = diagnostic;
  return `${message} [kept/${code}]\n  at ${loc.file}:${loc.start.line}:${loc.start.column + 1}\n\n${frame}\n\n${fix}`;
}

/** Thrown when a file holds something that Kept refuses. The source is left as it is. */
export class TransformError extends Error {
  override readonly name = "TransformError";
  readonly code = "transform";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[], options?: ErrorOptions) {
    super(
      `\n${diagnostics
        .filter((d) => d.severity === "error")
        .map(format)
        .join("\n\n")}\n`,
      options,
    );
    this.diagnostics = diagnostics;
  }
}

/** The candidate that a person who typed `word` most likely meant, if one is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 2.5));
  const scored = candidates
    .map((candidate) => ({ candidate, distance: distance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= limit && best.distance < plain(word).length ? best.candidate : undefined;
}

const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Levenshtein. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (next[j - 1] as number) + 1,
        (row[j] as number) + 1,
        (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[b.length] as number;
}
