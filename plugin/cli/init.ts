/** `kept init`: which hosts a project has, by its package.json and its files, and the one line that each needs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Route } from "../core/transform.ts";
import { type ConfigEdit, jestLine, withKept } from "./edit-config.ts";

export interface Advice {
  readonly host: string;
  /** The configuration to edit; undefined where the project has none yet. */
  readonly file: string | undefined;
  readonly lines: string;
  readonly edit: ConfigEdit | undefined;
}

interface Host {
  readonly host: string;
  /** A package that the project must have. */
  readonly needs: RegExp;
  readonly configs: readonly string[];
  readonly lines: string;
  readonly edit: ConfigEdit;
}

const ENDINGS = ["ts", "mts", "cts", "js", "mjs", "cjs"];
const named = (...names: string[]): string[] => names.flatMap((name) => ENDINGS.map((ending) => `${name}.${ending}`));

const NEXT_TURBOPACK = `turbopack: {
  rules: {
    "*.{ts,tsx,js,jsx}": {
      condition: { all: [{ not: "foreign" }, { content: /use cache (data|resource)/ }] },
      loaders: ["kept/loader"],
    },
  },
},`;
const NEXT_WEBPACK = `webpack(config) {
  config.module.rules.unshift({ test: /\\.[cm]?[jt]sx?$/, exclude: /node_modules/, enforce: "pre", use: "kept/loader" });
  return config;
},`;

function bundler(
  host: string,
  needs: RegExp,
  configs: readonly string[],
  entry: string,
  where: ConfigEdit["where"] = "exported",
): Host {
  const lines = `import kept from "${entry}";\n\nplugins: [kept()]`;
  return { host, needs, configs, lines, edit: { entry, where, what: { plugins: "kept()" } } };
}

/** In this order: a project with Next.js or Vite has bundlers of theirs too. */
const HOSTS: readonly Host[] = [
  {
    host: "Next.js",
    needs: /^next$/,
    configs: named("next.config"),
    lines: `${NEXT_TURBOPACK}\n${NEXT_WEBPACK}`,
    edit: { where: "exported", what: { properties: { turbopack: NEXT_TURBOPACK, webpack: NEXT_WEBPACK } } },
  },
  bundler("Vite", /^vite$/, named("vite.config"), "kept/vite"),
  bundler("Vitest", /^vitest$/, named("vitest.config"), "kept/vite"),
  bundler("Rspack", /^@rspack\/core$/, named("rspack.config"), "kept/rspack"),
  bundler("webpack", /^webpack$/, named("webpack.config"), "kept/webpack"),
  bundler("Farm", /^@farmfe\/core$/, named("farm.config"), "kept/farm"),
  bundler("Rolldown", /^rolldown$/, named("rolldown.config"), "kept/rolldown"),
  bundler("Rollup", /^rollup$/, named("rollup.config"), "kept/rollup"),
  bundler("esbuild", /^esbuild$/, named("build", "esbuild.config", "scripts/build"), "kept/esbuild", [
    "build",
    "context",
  ]),
  bundler("Bun.build", /^(?:bun|@types\/bun|bun-types|@oven\/bun-.+)$/, named("build", "scripts/build"), "kept/bun", [
    "build",
  ]),
  {
    host: "Babel",
    needs: /^@babel\/core$/,
    configs: ["babel.config.json", ".babelrc", ".babelrc.json", ...named("babel.config", ".babelrc")],
    lines: '"plugins": ["kept/babel"]',
    edit: { where: "exported", what: { plugins: '"kept/babel"' } },
  },
  {
    host: "Jest",
    needs: /^jest$/,
    configs: [...named("jest.config"), "jest.config.json"],
    lines: jestLine("@swc/jest"),
    edit: { where: "exported", what: { transformer: "@swc/jest" } },
  },
];

/** Hosts of the project. With none, Node itself, where there is a package.json. */
export function adviseHosts(root: string): Advice[] {
  const path = join(root, "package.json");
  if (!existsSync(path)) return [];
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(path, "utf8"));
  const installed = Object.keys({ ...dependencies, ...devDependencies });
  const found = HOSTS.filter(({ needs }) => installed.some((name) => needs.test(name))).map(
    ({ needs: _needs, configs, ...host }): Advice => ({
      ...(host.host === "Jest" ? withTransformer(host, installed) : host),
      file: configs.find((name) => existsSync(join(root, name))),
    }),
  );
  // A bundler without a configuration is another host's.
  const configured = found.filter(({ file }) => file !== undefined);
  if (configured.length > 0) return configured;
  const [first] = found;
  return [first ?? { host: "Node", file: undefined, lines: "node --import kept/node app.js", edit: undefined }];
}

/** Jest brings `babel-jest` itself. */
function withTransformer<T extends { lines: string; edit: ConfigEdit }>(jest: T, installed: readonly string[]): T {
  const transformer = installed.includes("@swc/jest") ? "@swc/jest" : "babel-jest";
  return { ...jest, lines: jestLine(transformer), edit: { ...jest.edit, what: { transformer } } };
}

/**
 * Adds the line where that is sure to be right.
 *
 * @returns whether the file was written
 */
export function writeAdvice(root: string, { file, edit }: Advice, route: Route): boolean {
  if (file === undefined || !edit) return false;
  const path = join(root, file);
  const before = readFileSync(path, "utf8");
  const after = isJson(file) ? withPluginInJson(before, edit) : withKept(before, file, edit, route);
  if (after === undefined) return false;
  writeFileSync(path, after);
  return true;
}

const isJson = (file: string): boolean => file.endsWith(".json") || file === ".babelrc";

/** Babel's; undefined for others, for JSON5, whose comments would be lost, and where it is there already. */
export function withPluginInJson(config: string, { what }: ConfigEdit): string | undefined {
  if (!("plugins" in what) || config.includes('"kept/babel"')) return undefined;
  try {
    const { plugins = [], ...parsed } = JSON.parse(config);
    return `${JSON.stringify({ ...parsed, plugins: ["kept/babel", ...plugins] }, null, 2)}\n`;
  } catch {
    return undefined;
  }
}

export function printAdvice({ host, file, lines }: Advice, written: boolean): string {
  if (written) return `${host}: wrote it into ${file}.\n`;
  const place = file === undefined ? "" : ` in ${file}`;
  return `${host}${place}:\n\n${lines.replace(/^(?=.)/gm, "  ")}\n`;
}
