/** The options of stores over keys and values, checked: what is misspelt is refused. */
import { invalidOption, unknownOption } from "../errors.ts";
import type { KeyedOptions } from "./keyed.ts";

/** Every backend takes it, beside 35 characters more. */
const PREFIX = /^[a-z\d][a-z\d-]{0,39}$/;

/**
 * @param more options that the store has besides
 * @throws KeptError `invalid-option`, `unknown-option`
 */
export function keyedOptions<T extends KeyedOptions>(where: string, options: T, more: readonly string[] = []): T {
  const known = ["prefix", "keepFor", "now", ...more];
  for (const name of Object.keys(options)) if (!known.includes(name)) throw unknownOption(where, name, known);
  const { prefix, keepFor, now } = options;
  if (prefix !== undefined && !(typeof prefix === "string" && PREFIX.test(prefix)))
    throw invalidOption(where, "prefix", prefix, "up to 40 of a-z, 0-9 and -, and not begin with -");
  if (keepFor !== undefined && !(typeof keepFor === "number" && keepFor > 0))
    throw invalidOption(where, "keepFor", keepFor, "a number of ms above 0");
  if (now !== undefined && typeof now !== "function")
    throw invalidOption(where, "now", now, "a function that gives milliseconds");
  return options;
}
