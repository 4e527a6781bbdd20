/** How far an object is closed to changes: what `Object.freeze` and its weaker sisters have done to it. */

/** From open to frozen. The order is part of the stores' format. */
const CLOSE: readonly ((object: object) => unknown)[] = [
  (open) => open,
  Object.preventExtensions,
  Object.seal,
  Object.freeze,
];

/** 0: not at all. */
export function integrityOf(object: object): number {
  if (Object.isExtensible(object)) return 0;
  return Object.isFrozen(object) ? 3 : Object.isSealed(object) ? 2 : 1;
}

/** Closes an object that has got all its properties. */
export function close(object: object, integrity: number): void {
  CLOSE[integrity]?.(object);
}
