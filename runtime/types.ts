/**
 * The user's own types: what identifies an instance in a key, how it is copied, how it is written down. One registry
 * for the whole process, also where two copies of the package are loaded (ESM beside CommonJS).
 */
import { digestText } from "./digest.ts";
import { badType } from "./errors.ts";
import { shared } from "./shared.ts";

/** How instances of a class are treated. Give what is needed: `key` for arguments; `copy`, or `encode` and `decode`, for results. */
export interface TypeOptions<T> {
  /**
   * Names the type in keys and in stores. Default: the class's name and a digest of its source, which a minifier or a
   * rename changes; give a name to keep what is stored through that.
   */
  readonly name?: string;
  /**
   * What identifies an instance: anything that can be keyed itself. Return the value itself to mean its own enumerable
   * properties. Default: what `encode` gives.
   */
  readonly key?: (value: T) => unknown;
  /** A private copy; return the value itself if instances never change. Default: `decode(encode(value))`. */
  readonly copy?: (value: T) => T;
  /** An instance as plain data, for stores. */
  readonly encode?: (value: T) => unknown;
  /** The instance again. */
  readonly decode?: (data: any) => T;
}

/** A registered type, found by an instance's prototype or by its name. */
export interface RegisteredType extends TypeOptions<any> {
  readonly name: string;
  readonly prototype: object;
}

/** `[Symbol.for("kept.key")]()`: what a class says itself identifies an instance. */
export const IDENTITY: unique symbol = Symbol.for("kept.key") as never;

type Constructor<T> = abstract new (...args: any[]) => T;

interface Registry {
  readonly byPrototype: Map<object, RegisteredType>;
  readonly byName: Map<string, RegisteredType>;
  /** Raised by each registration, so that whoever remembers an answer asks again. */
  version: number;
}

const registry = shared<Registry>("types", () => ({ byPrototype: new Map(), byName: new Map(), version: 0 }));

/**
 * Says how instances of a class (and of its subclasses) are keyed, copied and stored. A second registration of the
 * same class, or under the same `name` (as hot reload brings), replaces the first.
 *
 * ```ts
 * registerType(User, { key: (user) => user.id });
 * registerType(Money, { encode: (m) => [m.amount, m.unit], decode: ([amount, unit]) => new Money(amount, unit) });
 * ```
 *
 * @throws KeptError `bad-type` for what is no class, for `Object` and `Array`, and for unknown options
 */
export function registerType<T>(type: Constructor<T>, how: TypeOptions<T>): void {
  const prototype = assertType(type);
  assertOptions(how, type);
  const registered: RegisteredType = { ...how, name: how.name ?? sourceName(type), prototype };
  const before = registry.byPrototype.get(prototype);
  if (before !== undefined && registry.byName.get(before.name) === before) registry.byName.delete(before.name);
  registry.byPrototype.set(prototype, registered);
  registry.byName.set(registered.name, registered);
  registry.version++;
}

/** Of all that is registered above an instance with this prototype, the nearest that says what is needed. */
export function findType(
  prototype: object | null,
  says: (type: RegisteredType) => unknown = () => true,
): RegisteredType | undefined {
  for (let at = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const registered = registry.byPrototype.get(at);
    if (registered !== undefined && says(registered) !== undefined) return registered;
  }
  return undefined;
}

/** What identifies an instance. */
export function identifier(type: RegisteredType): ((value: any) => unknown) | undefined {
  return type.key ?? type.encode;
}

/** The type that a store wrote under this name. */
export function typeNamed(name: string): RegisteredType | undefined {
  return registry.byName.get(name);
}

/** Changes whenever {@link findType} may answer otherwise. */
export function typesVersion(): number {
  return registry.version;
}

/**
 * A name for a class that is the same in every process of one build and differs between two classes of one name,
 * unless their sources are the same to the letter.
 */
export function sourceName(type: { readonly name: string }): string {
  return `${type.name}~${digestText(Function.prototype.toString.call(type)).slice(1, 13)}`;
}

/** What an instance with this prototype is called in a key: a subclass is told apart from the type that it inherits. */
export function nameInKeys(registered: RegisteredType, prototype: object): string {
  if (prototype === registered.prototype) return registered.name;
  const own = (prototype as { constructor?: unknown }).constructor;
  return `${registered.name}<${typeof own === "function" ? sourceName(own) : "~"}`;
}

function assertType(type: unknown): object {
  const prototype: unknown = typeof type === "function" ? type.prototype : undefined;
  if (typeof prototype !== "object" || prototype === null) {
    throw badType("it is no class.", "Give the class itself:\n\n  registerType(User, { key: (user) => user.id });");
  }
  if (prototype === Object.prototype || prototype === Array.prototype) {
    throw badType(
      "plain objects and arrays are keyed and copied by their content.",
      "Give them a class, and register that; or leave the argument out of the key:\n\n  cacheOptions({ ignore: […] });",
    );
  }
  return prototype;
}

const OPTIONS = ["name", "key", "copy", "encode", "decode"];

function assertOptions(how: object, type: { readonly name: string }): void {
  for (const [option, value] of Object.entries(how)) {
    const expected = option === "name" ? "string" : "function";
    if (!OPTIONS.includes(option)) {
      throw badType(`\`${option}\` is no option of registerType.`, `The options are: ${OPTIONS.join(", ")}.`);
    }
    if (value !== undefined && typeof value !== expected) {
      throw badType(`\`${option}\` of ${type.name} is not a ${expected}.`, `Give a ${expected}.`);
    }
  }
  const { encode, decode } = how as TypeOptions<unknown>;
  if ((encode === undefined) !== (decode === undefined)) {
    throw badType(
      `${type.name} has ${encode ? "`encode` and no `decode`" : "`decode` and no `encode`"}.`,
      "Give both, so that what is written can be read again.",
    );
  }
}
