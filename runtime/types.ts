/** The user's own types: what identifies them in a key, how they are copied, and how they are written down. */

export interface TypeOptions<T> {
  /** Names the type in keys and stores. Default: the class's name together with a digest of its source. */
  readonly name?: string;
  /** What identifies an instance: anything that can be keyed. */
  readonly key?: (value: T) => unknown;
  readonly copy?: (value: T) => T;
  readonly encode?: (value: T) => unknown;
  readonly decode?: (data: any) => T;
}

/** Subclasses included. */
export function registerType<T>(type: abstract new (...args: any[]) => T, how: TypeOptions<T>): void {
  registered.set(type.prototype as object, how as TypeOptions<unknown>);
}

const registered = new Map<object, TypeOptions<unknown>>();
