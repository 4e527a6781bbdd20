/**
 * What any plugin would cost that does a part of what Kept does, with Kept's own filters: plugins in the shape of Rollup,
 * Rolldown and Vite. Each loads what it needs when the first file comes, as Kept does.
 */
import { createRequire } from "node:module";

const DIRECTIVE = "use cache data";
const FILTER = { id: { include: /\.[cm]?[jt]sx?$/, exclude: /[\\/]node_modules[\\/]/ }, code: /use[\W_]{0,3}cach/i };
const require = createRequire(import.meta.url);

/** @typedef {(source: string, id: string) => Promise<{ code: string, map: any } | null>} Handler */

/** @type {Record<string, { title: string, handler: Handler }>} */
export const RIVALS = {
  idle: {
    title: "a plugin that does nothing",
    handler: async () => null,
  },
  swc: {
    title: "@swc/core parses, nothing else",
    async handler(source) {
      const swc = require("@swc/core");
      swc.parseSync(source, { syntax: "typescript", target: "esnext" });
      return null;
    },
  },
  babel: {
    title: "@babel/core parses, nothing else",
    async handler(source, filename) {
      const babel = require("@babel/core");
      babel.parseSync(source, {
        filename,
        babelrc: false,
        configFile: false,
        sourceType: "module",
        parserOpts: { plugins: ["typescript"] },
      });
      return null;
    },
  },
  rsc: {
    title: "@vitejs/plugin-rsc hoists, with Rolldown's parser",
    async handler(source, id) {
      const { parseSync } = await import("rolldown/utils");
      const { transformHoistInlineDirective } = await import("@vitejs/plugin-rsc/transforms");
      const { output } = transformHoistInlineDirective(source, /** @type {any} */ (parseSync(id, source).program), {
        directive: DIRECTIVE,
        runtime: (value, name) => `register(${value}, ${JSON.stringify(name)})`,
      });
      return { code: output.toString(), map: output.generateMap({ hires: "boundary", source: id }) };
    },
  },
};

/** @param {string} name */
export function rivalPlugin(name) {
  const rival = RIVALS[name];
  if (!rival) throw new Error(`no such rival: ${name}`);
  return { name, enforce: "pre", transform: { order: "pre", filter: FILTER, handler: rival.handler } };
}
