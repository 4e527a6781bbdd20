/** `kept/vite`: `plugins: [kept()]`. */
import type { Plugin } from "vite";
import type { PluginOptions } from "../options.ts";
import { rollupLike } from "./rollup-like.ts";

const kept = (options?: PluginOptions): Plugin => rollupLike(options, "vite") as Plugin;
export default kept;
