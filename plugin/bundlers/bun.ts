/** `kept/bun`: `plugins: [kept()]`. */
import { kept } from "./unplugin.ts";

export default kept.bun;
