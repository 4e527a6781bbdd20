/** The plugin for Vite, Rollup and Rolldown, whose shape it has: nothing stands in between, and nothing else is loaded. */
import type { PluginOptions } from "../options.ts";
import { makePlugin } from "./factory.ts";
import { configureVitest } from "./vitest.ts";

export function rollupLike(options: PluginOptions | undefined, framework: "vite" | "rollup" | "rolldown"): unknown {
  const { vite, webpack, rspack, farm, esbuild, ...plugin } = makePlugin(options, framework);
  return framework === "vite" ? { ...plugin, ...vite, configureVitest } : plugin;
}
