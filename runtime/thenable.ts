/** A promise, of whatever make: what `await` would wait for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Objects that are looked at. A getter may hand out all that a program holds, or a proxy without end. */
const MOST = 1000;

/**
 * A promise that nobody will look at, and those that a value holds in lists and objects, not too far down: what they end
 * in is not told as an unhandled rejection.
 */
export function disown(value: unknown): void {
  const all = new Set([value]);
  for (const each of all) {
    if (typeof each !== "object" || each === null) continue;
    try {
      if (isThenable(each)) Promise.prototype.then.call(each, undefined, () => {});
      else
        for (const name of Object.getOwnPropertyNames(each)) {
          if (all.size >= MOST) break;
          all.add(Object.getOwnPropertyDescriptor(each, name)?.value);
        }
    } catch {
      // A proxy, or not a promise of the language: the `then` of others may be what starts them, and no host watches them.
    }
  }
}
