/** `kept/esbuild`: `plugins: [kept()]`. */
import { kept } from "./unplugin.ts";

export default kept.esbuild;
