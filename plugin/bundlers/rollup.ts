/** `kept/rollup`: `plugins: [kept()]`. */
import type { Plugin } from "rollup";
import type { PluginOptions } from "../options.ts";
import { rollupLike } from "./rollup-like.ts";

const kept = (options?: PluginOptions): Plugin => rollupLike(options, "rollup") as Plugin;
export default kept;
