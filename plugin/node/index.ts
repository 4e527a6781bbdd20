/**
 * `node --import kept/node app.js`: annotated functions are rewritten as Node loads them.
 *
 * Node 22.15 and later: ES modules, CommonJS and TypeScript that Node strips. Node 20: ES modules and CommonJS.
 *
 * `bun --preload kept/node app.ts` works as well, and
 * `deno run -A --preload ./node_modules/kept/dist/plugin/node/index.js app.ts`.
 */
import module from "node:module";
import { transform } from "../index.ts";
import { registerInBun } from "./bun.ts";
import { registerInCommonJs, registerInTypeScript } from "./commonjs.ts";
import { keptSource, type Loaded } from "./load.ts";

type LoadSync = (url: string, context: unknown, next: (url: string, context: unknown) => Loaded) => Loaded;
const { registerHooks } = module as unknown as { registerHooks?: (hooks: { load: LoadSync }) => void };

if ("Deno" in globalThis) loadBinaries();
if ("Bun" in globalThis) registerInBun();
else if (registerHooks) registerHooks({ load: (url, context, next) => keptSource(url, next(url, context)) });
else {
  module.register("./hooks.js", import.meta.url);
  registerInCommonJs();
}
if (!("Bun" in globalThis || "Deno" in globalThis)) registerInTypeScript();

/** Deno can't load a package's binary once there are hooks: this loads those of the parser and the resolver. */
function loadBinaries(): void {
  try {
    transform('import { f } from "kept"; const g = () => { "use cache data"; return f(); };', { filename: "warm.js" });
  } catch (error) {
    if (!isDenied(error)) throw error;
    throw new Error(
      "kept/node reads your source files and loads two binaries, which Deno has to allow:\n\n  deno run --allow-read --allow-env --allow-sys --allow-ffi --preload … app.ts\n\nor `-A` for everything.",
      { cause: error },
    );
  }
}

/** Somewhere behind an error is one of Deno's for what was not allowed. */
function isDenied(error: unknown): boolean {
  const { name, message, cause } = (error ?? {}) as { name?: string; message?: string; cause?: unknown };
  if (name === "NotCapable" || /--allow-\w+/.test(message ?? "")) return true;
  return cause !== undefined && isDenied(cause);
}
