/**
 * Everything that the runtime says to a user: one class per kind, a code, what happened in which function, why, and
 * what to type instead. Written here once, so that it can be read, tested and improved in one place.
 */

/** Marks our errors across two copies of the package (ESM beside CommonJS), where `instanceof` alone would fail. */
const BRAND = Symbol.for("kept.error");

/** Base of all errors that Kept raises. `code` is stable; the message is for people and may improve. */
export class KeptError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static {
    nameOf(KeptError, "KeptError");
    Object.defineProperty(KeptError, Symbol.hasInstance, { value: isInstance });
  }
}

/** `instanceof` for all classes here: `this` is the class that was asked about. */
function isInstance(this: typeof KeptError, value: unknown): boolean {
  if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
  if (typeof value !== "object" || value === null || !(BRAND in value)) return false;
  if (!Object.hasOwn(this.prototype, "name")) return false;
  return this === KeptError || this.prototype.name === (value as { name?: unknown }).name;
}

/** On the prototype and not enumerable, as with the built-in errors. */
function nameOf(type: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(type.prototype, "name", { value: name, writable: true, configurable: true });
}

/** A value that can't be part of a key or of a copy: what it is, why, and what to write instead. */
export interface Refusal {
  /** `User`, `function`, `Promise`. */
  readonly type: string;
  /** The type in a sentence: "an instance of `User`". */
  readonly what: string;
  /** One sentence. */
  readonly why: string;
  /** What to write in place of this very type, as code where code helps. */
  readonly instead?: string | undefined;
}

/** Where a value stands that can't be part of a key. */
export interface ArgumentPlace {
  /** Site id: `src/rides.ts#loadRides`. */
  readonly site: string;
  /** The parameter or captured variable: `filters`. */
  readonly parameter: string;
  /** Where inside it: `filters.owner`, or `filters` itself. */
  readonly path: string;
  /** True if {@link parameter} is a variable that the body reads from an enclosing function. */
  readonly captured?: boolean;
}

/** An argument (or captured variable) of a cached function can't be part of a key. The body was not run. */
export class UnhashableArgumentError extends KeptError {
  readonly site: string;
  readonly parameter: string;
  readonly path: string;
  readonly type: string;

  constructor(place: ArgumentPlace, refusal: Refusal, options?: ErrorOptions) {
    super("unhashable-argument", unhashableMessage(place, refusal), options);
    this.site = place.site;
    this.parameter = place.parameter;
    this.path = place.path;
    this.type = refusal.type;
  }

  static {
    nameOf(UnhashableArgumentError, "UnhashableArgumentError");
  }
}

function unhashableMessage(
  { site, parameter, path, captured }: ArgumentPlace,
  { what, why, instead }: Refusal,
): string {
  const name = functionName(site);
  const role = captured ? "captured variable" : "argument";
  const lines = [`Can't key ${role} \`${parameter}\` of \`${name}\` (${site}): \`${path}\` is ${what}. ${why}`];
  if (instead) lines.push(instead);
  const underscore = captured || !isName(parameter) || parameter === "this" || parameter === "arguments";
  const ways = [
    ...(underscore ? [] : [`  function ${isName(name) ? name : "f"}(_${parameter}, …)`]),
    `  cacheOptions({ ignore: [${JSON.stringify(parameter)}] });`,
  ];
  const or = ways.length > 1 ? ", by a leading underscore or by name" : "";
  lines.push(`If the result does not depend on \`${parameter}\`, leave it out of the key${or}:\n\n${ways.join("\n")}`);
  return lines.join("\n\n");
}

/** Where a value stands that can't be copied (or frozen). */
export interface ResultPlace {
  /** Site id: `src/rides.ts#loadRides`. */
  readonly site: string;
  /** Where in the result: `result.rows[3].owner`, or `result` itself. */
  readonly path: string;
  /** `freeze` where the site asked for one frozen value. */
  readonly mode?: "copy" | "freeze";
}

/** The result of a `"use cache data"` function can't be copied (or frozen). The body has run; nothing was stored. */
export class UncopyableResultError extends KeptError {
  readonly site: string;
  readonly path: string;
  readonly type: string;

  constructor(place: ResultPlace, refusal: Refusal, options?: ErrorOptions) {
    super("uncopyable-result", uncopyableMessage(place, refusal), options);
    this.site = place.site;
    this.path = place.path;
    this.type = refusal.type;
  }

  static {
    nameOf(UncopyableResultError, "UncopyableResultError");
  }
}

function uncopyableMessage({ site, path, mode }: ResultPlace, { what, why, instead }: Refusal): string {
  const verb = mode === "freeze" ? "freeze" : "copy";
  const lines = [`Can't ${verb} what \`${functionName(site)}\` (${site}) returned: \`${path}\` is ${what}. ${why}`];
  if (instead) lines.push(instead);
  lines.push(
    mode === "freeze"
      ? 'To give every caller a private copy instead, drop `copy: "freeze"`; to share one object as it is:\n\n  "use cache resource";'
      : 'To give every caller the same object instead of a copy:\n\n  "use cache resource";',
  );
  return lines.join("\n\n");
}

