/** `kept/farm`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.farm;
