/** Bun when it runs a program: a plugin that reads each source file of the project itself, since Bun hands over none. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { mayHoldDirective } from "../core/directive.ts";
import { keptSource } from "./load.ts";

/** What is used of `Bun`. */
interface BunHost {
  plugin(plugin: {
    name: string;
    setup(build: {
      onLoad(options: { filter: RegExp }, load: (args: { path: string }) => { contents: string; loader: string }): void;
    }): void;
  }): void;
}

export function registerInBun(): void {
  const filter = filterFor(process.cwd());
  warnOfCommonJs(process.argv[1], filter);
  (globalThis as unknown as { Bun: BunHost }).Bun.plugin({
    name: "kept",
    setup(build) {
      build.onLoad({ filter }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        const [, kind = "j", x = ""] = /\.[cm]?([jt])s(x?)$/.exec(path) ?? [];
        const loaded = keptSource(pathToFileURL(path).href, { source, format: null });
        return { contents: String(loaded.source), loader: `${kind}s${x}` };
      });
    },
  });
}

/**
 * Bun wants contents for every file that it asks for, and runs them as ES modules: CommonJS would not run at all. So it
 * is left alone (`.cjs`, `.cts`, and `.js` where the project doesn't say `"type": "module"`), and so are packages.
 */
function filterFor(folder: string): RegExp {
  const ownModule = /^(?!.*[\\/]node_modules[\\/]).*\.(?:m?tsx?|jsx|mjs)$/;
  return isModule(folder) ? new RegExp(ownModule.source.replace("jsx|mjs", "m?jsx?")) : ownModule;
}

/** Of what is left alone, only the program itself is known by now. */
function warnOfCommonJs(main: string | undefined, filter: RegExp): void {
  if (!main || filter.test(main) || !existsSync(main) || !mayHoldDirective(readFileSync(main, "utf8"))) return;
  process.emitWarning(
    `${main} holds a directive of Kept, and is CommonJS, which Bun shows to no plugin: its functions run uncached. Write it as an ES module ("type": "module" in package.json), or build it with kept/bun.`,
    { type: "KeptWarning", code: "kept/commonjs-in-bun" },
  );
}

/** What the nearest `package.json` says of `.js` files. */
function isModule(folder: string): boolean {
  const path = join(folder, "package.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")).type === "module";
  const parent = dirname(folder);
  return parent !== folder && isModule(parent);
}
