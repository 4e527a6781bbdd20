/** What nobody can change needs no copy. */
import { isPlain, isPlainArray } from "./kinds.ts";

/**
 * Primitives, and plain objects and arrays that are frozen all the way down. Other objects can be frozen too, but not
 * what they hold (a Map, a Date); those that can't be copied are not for this file to judge.
 *
 * @returns about how many bytes the value takes; undefined if it can change
 */
export function frozenBytes(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return primitiveBytes(value);
  if (!Object.isFrozen(value)) return undefined;
  let bytes = 0;
  const seen = new Set<object>([value]);
  for (const object of seen) {
    if (!Object.isFrozen(object) || !isData(object)) return undefined;
    for (const name of Reflect.ownKeys(object)) {
      if (typeof name === "symbol") return undefined;
      const property = Object.getOwnPropertyDescriptor(object, name)!;
      if (property.get !== undefined || property.set !== undefined) return undefined;
      const child: unknown = property.value;
      if (typeof child === "object" && child !== null) seen.add(child);
      else {
        const size = primitiveBytes(child);
        if (size === undefined) return undefined;
        bytes += 8 + size;
      }
    }
    bytes += 24;
  }
  return bytes;
}

function primitiveBytes(value: unknown): number | undefined {
  switch (typeof value) {
    case "string":
      return 16 + value.length;
    case "function":
      return undefined;
    case "symbol":
      return Symbol.keyFor(value) === undefined ? undefined : 8;
    case "bigint":
      return 24;
    default:
      return 8;
  }
}

function isData(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null;
  return Array.isArray(object) ? isPlainArray(prototype) : isPlain(prototype);
}
