/** `kept/rollup`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.rollup;
