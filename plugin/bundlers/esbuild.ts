/** `kept/esbuild`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.esbuild;
