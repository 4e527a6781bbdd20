/**
 * Vitest keeps the modules that Vite has transformed, by their own text. In watch mode that text is read once: the modules
 * that hold hashes would stay as they were when a helper is edited. They take no time to make, so they are not kept.
 */
import { versionOfKept } from "../own-package.ts";
import { RESOLVED } from "./hash-modules.ts";

/** `string`: a part of the module's key; `false`: the module is not kept. */
type KeyGenerator = (module: { readonly id: string }) => string | false;

/** What is used of the context of Vitest's own plugin hook; Vitest 4 has it under the longer name. */
export interface VitestContext {
  readonly defineCacheKeyGenerator?: (generator: KeyGenerator) => void;
  readonly experimental_defineCacheKeyGenerator?: (generator: KeyGenerator) => void;
}

export function configureVitest(context: VitestContext): void {
  const key: KeyGenerator = ({ id }) => (RESOLVED.test(id) ? false : `kept ${versionOfKept()}`);
  if (context.defineCacheKeyGenerator) context.defineCacheKeyGenerator(key);
  else context.experimental_defineCacheKeyGenerator?.(key);
}
