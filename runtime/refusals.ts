/**
 * Values that can't be keyed or can't be copied, in words: what each is, why, and what to write instead. The errors
 * that carry these words stand in errors.ts.
 */
import type { Refusal } from "./errors.ts";

interface Words {
  readonly what?: string;
  readonly why: string;
  /** As an argument. */
  readonly key?: string;
  /** In a result. */
  readonly copy?: string;
}

const STREAM: Words = {
  why: "A stream is consumed as it is read.",
  key: "Read it first and pass what it gave:\n\n  await load(await text(stream));",
  copy: "Read it to its end and return what it gave:\n\n  return await text(stream);",
};

const ITERATOR: Words = {
  why: "An iterator is consumed as it is read.",
  key: "Pass its values as an array:\n\n  load([...iterator]);",
  copy: "Return its values as an array:\n\n  return [...iterator];",
};

const WEAK: Words = {
  why: "What it holds can't be listed.",
  key: "Pass a Map or a Set, or the key that identifies it.",
  copy: "Return a Map or a Set.",
};

const ABORT: Words = {
  why: "It says when to stop, not what to compute.",
  key: "It belongs in no key: begin its name with an underscore, as below. One caller's signal does not end the run of the others.",
  copy: "Return what was computed, without it.",
};

/** By what `Object.prototype.toString` calls the value. */
const WORDS: Readonly<Record<string, Words>> = {
  Promise: {
    why: "What it will give is not known yet.",
    key: "Await it first:\n\n  load(await promise);",
    copy: "Await it before you return it:\n\n  return { rows: await rows };",
  },
  WeakMap: WEAK,
  WeakSet: WEAK,
  WeakRef: WEAK,
  FinalizationRegistry: WEAK,
  Blob: {
    why: "Its bytes can only be read by awaiting them.",
    key: "Pass the bytes:\n\n  load(await blob.arrayBuffer());",
  },
  File: {
    why: "Its bytes can only be read by awaiting them.",
    key: "Pass the bytes, with the name if it matters:\n\n  load(await file.arrayBuffer(), file.name);",
  },
  Request: {
    why: "Its body can only be read once.",
    key: "Pass what the result depends on:\n\n  load(request.url, request.method);",
    copy: "Return what was read from it:\n\n  return { url: request.url, body: await request.json() };",
  },
  Response: {
    why: "Its body can only be read once.",
    key: "Pass what it says:\n\n  load(await response.json());",
    copy: "Return what it says:\n\n  return await response.json();",
  },
  Headers: { why: "It belongs to its host.", copy: "Return plain data:\n\n  return [...headers];" },
  FormData: { why: "It belongs to its host.", copy: "Return plain data:\n\n  return [...formData];" },
  ReadableStream: STREAM,
  WritableStream: STREAM,
  TransformStream: STREAM,
  Generator: ITERATOR,
  AsyncGenerator: {
    why: ITERATOR.why,
    key: "Collect its values first and pass them as an array.",
    copy: "Collect its values and return them:\n\n  const all = [];\n  for await (const value of values) all.push(value);\n  return all;",
  },
  AbortSignal: ABORT,
  AbortController: ABORT,
  Event: {
    why: "It belongs to the moment in which it was sent.",
    key: "Pass what the result depends on:\n\n  load(event.target.value);",
  },
};

/** Why this value can't be part of a key. */
export function refuseKey(value: unknown): Refusal {
  return refuse(value, "key");
}

/** Why this value can't be part of a copied result. */
export function refuseCopy(value: unknown): Refusal {
  return refuse(value, "copy");
}

function refuse(value: unknown, use: "key" | "copy"): Refusal {
  if (typeof value === "symbol") return symbol(value, use);
  if (typeof value === "function") return callable(value, use);
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const words = WORDS[tag] ?? duckWords(value as object, tag);
  // The iterators of built-in types share one class, or none.
  const type = tag.endsWith(" Iterator") ? tag : (className(value as object) ?? tag);
  if (words?.[use] !== undefined) return { type, what: withArticle(type), why: words.why, instead: words[use] };
  return instance(value as object, use);
}

/** What a value can be told by what it can do: Node's streams, thenables, iterators. */
function duckWords(value: object, tag: string): Words | undefined {
  if (tag.endsWith(" Iterator") || tag === "Iterator") return ITERATOR;
  const can = (name: string) => typeof (value as Record<string, unknown>)[name] === "function";
  if (can("then")) return WORDS.Promise;
  if (can("pipe") && can("on")) return STREAM;
  if (can("next") && Symbol.iterator in value) return ITERATOR;
  if (can("next") && Symbol.asyncIterator in value) return WORDS.AsyncGenerator;
  return undefined;
}

