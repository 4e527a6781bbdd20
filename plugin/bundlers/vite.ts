/** `kept/vite`: `plugins: [kept()]`. */
import { kept } from "./factory.ts";

export default kept.vite;
