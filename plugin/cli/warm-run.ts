/**
 * The process of `kept warm`: `node --import kept/node warm-run.js <module> <root> <concurrency>`. It tells its parent what
 * became of each call.
 */
import { pathToFileURL } from "node:url";
import { requireFrom } from "./stored.ts";
import type { Told, Warmed } from "./warm.ts";

/** What is used of `kept`, the project's own. */
interface Runtime {
  warm(
    calls: Readonly<Record<string, () => unknown>>,
    options: { readonly concurrency?: number; readonly onDone: (warmed: Done) => void },
  ): Promise<readonly Done[]>;
  readonly caches: { close(): Promise<void> };
}
type Done = Omit<Warmed, "error"> & { readonly error?: unknown };

const [file, root, concurrency] = process.argv.slice(2) as [string, string, string];

const code = await run().catch((error) => tell({ unusable: textOf(error) }).then(() => 1));
// What the module has opened (a pool, a server) must not keep a build waiting.
process.exit(code);

async function run(): Promise<number> {
  const calls = await callsOf(await load());
  if (typeof calls === "string") {
    await tell({ unusable: calls });
    return 1;
  }
  const { warm, caches } = requireFrom(root, "") as Runtime;
  const told: Promise<void>[] = [];
  const done = await warm(calls, {
    ...(concurrency === "" ? {} : { concurrency: Number(concurrency) }),
    onDone: ({ error, ...warmed }) =>
      void told.push(tell({ warmed: warmed.outcome === "failed" ? { ...warmed, error: textOf(error) } : warmed })),
  });
  await caches.close();
  await Promise.all(told);
  return done.some(({ outcome }) => outcome === "failed") ? 1 : 0;
}

async function load(): Promise<Record<string, unknown>> {
  const { href } = pathToFileURL(file);
  try {
    return await import(href);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    throw new Error(`This Node (${process.version}) can't load TypeScript by itself: kept warm --import tsx`);
  }
}

/** Every function that is exported, and those in a list as the default export: called without arguments. */
async function callsOf(module: Record<string, unknown>): Promise<Record<string, () => unknown> | string> {
  const calls: Record<string, () => unknown> = {};
  for (const [name, value] of Object.entries(module))
    if (name !== "default" && typeof value === "function") calls[name] = value as () => unknown;
  const list = module.default as Iterable<unknown> | AsyncIterable<unknown> | undefined;
  if (list !== undefined) {
    if (typeof list !== "object" || !(Symbol.iterator in list || Symbol.asyncIterator in list))
      return `The default export of ${file} must be a list of functions: export default [() => loadRides(url)];`;
    let at = 0;
    for await (const value of list) {
      const name = `default[${at++}]`;
      if (typeof value !== "function")
        return `\`${name}\` in ${file} is no function. Write \`() => loadRides(url)\`, which is called later, not \`loadRides(url)\`.`;
      calls[value.name === "" || Object.hasOwn(calls, value.name) ? name : value.name] = value as () => unknown;
    }
  }
  if (Object.keys(calls).length > 0) return calls;
  return `${file} exports no call. Write one:\n\n  export const rides = () => loadRides(url);`;
}

function tell(told: Told): Promise<void> {
  return new Promise((done) => {
    if (process.send === undefined) done();
    else process.send(told, () => done());
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
