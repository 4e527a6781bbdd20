/** Where a value stands inside another, as a user would write it. */
import { isName } from "./errors.ts";

/** A property, an index, or a call: `{ method: "get", argument: "owner" }`. */
export type Step = string | number | symbol | { readonly method: string; readonly argument: unknown };

const MOST_STEPS = 12;

/** `.owner`, `[3]`, `["first name"]`, `.get("owner")` */
export function spell(steps: readonly Step[]): string {
  const text = steps.slice(0, MOST_STEPS).map(spellStep).join("");
  return steps.length > MOST_STEPS ? `${text}…` : text;
}

function spellStep(step: Step): string {
  if (typeof step === "string") return isName(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  if (typeof step !== "object") return `[${String(step)}]`;
  const { method, argument } = step;
  if (method === "keys" || method === "values") return `.${method}()[${argument}]`;
  const said =
    typeof argument === "string" ? JSON.stringify(argument) : typeof argument === "object" ? "…" : String(argument);
  return method.startsWith("[") ? `${method}()` : `.${method}(${argument === undefined ? "" : said})`;
}
