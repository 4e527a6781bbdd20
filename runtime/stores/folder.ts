/** Where results are kept on disk, if nobody says where: as other tools do, and each app in a folder of its own. */
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
}

/**
 * `node_modules/.cache/kept` of the package around the working directory; where that has no `node_modules` that can be
 * written to, the user's cache folder. The last part is the package's name.
 *
 * @param dir what `configure({ dir })` or `KEPT_DIR` says instead
 */
export function findFolder(dir: string | undefined, { cwd, env, platform }: Surroundings): string {
  const root = packageRoot(cwd) ?? cwd;
  const app = slug(nameOf(root) ?? "app");
  const said = dir ?? env.KEPT_DIR;
  if (said) return join(resolve(cwd, said), app);
  const modules = join(root, "node_modules");
  if (isWritable(join(modules, ".cache")) ?? isWritable(modules)) return join(modules, ".cache", "kept", app);
  // Everyone's apps are here: two of one name are told apart by where they stand.
  const place = createHash("sha256").update(root).digest("hex").slice(0, 8);
  return join(userFolder(env, platform), "kept", `${app}-${place}`);
}

function userFolder(env: Surroundings["env"], platform: string): string {
  const home = env.HOME || env.USERPROFILE || homedir();
  if (platform === "win32") return env.LOCALAPPDATA || join(home, "AppData", "Local");
  if (platform === "darwin") return join(home, "Library", "Caches");
  return env.XDG_CACHE_HOME || join(home, ".cache");
}

function packageRoot(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

function nameOf(root: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return undefined;
  }
}

function slug(name: string): string {
  return name.replace(/[^\w.-]+/g, "+").replace(/^[.+]+/, "") || "app";
}

/** @returns nothing if it isn't there */
function isWritable(folder: string): boolean | undefined {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : false;
  }
}
