/**
 * Keys of what is neither plain nor an array: built-in types by what they hold, classes by what identifies their
 * instances. How each prototype is encoded is found once and remembered.
 */
import type { Encoder } from "./key-encoder.ts";
import { BYTE_ORDER, encodeBytes, encodeNumber, encodeString, frame } from "./key-text.ts";
import { builtIn, builtInName, GROUPS, isIndexed, namesBesides } from "./kinds.ts";
import { refuseKey, refusePretender } from "./refusals.ts";
import { findType, IDENTITY, identifier, nameInKeys, type RegisteredType, sourceName, typesVersion } from "./types.ts";

type Encode = (encoder: Encoder, value: any) => string;

let encoders = new WeakMap<object, Encode>();
let version = typesVersion();

/** How an object with this prototype becomes text. What can't is refused when it is tried. */
export function encoderOf(value: object, prototype: object): Encode {
  if (version !== typesVersion()) {
    encoders = new WeakMap();
    version = typesVersion();
  }
  const known = encoders.get(prototype);
  if (known !== undefined) return known;
  const found = findEncoder(value, prototype);
  if (found === undefined) return refuse;
  encoders.set(prototype, found);
  return found;
}

/** The nearest says it: this very built-in type, a registration, or a method of the class. */
function findEncoder(value: object, prototype: object): Encode | undefined {
  const registered = findType(prototype, identifier);
  const name = builtInName(prototype);
  if (name !== undefined && name in BUILT_INS && registered?.prototype !== prototype) return encodeBuiltIn(name);
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (at === registered?.prototype) return encodeRegistered(registered, prototype);
    if (Object.hasOwn(at, IDENTITY)) return encodeIdentified(prototype);
  }
  return IDENTITY in value ? encodeIdentified(prototype) : undefined;
}

const refuse: Encode = (encoder, value) => {
  throw encoder.refuseThis(refuseKey(value));
};

function encodeRegistered(type: RegisteredType, prototype: object): Encode {
  const identify = identifier(type)!;
  const tag = `c${frame(nameInKeys(type, prototype))}`;
  const by = type.key ? "key" : "encode";
  return (encoder, value) => tag + encoder.identifiedBy(value, identify(value), by);
}

function encodeIdentified(prototype: object): Encode {
  const type: unknown = prototype.constructor;
  const tag = `k${frame(typeof type === "function" ? sourceName(type) : "~")}`;
  return (encoder, value) => tag + encoder.identity(value);
}

/** How one built-in type is written. */
interface BuiltIn<T> {
  /** What identifies it. Throws on what is none of the type: a proxy, or an object made from its prototype alone. */
  read(value: any): T;
  write(encoder: Encoder, data: T, value: any): string;
  /** True for types of the host, which may keep properties of its own on them: none of them are the user's. */
  readonly bare?: true;
}

function encodeBuiltIn(name: string): Encode {
  const builtIn = BUILT_INS[name]!(name);
  return (encoder, value) => {
    let data: unknown;
    try {
      data = builtIn.read(value);
    } catch {
      throw encoder.refuseThis(refusePretender(name, "key"));
    }
    const text = builtIn.write(encoder, data, value);
    return builtIn.bare ? text : text + besides(encoder, value);
  };
}

/** Properties that a user has added to a built-in object. */
function besides(encoder: Encoder, value: object): string {
  const names = isIndexed(value) ? namesBesides(value) : Object.keys(value);
  if (names.length === 0 && Object.getOwnPropertySymbols(value).length === 0) return "";
  return `+${encoder.properties(value, names)}`;
}

/** A getter of the prototype: it throws on what is not of the type. */
function getter<T>(type: { readonly prototype: object }, name: string): (value: object) => T {
  const { get } = Object.getOwnPropertyDescriptor(type.prototype, name)!;
  return (value) => get!.call(value) as T;
}

function tagged<T extends object>(value: T, tag: string): T {
  if (Object.prototype.toString.call(value) !== `[object ${tag}]`) throw new TypeError(tag);
  return value;
}

type Make<T> = (name: string) => BuiltIn<T>;