/** A cached function was called, for one key, while it was already running for that key and waiting for this call. */
export class CacheCycleError extends KeptError {
  readonly site: string;
  /** The calls from the outermost to the one that closes the cycle, as text. */
  readonly chain: readonly string[];

  /** @param chain the calls from the outermost to the one that closes the cycle: `["fib(3)", "half(3)", "fib(3)"]` */
  constructor(site: string, chain: readonly string[]) {
    super(
      "cache-cycle",
      `\`${functionName(site)}\` (${site}) waits for itself: the call it makes needs the result that it is about to give.\n\n` +
        chain.map((call, at) => `  ${"  ".repeat(at)}${at === 0 ? "" : "→ "}${call}`).join("\n") +
        "\n\nWithout the cache this would recurse without end. Call with other arguments, or take the inner call out of the cached function.",
    );
    this.site = site;
    this.chain = chain;
  }

  static {
    nameOf(CacheCycleError, "CacheCycleError");
  }
}

/** A session was needed where there is none, or the host can't follow one. */
export class SessionError extends KeptError {
  readonly site: string | undefined;

  constructor(message: string, site?: string) {
    super("session", message);
    this.site = site;
  }

  /** A `scope: "session"` function was called outside {@link withSession}. */
  static outside(site: string): SessionError {
    return new SessionError(
      `\`${functionName(site)}\` (${site}) keeps its results per session and was called outside of one. ` +
        "Call it inside:\n\n  withSession(id, () => …);\n\nor keep its results for everyone:\n\n" +
        '  cacheOptions({ scope: "global" });',
      site,
    );
  }

  /** The host has no AsyncLocalStorage, so a session can't be followed across an `await`. */
  static unsupported(api: string): SessionError {
    return new SessionError(
      `\`${api}\` needs AsyncLocalStorage to follow a session across \`await\`, and this host has none ` +
        "(Node, Deno, Bun and workerd with `nodejs_compat` have it).",
    );
  }

  /** A session id that can't tell sessions apart. */
  static badId(id: unknown): SessionError {
    return new SessionError(`A session id is a non-empty string; got ${show(id)}.`);
  }

  static {
    nameOf(SessionError, "SessionError");
  }
}

/** Compiled code and the runtime don't speak the same contract. */
export class ContractError extends KeptError {
  readonly site: string;

  constructor(site: string, compiled: unknown, runtime: number) {
    super(
      "contract",
      `${site} was compiled for contract ${show(compiled)} of Kept, and the runtime that it meets speaks ${runtime}. ` +
        "Two versions of `kept` are installed, or the build is older than the install. " +
        "Install one version (`npm ls kept` shows them) and build again.",
    );
    this.site = site;
  }

  static {
    nameOf(ContractError, "ContractError");
  }
}

/** A recorded side effect can't be played again as it was. */
export class ReplayError extends KeptError {
  readonly site: string;
  readonly element: string;

  constructor(site: string, element: string, why: string, options?: ErrorOptions) {
    super("replay", `Can't replay \`${element}\` on a hit of \`${functionName(site)}\` (${site}): ${why}`, options);
    this.site = site;
    this.element = element;
  }

  /** The element is no longer defined (or not in this process): what was recorded has nothing to be played by. */
  static unknown(site: string, element: string): ReplayError {
    return new ReplayError(
      site,
      element,
      `no element of that name is defined here. Define it before the call, at the top of a module:\n\n  export const ${
        isName(element) ? element : "show"
      } = element(${JSON.stringify(element)}, …);`,
    );
  }

  /** The element was called with something that lives outside of the cached function and is gone. */
  static gone(site: string, element: string, what: string): ReplayError {
    return new ReplayError(
      site,
      element,
      `it was called with ${what}, which came from outside of the cached function and no longer exists. ` +
        "Create it inside the cached function, or call the element outside of it.",
    );
  }

  /** An element's argument can't be recorded. */
  static unrecordable(site: string, element: string, cause: UncopyableResultError): ReplayError {
    return new ReplayError(site, element, `its arguments can't be recorded. ${cause.message.split("\n")[0]}`, {
      cause,
    });
  }

  static {
    nameOf(ReplayError, "ReplayError");
  }
}

/** A function that is not `async` returned a promise (or any thenable): what would be kept is the waiting, not the value. */
export function promiseFromSync(site: string): KeptError {
  const name = functionName(site);
  return new KeptError(
    "promise-from-sync",
    `\`${name}\` (${site}) is not \`async\` and returned a promise. Write \`async\`, so that what is kept is the value:\n\n` +
      `  async function ${isName(name) ? name : "f"}(…) { … }`,
  );
}

/** An `input()` was read inside a cached function that does not allow it. */
export function inputRefused(site: string, input: string): KeptError {
  return new KeptError(
    "input-refused",
    `\`${functionName(site)}\` (${site}) read the input \`${input}\` inside its body, where a hit would not read it. ` +
      "Read it outside and pass it as an argument, or let what it gives be part of the key:\n\n" +
      "  cacheOptions({ allowInputs: true });",
  );
}

