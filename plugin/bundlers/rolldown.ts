/** `kept/rolldown`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.rolldown;
