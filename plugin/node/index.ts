/**
 * `node --import kept/node app.js`: annotated functions are rewritten as Node loads them.
 *
 * Node 22.15 and later: ES modules, CommonJS and TypeScript that Node strips. Node 20: ES modules only; its hooks never
 * see the source of CommonJS.
 *
 * `bun --preload kept/node app.ts` and `deno run --preload kept/node app.ts` work as well.
 */
import module from "node:module";
import { transform } from "../index.ts";
import { registerInBun } from "./bun.ts";
import { keptSource, type Loaded } from "./load.ts";

type LoadSync = (url: string, context: unknown, next: (url: string, context: unknown) => Loaded) => Loaded;
const { registerHooks } = module as unknown as { registerHooks?: (hooks: { load: LoadSync }) => void };

// Deno can't load a package's binary once there are hooks: this loads those of the parser and the resolver.
if ("Deno" in globalThis)
  transform('import { f } from "kept"; const g = () => { "use cache data"; return f(); };', { filename: "warm.js" });
if ("Bun" in globalThis) registerInBun();
else if (registerHooks) registerHooks({ load: (url, context, next) => keptSource(url, next(url, context)) });
else module.register("./hooks.js", import.meta.url);
