/** `kept/bun`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.bun;