function symbol(value: symbol, use: "key" | "copy"): Refusal {
  if (use === "copy") {
    return {
      type: "symbol",
      what: `the symbol \`${String(value)}\``,
      why: "A symbol means nothing outside of its process, and a result may be stored.",
      instead: "Return a string instead.",
    };
  }
  return {
    type: "symbol",
    what: `the symbol \`${String(value)}\``,
    why: "It is another one in every process.",
    instead: `Register it, so that its name identifies it:\n\n  Symbol.for(${JSON.stringify(value.description ?? "name")});`,
  };
}

function callable(value: { readonly name: string }, use: "key" | "copy"): Refusal {
  const isClass = Function.prototype.toString.call(value).startsWith("class");
  const type = isClass ? "class" : "function";
  const what = value.name ? `the ${type} \`${value.name}\`` : `a ${type} without a name`;
  if (use === "copy") {
    return {
      type,
      what,
      why: "Its variables are out of reach, so it can't be copied or stored.",
      instead: "Return data, and let the caller hold the function.",
    };
  }
  return {
    type,
    what,
    why: "Two functions of one source can differ by the variables they close over.",
    instead:
      "Pass what it depends on (a name, its settings) and choose the function inside; or make it a cached function itself, " +
      "which is keyed by its code.",
  };
}

function instance(value: object, use: "key" | "copy"): Refusal {
  const name = className(value);
  if (name === undefined) {
    return {
      type: "object",
      what: "an object with a prototype of its own",
      why:
        use === "key"
          ? "What it inherits is not known to be the same next time."
          : "A copy would lose what it inherits.",
      instead: "Make it a plain object: { ...value }.",
    };
  }
  const variable = /^[A-Z]\w*$/.test(name) ? name[0]!.toLowerCase() + name.slice(1) : "value";
  return use === "key"
    ? {
        type: name,
        what: `an instance of \`${name}\``,
        why: "Kept can't know what identifies it.",
        instead:
          `Say what identifies it:\n\n  registerType(${name}, { key: (${variable}) => ${variable}.id });\n\n` +
          `or in the class itself:\n\n  [Symbol.for("kept.key")]() { return this.id; }`,
      }
    : {
        type: name,
        what: `an instance of \`${name}\``,
        why: "A copy of its fields alone would lose its class and what is private to it.",
        instead: `Say how to copy it, or return plain data:\n\n  registerType(${name}, { copy: (${variable}) => new ${name}(…) });`,
      };
}

/** `User` for `new User()`; undefined for what no class made. */
function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return undefined;
  const type: unknown = (prototype as object).constructor;
  if (typeof type !== "function" || type === Object) return undefined;
  return type.name || "an anonymous class";
}

/** An endless proxy, or more nesting than can be followed. */
export function refuseDepth(levels: number, use: "key" | "copy"): Refusal {
  return {
    type: "object",
    what: `nested more than ${levels} levels deep`,
    why: "It is a proxy that never ends, or a chain too long to follow.",
    instead: use === "key" ? "Pass what the result depends on: an id, or a flat list." : "Return a flat list.",
  };
}

/** A getter of `this` that calls the cached method whose key reads the getter. */
export function refuseCircle(): Refusal {
  return {
    type: "object",
    what: "keyed by calling the function again",
    why: "To key it, its getters are read; one of them calls the function, which needs the same key first.",
    instead:
      'Say what identifies it:\n\n  [Symbol.for("kept.key")]() { return [this.id]; }\n\nor key the function by what it uses:\n\n  cacheOptions({ key: () => [this.id] });',
  };
}

/** A registered `copy` or `decode` that gave something of another class. */
export function refuseCopied(value: object, made: unknown): Refusal {
  const type = className(value) ?? "object";
  const got = typeof made === "object" && made !== null ? (className(made) ?? "plain object") : typeof made;
  return {
    type,
    what: `an instance of \`${type}\``,
    why: `What is registered for it made a \`${got}\` of it, not another \`${type}\`.`,
    instead: `Register the class itself, or keep it:\n\n  registerType(${type}, { copy: (value) => new value.constructor(…) });`,
  };
}

/** `Object.create(Date.prototype)`, or a proxy of a `Map`: the class without what makes it work. */
export function refusePretender(name: string, use: "key" | "copy"): Refusal {
  return {
    type: name,
    what: `something that looks like ${withArticle(name)} and is none`,
    why: "It is a proxy, or an object made from the prototype alone; what it holds is out of reach.",
    instead: `${use === "key" ? "Pass" : "Return"} the \`${name}\` itself, or plain data.`,
  };
}

/** A getter or setter in a result. */
export function refuseAccessor(): Refusal {
  return {
    type: "accessor",
    what: "a getter or setter",
    why: "A copy would freeze what it gives now, or run it once more.",
    instead: "Return its value as a plain property.",
  };
}

/** `copy: "freeze"` and something that stays mutable when frozen. */
export function refuseFreeze(type: string): Refusal {
  return {
    type,
    what: withArticle(type),
    why: "Object.freeze leaves what it holds open to change, so it can't be shared by all callers.",
  };
}

function withArticle(type: string): string {
  return `${/^[AEIO]/.test(type) ? "an" : "a"} \`${type}\``;
}
