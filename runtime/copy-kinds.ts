/** How an object is copied, found once for each prototype. */
import { type Copy, leafCopy } from "./copy-leaves.ts";
import { builtInName, GROUPS, isPlain, isPlainArray } from "./kinds.ts";
import { findType, type RegisteredType, typesVersion } from "./types.ts";

export interface Kind {
  readonly name: string;
  /** `view`: shows a buffer. `leaf`: holds no other value that copying must look into. */
  readonly group: "plain" | "array" | "map" | "set" | "error" | "view" | "leaf";
  /** For views and leaves. */
  readonly copy?: Copy;
  /** Who made the class: a user, who may err, or the host, which may keep properties of its own on its objects. */
  readonly by?: "user" | "host";
}

const PLAIN: Kind = { name: "Object", group: "plain" };
const ARRAY: Kind = { name: "Array", group: "array" };
const VIEWS = [...GROUPS.typedArray, "Buffer", "DataView"];
const HOSTS = ["URL", "URLSearchParams", "Blob", "File", "DOMException"];

let kinds = new WeakMap<object, Kind>();
let version = typesVersion();

/** undefined for what can't be copied. */
export function kindOf(value: object): Kind | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (Array.isArray(value)) {
    if (isPlainArray(prototype)) return ARRAY;
  } else if (isPlain(prototype)) return PLAIN;
  if (version !== typesVersion()) {
    kinds = new WeakMap();
    version = typesVersion();
  }
  const known = kinds.get(prototype!);
  if (known !== undefined) return known;
  const found = findKind(value, prototype!);
  if (found !== undefined) kinds.set(prototype!, found);
  return found;
}

/** The nearest says it: this very built-in class, or a registration; else what the host itself can clone. */
function findKind(value: object, prototype: object): Kind | undefined {
  const registered = findType(prototype, (type) => type.copy ?? type.encode);
  const name = builtInName(prototype);
  if (name !== undefined && registered?.prototype !== prototype) return builtInKind(name);
  return registered === undefined ? hostKind(value, prototype) : registeredKind(registered);
}

function builtInKind(name: string): Kind | undefined {
  if (name === "Map") return { name, group: "map" };
  if (name === "Set") return { name, group: "set" };
  if ((GROUPS.error as readonly string[]).includes(name)) return { name, group: "error" };
  const copy = leafCopy(name);
  if (copy === undefined) return undefined;
  if (HOSTS.includes(name) || name.includes(".")) return { name, group: "leaf", copy, by: "host" };
  return { name, group: VIEWS.includes(name) ? "view" : "leaf", copy };
}

function registeredKind({ name, copy, encode, decode }: RegisteredType): Kind {
  // What `encode` gives may be a part of the instance itself.
  const make: Copy = copy ?? ((value) => decode!(structuredClone(encode!(value))));
  return { name, group: "leaf", copy: make, by: "user" };
}

/** CryptoKey, KeyObject, WebAssembly.Module and whatever will come: kept where structuredClone keeps the class. */
function hostKind(value: object, prototype: object): Kind | undefined {
  try {
    if (Object.getPrototypeOf(structuredClone(value)) !== prototype) return undefined;
  } catch {
    return undefined;
  }
  const type = prototype.constructor as { readonly name: string } | undefined;
  return { name: type?.name ?? "object", group: "leaf", copy: structuredClone, by: "host" };
}
