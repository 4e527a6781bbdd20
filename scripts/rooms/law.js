/**
 * The import law, one row per sentence of ARCHITECTURE.md. A row says whom it binds, what it forbids and why; unit tests
 * are bound by none of it.
 *
 * @typedef {import("./imports.js").Module} Module
 * @typedef {import("./imports.js").Import} Import
 *
 * @typedef {object} Clause
 * @property {string} law the sentence, as a reader of the message needs it
 * @property {(path: string) => boolean} binds
 * @property {(found: Import, path: string) => boolean} [forbids]
 * @property {boolean} [forbidsProcess]
 * @property {string} [demands] a path that every bound module must import
 */

const AST_PACKAGES =
  /^(?:@babel\/(?:core|parser|types|traverse|generator|template)|@swc\/.+|acorn(?:-.+)?|oxc-(?!resolver$).+|typescript|estree-.+|espree|meriyah|recast)$/;
const BABEL_PACKAGES = /^@babel\/(?:core|parser|types|traverse|generator|template)$/;
const BUNDLERS =
  /^(?:vite|rollup|rolldown|webpack|esbuild|unplugin|@rspack\/.+|@farmfe\/.+|@rollup\/.+|@rolldown\/.+|bun|jest|@jest\/.+)$/;

const ROUTES_AND_HOSTS = ["babel", "swc", "bundlers", "jest", "node", "eslint", "cli"].map((room) => `plugin/${room}`);
// Not stats: hits are counted where they happen, because an event for each would cost more than the hit.
const SUBSCRIBERS = ["spinner", "inspector"].map((name) => `runtime/${name}.ts`);

const isPure = (/** @type {string} */ path) => isIn(path, "plugin/core") || isIn(path, "plugin/hash");

