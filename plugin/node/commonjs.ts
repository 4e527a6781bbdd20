/**
 * CommonJS that hooks never see: all of it on Node 20, and on every Node the TypeScript that another loader compiles
 * (tsx, ts-node: a handler for `.ts` that reads the file itself).
 */
import fs from "node:fs";
import module from "node:module";
import { pathToFileURL } from "node:url";
import { keptSource } from "./load.ts";

interface ModulePrototype {
  load(this: unknown, filename: string): void;
  _compile(this: unknown, content: string, filename: string, format?: string): unknown;
}

const prototype = (module as unknown as { prototype: ModulePrototype }).prototype;

/** Node 20: JavaScript, in the place where Node compiles it. */
export function registerInCommonJs(): void {
  const { _compile: compile } = prototype;
  // With the `format` of ES modules where one is required.
  prototype._compile = function (content, filename, format) {
    if (!/\.[cm]?js$/.test(filename)) return compile.call(this, content, filename, format);
    const url = pathToFileURL(filename).href;
    const { source } = keptSource(url, { source: content, format: format ?? "commonjs" });
    return compile.call(this, source as string, filename, format);
  };
}

/** TypeScript: whoever compiles it is given the edited text, when it reads the file. */
export function registerInTypeScript(): void {
  const { load } = prototype;
  prototype.load = function (filename) {
    const edited = /\.[cm]?tsx?$/.test(filename) ? editedText(filename) : undefined;
    if (edited === undefined) return load.call(this, filename);
    const serving = serveOnce(filename, edited);
    try {
      load.call(this, filename);
    } finally {
      serving.end();
    }
    if (!serving.isRead())
      process.emitWarning(
        `${filename} holds a directive of Kept, and is compiled by a loader that shows its source to nobody: its functions run uncached. Write it as an ES module ("type": "module" in package.json).`,
        { type: "KeptWarning", code: "kept/unseen-source" },
      );
  };
}

/** `undefined`: there is nothing to do. */
function editedText(filename: string): string | undefined {
  if (!fs.existsSync(filename)) return undefined;
  const source = fs.readFileSync(filename, "utf8");
  const { source: edited } = keptSource(pathToFileURL(filename).href, { source, format: null });
  return edited === source ? undefined : (edited as string);
}

/** The next synchronous read of the file gets this text; by the time its code runs, all is as before. */
function serveOnce(filename: string, text: string): { end(): void; isRead(): boolean } {
  const { readFileSync } = fs;
  let isRead = false;
  const end = () => {
    if (fs.readFileSync === serve) fs.readFileSync = readFileSync;
  };
  const serve = ((path: unknown, options?: unknown) => {
    if (path !== filename) return readFileSync(path as string, options as "utf8");
    isRead = true;
    end();
    return options ? text : Buffer.from(text);
  }) as typeof readFileSync;
  fs.readFileSync = serve;
  return { end, isRead: () => isRead };
}
