/** `kept/webpack`: `plugins: [kept()]`. */
import { kept } from "./unplugin.ts";

export default kept.webpack;
