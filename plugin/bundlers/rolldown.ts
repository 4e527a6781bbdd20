/** `kept/rolldown`: `plugins: [kept()]`. */
import type { Plugin } from "rolldown";
import type { PluginOptions } from "../options.ts";
import { rollupLike } from "./rollup-like.ts";

const kept = (options?: PluginOptions): Plugin => rollupLike(options, "rolldown") as Plugin;
export default kept;
