/**
 * `node --import kept/node app.js`: annotated functions are rewritten as Node loads them.
 *
 * Node 22.15 and later: ES modules, CommonJS and TypeScript that Node strips. Node 20: ES modules only; its hooks never
 * see the source of CommonJS.
 */
import module from "node:module";
import { keptSource, type Loaded } from "./load.ts";

type LoadSync = (url: string, context: unknown, next: (url: string, context: unknown) => Loaded) => Loaded;
const { registerHooks } = module as unknown as { registerHooks?: (hooks: { load: LoadSync }) => void };

if (registerHooks) registerHooks({ load: (url, context, next) => keptSource(url, next(url, context)) });
else module.register("./hooks.js", import.meta.url);
