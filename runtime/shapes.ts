/**
 * Objects that list the same property names in the same order share one shape: their names are sorted and spelt once,
 * not once per object. Measured on 1,000 leaves in 250 objects: a key takes a third of the time.
 */
import { digestText } from "./digest.ts";

/** The names of an object's properties in canonical order (by code unit). */
export interface Shape {
  readonly names: readonly string[];
  /** Where each of {@link names} stands among the names as the object lists them. */
  readonly order: readonly number[];
  /** `{2:id4:name|`: how the text of such an object begins; with many or long names, a digest of that. */
  readonly header: string;
}

/**
 * The shape of an object that lists these names in this order.
 *
 * @param names as `Object.keys` gives them
 */
export function shapeOf(names: readonly string[]): Shape {
  if (names.length > MOST_SMALL) return largeShapeOf(names);
  let node = root;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    // Names of properties are interned, so for a shape that was seen last time this compares pointers.
    node = node.lastName === name ? node.lastChild! : step(node, name);
  }
  return (node.shape ??= makeShape(names));
}

/** A header that is longer is replaced by its digest, once for all objects of the shape. */
const LONG_HEADER = 96;

function makeShape(listed: readonly string[]): Shape {
  const order = listed.map((_, at) => at).sort((a, b) => (listed[a]! < listed[b]! ? -1 : 1));
  const names = order.map((at) => listed[at]!);
  const header = `{${names.map((name) => `${name.length}:${name}`).join("")}|`;
  return { names, order, header: header.length > LONG_HEADER ? `{${digestText(header)}` : header };
}

/** One name further: a trie over names in insertion order. */
class Node {
  lastName: string | undefined = undefined;
  lastChild: Node | undefined = undefined;
  children: Map<string, Node> | undefined = undefined;
  shape: Shape | undefined = undefined;
}

/** Objects used as dictionaries have ever new names: the trie starts afresh rather than keep them all. */
const MOST_NODES = 8192;
const MOST_SMALL = 64;
const LONGEST_NAME = 256;

let root = new Node();
let nodes = 0;

function step(node: Node, name: string): Node {
  const known = node.children?.get(name);
  if (known !== undefined) {
    node.lastName = name;
    node.lastChild = known;
    return known;
  }
  const child = new Node();
  // A name as long as a document is walked, not kept.
  if (name.length > LONGEST_NAME) return child;
  if (++nodes > MOST_NODES) {
    root = new Node();
    nodes = 0;
  }
  (node.children ??= new Map()).set(name, child);
  node.lastName = name;
  node.lastChild = child;
  return child;
}

/** Large objects: the last few are compared name by name, which costs a nanosecond each and ends at the first that differs. */
const LARGE_KEPT = 8;
const large: { readonly listed: readonly string[]; readonly shape: Shape }[] = [];
let replaceNext = 0;

function largeShapeOf(names: readonly string[]): Shape {
  for (const { listed, shape } of large) if (sameNames(listed, names)) return shape;
  const shape = makeShape(names);
  if (names.length <= MOST_NODES) {
    large[replaceNext] = { listed: names, shape };
    replaceNext = (replaceNext + 1) % LARGE_KEPT;
  }
  return shape;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
