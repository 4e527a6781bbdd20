/** `kept/rspack`: `plugins: [kept()]`. */
import { kept } from "./unplugin.ts";

export default kept.rspack;
