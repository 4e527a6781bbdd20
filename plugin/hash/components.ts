/**
 * Hashes of a graph's nodes, bottom-up: a node's hash is that of its label and of everything it reaches. Nodes that reach
 * each other are refined together, as finite automata are minimised, until their names and their order have no say.
 */
import { digest } from "./digest.ts";

export interface HashNode {
  readonly label: string;
  /** Order and multiplicity count. */
  readonly ordered: readonly string[];
  /** Only the set counts. */
  readonly unordered: readonly string[];
}

/** Adds the hash of `root` and of all that it reaches to `known`, and gives that of `root`. */
export function hashFrom(root: string, nodeOf: (id: string) => HashNode, known: Map<string, string>): string {
  for (const component of componentsFrom(root, nodeOf, known)) hashComponent(component, nodeOf, known);
  return known.get(root) as string;
}

/** Tarjan's strongly connected components, deepest first. Iterative: a chain of imports may be long. */
function* componentsFrom(
  root: string,
  nodeOf: (id: string) => HashNode,
  known: ReadonlyMap<string, string>,
): Generator<string[]> {
  if (known.has(root)) return;
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const work: { id: string; children: readonly string[]; next: number }[] = [];

  const enter = (id: string): void => {
    const node = nodeOf(id);
    low.set(id, order.size);
    order.set(id, order.size);
    open.push(id);
    isOpen.add(id);
    work.push({ id, children: [...node.ordered, ...node.unordered], next: 0 });
  };
  enter(root);
  while (work.length > 0) {
    const frame = work[work.length - 1] as (typeof work)[number];
    const { id } = frame;
    const child = frame.children[frame.next++];
    if (child !== undefined) {
      if (known.has(child)) continue;
      if (!order.has(child)) enter(child);
      else if (isOpen.has(child)) low.set(id, Math.min(low.get(id) as number, order.get(child) as number));
      continue;
    }
    work.pop();
    const parent = work.at(-1)?.id;
    if (parent !== undefined) low.set(parent, Math.min(low.get(parent) as number, low.get(id) as number));
    if (low.get(id) !== order.get(id)) continue;
    const component = open.splice(open.lastIndexOf(id));
    for (const each of component) isOpen.delete(each);
    yield component;
  }
}

function hashComponent(
  component: readonly string[],
  nodeOf: (id: string) => HashNode,
  known: Map<string, string>,
): void {
  const [only] = component as [string];
  const combine = (id: string, hashOf: (child: string) => string): string => {
    const { label, ordered, unordered } = nodeOf(id);
    const set = [...new Set(unordered.map(hashOf))].sort();
    return digest(`${label}\n${ordered.map(hashOf).join(" ")}\n${set.join(" ")}`);
  };
  const isCycle = component.length > 1 || [...nodeOf(only).ordered, ...nodeOf(only).unordered].includes(only);
  if (!isCycle) {
    known.set(
      only,
      combine(only, (child) => known.get(child) as string),
    );
    return;
  }
  let current = new Map(component.map((id) => [id, digest(nodeOf(id).label)]));
  for (let classes = 0; ; ) {
    const before = current;
    current = new Map(
      component.map((id) => [
        id,
        digest(`${before.get(id)} ${combine(id, (child) => before.get(child) ?? (known.get(child) as string))}`),
      ]),
    );
    const found = new Set(current.values()).size;
    // One round more than it takes to tell all apart: a hash must know which of its children is which.
    if (found === classes) break;
    classes = found;
  }
  const all = [...current.values()].sort().join(" ");
  for (const id of component) known.set(id, digest(`${all}\n${current.get(id)}`));
}
