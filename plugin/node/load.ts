/** What the loader does to one module: the same for Node's synchronous and asynchronous hooks. */
import { fileURLToPath } from "node:url";
import { compiledWarning, wasCompiled } from "../compiled.ts";
import { format } from "../core/diagnostics.ts";
import { mayHoldDirective } from "../core/directive.ts";
import { transform } from "../index.ts";
import { routeNamed } from "../routes.ts";

export interface Loaded {
  format?: string | null | undefined;
  source?: string | ArrayBuffer | NodeJS.TypedArray | null | undefined;
  shortCircuit?: boolean | undefined;
}

/** The module as the next one in the chain gave it, with its annotated functions rewritten and the map inline. */
export function keptSource<T extends Loaded>(url: string, loaded: T): T {
  if (!url.startsWith("file:") || url.includes("/node_modules/") || loaded.source == null) return loaded;
  const system = systemOf(loaded.format);
  if (!system) return loaded;
  const source =
    typeof loaded.source === "string"
      ? loaded.source
      : new TextDecoder("utf-8", { ignoreBOM: true }).decode(loaded.source as ArrayBuffer);
  if (!mayHoldDirective(source)) return loaded;
  const filename = fileURLToPath(url.replace(/[?#].*$/, ""));
  // Deno hands over nothing but what it has stripped.
  if (!("Deno" in globalThis) && wasCompiled(source, filename, routeNamed("swc")))
    throw new Error(
      compiledWarning(
        filename,
        "The loader that is registered first comes first:\n\n  node --import kept/node --import tsx app.ts",
      ),
    );
  const result = transform(source, {
    filename,
    root: process.cwd(),
    ...(system === "either" ? {} : { system }),
  });
  if (!result) return loaded;
  for (const diagnostic of result.diagnostics)
    process.emitWarning(format(diagnostic), { type: "KeptWarning", code: `kept/${diagnostic.code}` });
  const map = Buffer.from(JSON.stringify(result.map)).toString("base64");
  return { ...loaded, source: `${result.code}\n//# sourceMappingURL=data:application/json;base64,${map}\n` };
}

/** Node's names for a module's format. Without one (Deno) the source tells. */
function systemOf(format: string | null | undefined): "module" | "commonjs" | "either" | undefined {
  if (format == null) return "either";
  if (format === "module" || format === "module-typescript") return "module";
  if (format === "commonjs" || format === "commonjs-typescript") return "commonjs";
  return undefined;
}
