/** `kept/rspack`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.rspack;
