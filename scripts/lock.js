/**
 * Completes every package-lock.json: names the binaries of other platforms that npm left out.
 *
 * A native package lists one optional package per platform. Where the registry in use can't serve one of them, npm writes
 * a lockfile without it, and then `npm ci` refuses that same lockfile ("Missing: @biomejs/cli-darwin-arm64@ from lock
 * file"). Name and exact version stand in the parent's own entry, so they can be filled in; the integrity can't be known
 * here, and npm takes it from the registry of whoever installs on that platform.
 *
 *     node scripts/lock.js           after `npm install` changed the lockfile
 *     node scripts/lock.js --check
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ version?: string, dev?: boolean, optional?: boolean, optionalDependencies?: Record<string, string> }} Locked */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isCheck = process.argv.includes("--check");
let missing = 0;
for (const path of lockfiles()) {
  /** @type {{ packages: Record<string, Locked> }} */
  const lock = JSON.parse(readFileSync(path, "utf8"));
  const added = complete(lock.packages);
  missing += added.length;
  for (const at of isCheck ? added : []) console.error(`${relative(root, path)} doesn't name ${at}`);
  if (isCheck || added.length === 0) continue;
  // npm's own order, so that its next write changes nothing else.
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}
if (!isCheck) console.log(`Lockfiles: ${missing} binaries of other platforms added.`);
else console.log(missing > 0 ? "Lockfiles: incomplete; run `node scripts/lock.js`." : "Lockfiles: complete.");
if (isCheck && missing > 0) process.exitCode = 1;

/** The root's, and those of the fixtures that have packages of their own. */
function lockfiles() {
  const folders = ["hosts", "apps"].flatMap((room) =>
    readdirSync(join(root, "fixtures", room)).map((name) => join(root, "fixtures", room, name)),
  );
  return [root, ...folders].map((folder) => join(folder, "package-lock.json")).filter((path) => existsSync(path));
}

/**
 * @param {Record<string, Locked>} packages
 * @returns {string[]} where entries were added
 */
function complete(packages) {
  const places = [];
  for (const [parent, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      // Binaries are listed by exact version; a range is an ordinary optional package.
      if (!/^\d/.test(version) || resolve(packages, parent, name)?.version === version) continue;
      const at = place(packages, parent, name);
      packages[at] = entryOf(name, version, dev);
      places.push(at);
    }
  }
  return places;
}

/**
 * The package that `parent` gets for `name`: its own, or that of the nearest folder above.
 *
 * @param {Record<string, Locked>} packages
 * @param {string} parent
 * @param {string} name
 */
function resolve(packages, parent, name) {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const found = packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`];
    if (found || folder === "") return found;
  }
}

/**
 * At the top, as npm would hoist it, unless another version sits there.
 *
 * @param {Record<string, Locked>} packages
 * @param {string} parent
 * @param {string} name
 */
function place(packages, parent, name) {
  const top = `node_modules/${name}`;
  return packages[top] || parent.includes("/node_modules/") ? `${parent}/node_modules/${name}` : top;
}

/**
 * npm skips a binary of another platform by these fields; the names say them in one convention everywhere.
 *
 * @param {string} name
 * @param {string} version
 * @param {boolean | undefined} dev
 */
function entryOf(name, version, dev) {
  const [, os] = /-(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|aix|win32)(?=-|$)/.exec(name) ?? [];
  const [, cpu] = /-(arm64|x64|ia32|arm|loong64|ppc64|riscv64|s390x|mips64el|wasm32)(?=-|$)/.exec(name) ?? [];
  if (!cpu || (!os && cpu !== "wasm32")) throw new Error(`package-lock.json: can't read the platform from ${name}`);
  const libc = os === "linux" ? /-(gnu|musl)(?:eabihf)?$/.exec(name)?.[1] : undefined;
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev }),
    ...(libc && { libc: [libc === "gnu" ? "glibc" : libc] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}