/** `clear`, `refresh`, `has` or `peek` was given something that is no cached function. */
export function notCached(api: string, what: unknown): KeptError {
  return new KeptError(
    "not-cached",
    `\`${api}\` was given ${show(what)}, which is no cached function. ` +
      "Give the function that has the directive, or its id:\n\n  " +
      `${api}(load);\n  ${api}("src/rides.ts#load");`,
  );
}

/** A setting that does not exist. */
export function unknownOption(where: string, option: string, known: readonly string[], suggestion?: string): KeptError {
  return new KeptError(
    "unknown-option",
    `Unknown option \`${option}\` in \`${where}\`. ` +
      (suggestion ? `Did you mean \`${suggestion}\`?` : `The options are: ${known.join(", ")}.`),
  );
}

/** A setting with a value that it can't have. `expected` finishes the sentence "… must be". */
export function invalidOption(where: string, option: string, value: unknown, expected: string): KeptError {
  return new KeptError("invalid-option", `\`${option}\` in \`${where}\` must be ${expected}; got ${show(value)}.`);
}

/** `registerType` was given something that it can't register. */
export function badType(why: string, instead: string): KeptError {
  return new KeptError("bad-type", `Can't register this type: ${why}\n\n${instead}`);
}

/** `loadRides` of `src/rides.ts#loadRides`. */
export function functionName(site: string): string {
  return site.slice(site.lastIndexOf("#") + 1);
}

/** Whether this can be written after a dot. */
export function isName(text: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text);
}

/** A value in a message: short, and never the code of what it says. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return value.name ? `the function \`${value.name}\`` : "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

/** `validate` gave a promise where nobody can wait for it. */
export function asyncValidate(site: string): KeptError {
  const name = functionName(site);
  return new KeptError(
    "async-validate",
    `\`validate\` of \`${name}\` (${site}) gave a promise, and \`${name}\` is not \`async\`, so its callers can't wait for the answer. ` +
      `Make \`validate\` give true or false at once, or make the function \`async\`:\n\n  async function ${isName(name) ? name : "f"}(…) { … }`,
  );
}

/** A `"use cache resource"` function returned a generator: whoever comes second would get an exhausted one. */
export function generatorResult(site: string): KeptError {
  return new KeptError(
    "generator-result",
    `\`${functionName(site)}\` (${site}) returned a generator, which can be read once: the second caller would get nothing. ` +
      "Return what it gives, as an array:\n\n  return [...rows()];\n\nor return a function that makes a new generator for each caller.",
  );
}

/** `clear(fn, …)` and the like called the function to find its key, and its parameters could not be evaluated. */
export function argumentsUnbound(api: string, site: string): KeptError {
  const name = functionName(site);
  return new KeptError(
    "arguments-unbound",
    `\`${api}\` could not find the key of this call of \`${name}\` (${site}): its parameters can't be evaluated with these arguments ` +
      `(and \`this\`). Give the arguments that \`${name}\` is called with; for a method, give the object as well:\n\n  ${api}([object, ${isName(name) ? name : "method"}], …);`,
  );
}

/** A function that can't wait is to keep its results where one must wait for them. */
export function asyncStore(site: string, store: string): KeptError {
  const name = functionName(site);
  return new KeptError(
    "async-store",
    `\`${name}\` (${site}) is not \`async\`, and the store \`${store}\` can only be waited for. Make the function \`async\`:\n\n` +
      `  async function ${isName(name) ? name : "f"}(…) { … }\n\nor keep its results in memory alone, by leaving out:\n\n  cacheOptions({ persist: … });`,
  );
}

/** An input that can only be waited for was read by a function that can't wait. */
export function asyncInput(site: string, input: string): KeptError {
  const name = functionName(site);
  return new KeptError(
    "async-input",
    `\`${name}\` (${site}) read the input \`${input}\`, which gives a promise, and \`${name}\` is not \`async\`: ` +
      `a hit could not wait for it. Make the function \`async\`:\n\n  async function ${isName(name) ? name : "f"}(…) { … }`,
  );
}

/** A function that keeps results for everyone called one that keeps them per session. */
export function sessionInGlobal(site: string, outer: string): SessionError {
  return new SessionError(
    `\`${functionName(site)}\` (${site}) keeps its results per session and was called inside \`${functionName(outer)}\` (${outer}), ` +
      "which keeps them for everyone: what belongs to one session would be served to all. Make the outer one do as the inner:\n\n" +
      '  cacheOptions({ scope: "session" });',
    site,
  );
}

/** An element that is made inside a cached function would be bound to that one run. */
export function elementInside(site: string, element: string): ReplayError {
  return new ReplayError(
    site,
    element,
    `it was made inside of the cached function, so what it does belongs to one run. Make it at the top of a module:\n\n  export const ${
      isName(element) ? element : "show"
    } = element(${JSON.stringify(element)}, …);`,
  );
}
