/** `kept/farm`: `plugins: [kept()]`. */
import { kept } from "./unplugin.ts";

export default kept.farm;