/** @type {Clause[]} */
export const LAW = [
  {
    law: "the runtime never imports the plugin",
    binds: (path) => isIn(path, "runtime"),
    forbids: ({ target }) => isIn(target, "plugin"),
  },
  {
    law: "the runtime imports no compiler and no bundler",
    binds: (path) => isIn(path, "runtime"),
    forbids: (found) => matches(found, AST_PACKAGES) || matches(found, BUNDLERS),
  },
  {
    law: "of the runtime, the plugin takes only runtime/contract.ts",
    binds: (path) => isIn(path, "plugin"),
    forbids: ({ target }) => isIn(target, "runtime") && target !== "runtime/contract.ts",
  },
  {
    law: "plugin/core and plugin/hash import no AST package",
    binds: isPure,
    forbids: (found) => matches(found, AST_PACKAGES),
  },
  {
    law: "plugin/core and plugin/hash import no bundler",
    binds: isPure,
    forbids: (found) => matches(found, BUNDLERS),
  },
  {
    law: "plugin/core and plugin/hash import no route and no host",
    binds: isPure,
    forbids: ({ target }) => ROUTES_AND_HOSTS.some((room) => isIn(target, room)),
  },
  {
    law: "plugin/core and plugin/hash don't know `process`",
    binds: isPure,
    forbids: ({ builtin }) => builtin === "process",
    forbidsProcess: true,
  },
  {
    law: "of plugin/core and plugin/hash, only plugin/hash/resolve touches the file system",
    binds: (path) => isPure(path) && !/^plugin\/hash\/resolve(?:\/|\.ts$)/.test(path),
    forbids: ({ builtin }) => builtin === "fs",
  },
  {
    law: "plugin/babel never imports plugin/swc or swc",
    binds: (path) => isIn(path, "plugin/babel"),
    forbids: (found) => isIn(found.target, "plugin/swc") || matches(found, /^@swc\//),
  },
  {
    law: "plugin/swc never imports plugin/babel or Babel's AST packages",
    binds: (path) => isIn(path, "plugin/swc"),
    forbids: (found) => isIn(found.target, "plugin/babel") || matches(found, BABEL_PACKAGES),
  },
  {
    law: "runtime/cache.ts imports no concrete store",
    binds: (path) => path === "runtime/cache.ts",
    forbids: ({ target }) => isIn(target, "runtime/stores") && target !== "runtime/stores/store.ts",
  },
  {
    law: "runtime/cache.ts imports no subscriber",
    binds: (path) => path === "runtime/cache.ts",
    forbids: ({ target }) => target !== null && (SUBSCRIBERS.includes(target) || target === "runtime/stats.ts"),
  },
  {
    law: "subscribers import runtime/events.ts",
    binds: (path) => SUBSCRIBERS.includes(path),
    demands: "runtime/events.ts",
  },
  {
    law: "what is shipped imports neither scripts, fixtures nor tests",
    binds: isShipped,
    forbids: ({ target }) => isIn(target, "scripts") || isIn(target, "fixtures") || (target !== null && isTest(target)),
  },
];

/**
 * @param {Module[]} modules
 * @returns {string[]} one message per violation
 */
export function checkLaw(modules) {
  return modules
    .filter((module) => !isTest(module.path))
    .flatMap((module) =>
      LAW.filter((clause) => clause.binds(module.path)).flatMap((clause) => breaches(module, clause)),
    );
}

/**
 * @param {Module} module
 * @param {Clause} clause
 * @returns {string[]}
 */
function breaches({ path, imports, processLine }, { law, forbids, forbidsProcess, demands }) {
  const found = imports
    .filter((each) => forbids?.(each, path))
    .map(({ line, specifier }) => `${path}:${line} imports "${specifier}": ${law}`);
  if (forbidsProcess && processLine !== null) found.push(`${path}:${processLine} reads process: ${law}`);
  if (demands && !imports.some(({ target }) => target === demands))
    found.push(`${path} doesn't import ${demands}: ${law}`);
  return found;
}

/**
 * What is shipped may need only what a user's install brings: a devDependency would be missing there.
 *
 * @param {Module[]} modules
 * @param {{ name: string, dependencies?: object, peerDependencies?: object }} manifest
 * @returns {string[]}
 */
export function checkPackages(modules, manifest) {
  const installed = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
  return modules
    .filter(({ path }) => isShipped(path) && !isTest(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter((found) => found.package !== null && !installed.has(found.package))
        .map(({ line, specifier, package: name }) =>
          name === manifest.name
            ? `${path}:${line} imports "${specifier}": inside the package, import by path`
            : `${path}:${line} imports "${specifier}": ${name} is neither a dependency nor a peer dependency`,
        ),
    );
}

/**
 * A specifier that names no file would slip past every clause that compares paths.
 *
 * @param {Module[]} modules
 * @returns {string[]}
 */
export function checkTargets(modules) {
  const paths = new Set(modules.map((module) => module.path));
  return modules.flatMap(({ path, imports }) =>
    imports
      .filter(
        ({ target }) =>
          target !== null && !paths.has(target) && ["plugin", "runtime"].some((room) => isIn(target, room)),
      )
      .map(
        ({ line, specifier }) => `${path}:${line} imports "${specifier}": no such source file (write the extension)`,
      ),
  );
}

const FORBIDDEN_NAMES = /^(?:utils?|helpers?|common|managers?|handlers?)$/;

/**
 * @param {Module[]} modules
 * @returns {string[]}
 */
export function checkNames(modules) {
  return modules
    .filter(({ path }) => path.split("/").some((part) => FORBIDDEN_NAMES.test(part.replace(/\..*$/, ""))))
    .map(({ path }) => `${path}: name the mechanism; utils, helpers, common, manager and handler name none`);
}

/** @param {string} path */
export function isTest(path) {
  return /\.test\.[cm]?[jt]sx?$/.test(path);
}

/** @param {string} path */
function isShipped(path) {
  return isIn(path, "plugin") || isIn(path, "runtime");
}

/**
 * @param {string | null} path
 * @param {string} room
 */
function isIn(path, room) {
  return path?.startsWith(`${room}/`) ?? false;
}

/**
 * @param {Import} found
 * @param {RegExp} packages
 */
function matches(found, packages) {
  return found.package !== null && packages.test(found.package);
}
