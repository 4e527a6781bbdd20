/** For Node 20, whose hooks are asynchronous and live in a thread of their own. */
import { keptSource, type Loaded } from "./load.ts";

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<Loaded>,
): Promise<Loaded> {
  return keptSource(url, await next(url, context));
}
