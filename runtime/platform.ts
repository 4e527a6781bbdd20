/**
 * What only some hosts have, asked for at run time. No `node:` module is imported statically: `kept` loads in a browser
 * and in workers, where sessions and nesting are followed up to the first `await` only.
 */

interface AsyncLocalStorage<T> {
  getStore(): T | undefined;
  run<R>(store: T, body: () => R): R;
  disable?(): void;
}
interface AsyncLocalStorageType {
  new <T>(): AsyncLocalStorage<T>;
  snapshot?(): <R>(body: () => R) => R;
}
interface Timer {
  unref?(): unknown;
}

export type { AsyncLocalStorage, Timer };

interface Host {
  readonly process?: {
    getBuiltinModule?(name: string): unknown;
    readonly versions?: Readonly<Record<string, string | undefined>>;
    readonly env?: Readonly<Record<string, string | undefined>>;
  };
  readonly AsyncLocalStorage?: AsyncLocalStorageType;
  readonly Deno?: { unrefTimer?(id: unknown): void };
}
const host = globalThis as unknown as Host;

/** A module of Node, or nothing where there is none. */
export function builtin<T>(name: string): T | undefined {
  try {
    return host.process?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined;
  }
}

const AsyncContext: AsyncLocalStorageType | undefined =
  builtin<{ AsyncLocalStorage?: AsyncLocalStorageType }>("node:async_hooks")?.AsyncLocalStorage ??
  host.AsyncLocalStorage;

/** A value that follows an asynchronous flow; nothing where the host can't do that. */
export function asyncContext<T>(): AsyncLocalStorage<T> | undefined {
  return AsyncContext === undefined ? undefined : new AsyncContext<T>();
}

/**
 * Before Node 24 a used AsyncLocalStorage makes every promise of the process dearer (measured on 20.20: 56 ns → 113 ns
 * for an `await`), until it is disabled.
 */
export const contextsAreDear: boolean = (() => {
  const versions = host.process?.versions;
  return versions?.node !== undefined && !versions.bun && !versions.deno && Number.parseInt(versions.node, 10) < 24;
})();

/**
 * Runs `body` in the asynchronous context in which this module was loaded. A timer made inside of a request would hold
 * on to everything that the request's contexts hold (TanStack/query#11320).
 */
export const outsideContexts: <R>(body: () => R) => R = AsyncContext?.snapshot?.() ?? ((body) => body());

/** A timer that never keeps the process alive. */
export function quietTimer(body: () => void, ms: number): Timer {
  const timer = setTimeout(body, ms) as unknown as Timer;
  if (typeof timer === "object") timer.unref?.();
  else host.Deno?.unrefTimer?.(timer);
  return timer;
}

export function stopTimer(timer: Timer): void {
  clearTimeout(timer as never);
}

/** In a later turn of the event loop, when all who await have got what they awaited. */
export function nextTurn(body: () => void): void {
  if (typeof setImmediate === "function") setImmediate(body);
  else setTimeout(body, 0);
}

/** An environment variable as it is now; `undefined` where there is no environment. */
export function environment(name: string): string | undefined {
  return host.process?.env?.[name];
}