/** Types are asked for what they need when the first of them is met: a host may lack any of the later ones. */
const BUILT_INS: Readonly<Record<string, Make<any>>> = {
  Date: () =>
    define<number>({
      read: (date) => Date.prototype.getTime.call(date),
      write: (_, time) => `D${encodeNumber(time)}`,
    }),
  RegExp: () => {
    const source = getter<string>(RegExp, "source");
    const flags = getter<string>(RegExp, "flags");
    return define<RegExp>({
      read: (pattern) => tagged(pattern, "RegExp"),
      write: (_, pattern) => `R${frame(source(pattern))}${frame(flags(pattern))}${encodeNumber(pattern.lastIndex)}`,
    });
  },
  Map: () => {
    const size = getter<number>(Map, "size");
    return define<number>({
      read: size,
      write: (encoder, _, map) => {
        const keyStep = { method: "keys", argument: 0 as unknown };
        const valueStep = { method: "get", argument: 0 as unknown };
        const parts: string[] = [];
        Map.prototype.forEach.call(map, (value, key) => {
          keyStep.argument = parts.length;
          valueStep.argument = key;
          parts.push(encoder.inside(keyStep, key) + encoder.inside(valueStep, value));
        });
        return `M${encoder.unordered(parts)};`;
      },
    });
  },
  Set: () => {
    const size = getter<number>(Set, "size");
    return define<number>({
      read: size,
      write: (encoder, _, set) => {
        const step = { method: "values", argument: 0 as unknown };
        const parts: string[] = [];
        Set.prototype.forEach.call(set, (member) => {
          step.argument = parts.length;
          parts.push(encoder.inside(step, member));
        });
        return `S${encoder.unordered(parts)};`;
      },
    });
  },
  ...each(GROUPS.error, (name) =>
    define<Error>({
      read: (error) => tagged(error, "Error"),
      write: (encoder, error) => {
        let text = `E${frame(name)}${encoder.inside("name", error.name)}${encoder.inside("message", error.message)}`;
        // Own and not enumerable, so that nothing else would see them.
        if (Object.hasOwn(error, "cause")) text += `!${encoder.inside("cause", error.cause)}`;
        if (Object.hasOwn(error, "errors")) text += `?${encoder.inside("errors", (error as AggregateError).errors)}`;
        return text;
      },
    }),
  ),
  DOMException: () =>
    define<DOMException>({
      read: (error) => tagged(error, "DOMException"),
      write: (_, error) => `X${encodeString(error.name)}${encodeString(error.message)}`,
      bare: true,
    }),
  ...each(GROUPS.boxed, (name) => {
    const { prototype } = builtIn(name) as { readonly prototype: { valueOf(): unknown } };
    return define<unknown>({
      read: (value) => prototype.valueOf.call(value),
      write: (encoder, primitive) => `O${encoder.value(primitive)}`,
    });
  }),
  ...each([...GROUPS.typedArray, "Buffer", "DataView"], (name) =>
    define<Uint8Array>({
      read: (view) => {
        if (!ArrayBuffer.isView(view)) throw new TypeError(name);
        return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      },
      write: (_, bytes) => `a${frame(name)}${BYTE_ORDER}${encodeBytes(bytes)}`,
    }),
  ),
  ArrayBuffer: () => {
    const length = getter<number>(ArrayBuffer, "byteLength");
    return define<Uint8Array>({
      read: (buffer) => new Uint8Array(buffer, 0, length(buffer)),
      write: (_, bytes) => `B${encodeBytes(bytes)}`,
    });
  },
  SharedArrayBuffer: () => {
    const length = getter<number>(SharedArrayBuffer, "byteLength");
    return define<Uint8Array>({
      // Copied first: others may write to it while it is hashed.
      read: (buffer) => new Uint8Array(buffer, 0, length(buffer)).slice(),
      write: (_, bytes) => `H${encodeBytes(bytes)}`,
    });
  },
  URL: () => define<string>({ read: getter(URL, "href"), write: (_, href) => `U${frame(href)}`, bare: true }),
  URLSearchParams: () =>
    define<string>({
      read: (params) => URLSearchParams.prototype.toString.call(params),
      write: (_, text) => `Q${frame(text)}`,
      bare: true,
    }),
  Headers: () =>
    define<string[]>({
      read: (headers) => [...Headers.prototype.entries.call(headers)].flat(),
      write: (_, names) => `K${names.map(frame).join("")};`,
      bare: true,
    }),
  FormData: () =>
    define<[string, unknown][]>({
      read: (form) => [...FormData.prototype.entries.call(form)],
      write: (encoder, fields) => {
        const texts = fields.map(
          ([name, value]) => frame(name) + encoder.inside({ method: "get", argument: name }, value),
        );
        return `G${texts.join("")};`;
      },
      bare: true,
    }),
  ...each(GROUPS.intl, (name) =>
    define<unknown>({
      read: (intl) => (name === "Intl.Locale" ? intl.toString() : intl.resolvedOptions()),
      write: (encoder, options) => `L${frame(name)}${encoder.value(options)}`,
      bare: true,
    }),
  ),
  ...each(GROUPS.temporal, (name) =>
    define<string>({
      read: (temporal) => temporalText(name, temporal),
      write: (_, text) => `P${frame(name)}${frame(text)}`,
      bare: true,
    }),
  ),
};

/** For the type checker: `T` is what is read and what is written. */
function define<T>(how: BuiltIn<T>): BuiltIn<T> {
  return how;
}

function each<T>(names: readonly string[], make: Make<T>): Record<string, Make<T>> {
  return Object.fromEntries(names.map((name) => [name, make]));
}

const DURATION = "years months weeks days hours minutes seconds milliseconds microseconds nanoseconds".split(" ");

function temporalText(name: string, temporal: any): string {
  // toString() balances the parts: 1000 ms and 1 s are two durations and one text.
  if (name === "Temporal.Duration") return DURATION.map((part) => temporal[part]).join();
  if (name === "Temporal.ZonedDateTime")
    return `${temporal.epochNanoseconds} ${temporal.timeZoneId} ${temporal.calendarId}`;
  return temporal.toString({ calendarName: "always" });
}
