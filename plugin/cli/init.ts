/** `kept init`: which hosts a project has, by its package.json and its files, and the one line that each needs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Advice {
  readonly host: string;
  /** The configuration to edit; undefined where the project has none yet. */
  readonly file: string | undefined;
  readonly lines: string;
}

interface Host {
  readonly host: string;
  /** A package that the project must have. */
  readonly needs: string;
  readonly configs: readonly string[];
  readonly lines: string;
}

const MODULE_ENDINGS = ["ts", "mts", "js", "mjs"];
const named = (name: string): string[] => MODULE_ENDINGS.map((ending) => `${name}.${ending}`);
const plugin = (entry: string) => `import kept from "kept/${entry}";\n\nplugins: [kept()]`;

/** In this order: a project with Next.js or Vite has bundlers of theirs too. */
const HOSTS: readonly Host[] = [
  {
    host: "Next.js",
    needs: "next",
    configs: named("next.config"),
    lines: `turbopack: {
  rules: {
    "*.{ts,tsx,js,jsx}": {
      condition: { all: [{ not: "foreign" }, { content: /use cache (data|resource)/ }] },
      loaders: ["kept/loader"],
    },
  },
},`,
  },
  { host: "Vite", needs: "vite", configs: named("vite.config"), lines: plugin("vite") },
  { host: "Rspack", needs: "@rspack/core", configs: named("rspack.config"), lines: plugin("rspack") },
  {
    host: "webpack",
    needs: "webpack",
    configs: [...named("webpack.config"), "webpack.config.cjs"],
    lines: plugin("webpack"),
  },
  { host: "Farm", needs: "@farmfe/core", configs: named("farm.config"), lines: plugin("farm") },
  { host: "Rolldown", needs: "rolldown", configs: named("rolldown.config"), lines: plugin("rolldown") },
  { host: "Rollup", needs: "rollup", configs: named("rollup.config"), lines: plugin("rollup") },
  { host: "esbuild", needs: "esbuild", configs: named("build"), lines: plugin("esbuild") },
  {
    host: "Babel",
    needs: "@babel/core",
    configs: ["babel.config.json", ".babelrc", "babel.config.js", "babel.config.mjs", "babel.config.cjs"],
    lines: '"plugins": ["kept/babel"]',
  },
  {
    host: "Jest",
    needs: "jest",
    configs: [...named("jest.config"), "jest.config.cjs", "jest.config.json"],
    lines: 'transform: { "\\\\.[cm]?[jt]sx?$": ["kept/jest", { transformer: "@swc/jest" }] }',
  },
];

/** Hosts of the project. With none, Node itself, where there is a package.json. */
export function adviseHosts(root: string): Advice[] {
  const path = join(root, "package.json");
  if (!existsSync(path)) return [];
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(path, "utf8"));
  const installed = { ...dependencies, ...devDependencies };
  const found = HOSTS.filter(({ needs }) => Object.hasOwn(installed, needs)).map(({ host, configs, lines }) => ({
    host,
    file: configs.find((name) => existsSync(join(root, name))),
    lines,
  }));
  // A bundler without a configuration is another host's.
  const configured = found.filter(({ file }) => file !== undefined);
  if (configured.length > 0) return configured;
  const [first] = found;
  return [first ?? { host: "Node", file: undefined, lines: "node --import kept/node app.js" }];
}

/**
 * Adds the line where that is sure to be right: a configuration with one empty or literal `plugins: [` list, and no
 * `kept` yet.
 *
 * @returns whether the file was written
 */
export function writeAdvice(root: string, { file, lines }: Advice): boolean {
  if (file === undefined) return false;
  const path = join(root, file);
  const before = readFileSync(path, "utf8");
  const after = withPlugin(before, lines, file);
  if (after === undefined) return false;
  writeFileSync(path, after);
  return true;
}

/** The configuration with the line in it, or undefined where a person has to do it. */
export function withPlugin(config: string, lines: string, file: string): string | undefined {
  if (/["']kept\//.test(config)) return undefined;
  if (file.endsWith(".json") || file === ".babelrc") {
    if (!lines.startsWith('"plugins"')) return undefined;
    const parsed = parseJson(config);
    if (!parsed) return undefined;
    return `${JSON.stringify({ ...parsed, plugins: ["kept/babel", ...(parsed.plugins ?? [])] }, null, 2)}\n`;
  }
  const statement = /^import kept from "kept\/\w+";/.exec(lines)?.[0];
  if (statement === undefined || !/^(?:import|export)\b/m.test(config)) return undefined;
  const lists = [...config.matchAll(/^([ \t]*)plugins\s*:\s*\[/gm)];
  // A list that stands deeper than anything else belongs to a part of the configuration (`worker`, `rollupOptions`).
  const shallowest = Math.min(...[...config.matchAll(/^[ \t]+(?=\S)/gm)].map(([indent]) => indent.length));
  if (lists.length !== 1 || lists[0]![1]!.length > shallowest) return undefined;
  const at = lists[0]!.index + lists[0]![0].length;
  const isEmpty = /^\s*\]/.test(config.slice(at));
  const edited = `${config.slice(0, at)}kept()${isEmpty ? "" : ", "}${config.slice(at)}`;
  // Behind a comment or a shebang at the top would be nicer; before the first import is always right.
  const first = /^import\b/m.exec(edited)?.index ?? /^export\b/m.exec(edited)!.index;
  return `${edited.slice(0, first)}${statement}\n${edited.slice(first)}`;
}

/** Undefined where it is JSON5, whose comments would be lost. */
function parseJson(text: string): { plugins?: unknown[] } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function printAdvice({ host, file, lines }: Advice, written: boolean): string {
  if (written) return `${host}: wrote it into ${file}.\n`;
  const place = file === undefined ? "" : ` in ${file}`;
  return `${host}${place}:\n\n${lines.replace(/^(?=.)/gm, "  ")}\n`;
}
