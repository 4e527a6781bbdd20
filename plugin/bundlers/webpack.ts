/** `kept/webpack`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.webpack;
