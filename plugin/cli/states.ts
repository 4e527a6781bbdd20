/** The project as it was at a commit: its files in a folder of their own, with the packages that are installed now. */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

export interface State {
  readonly root: string;
  remove(): void;
}

export class GitError extends Error {}

function git(cwd: string, args: readonly string[], env: Record<string, string> = {}): string {
  const { status, stdout, stderr, error } = spawnSync("git", args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, ...env },
  });
  if (error) throw new GitError(`git can't be run: ${error.message}`);
  if (status !== 0) throw new GitError(stderr.trim() || `git ${args[0]} ended with ${status}`);
  return stdout.trim();
}

/** Neither the index nor the working tree is touched. */
export function checkOut(root: string, ref: string): State {
  const real = realpathSync(root);
  const top = realpathSync(git(real, ["rev-parse", "--show-toplevel"]));
  const commit = git(
    real,
    ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`].filter((each) => each !== "--quiet"),
  );
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kept-state-")));
  const state = {
    root: join(folder, "tree", relative(top, real)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  try {
    const index = { GIT_INDEX_FILE: join(folder, "index") };
    git(top, ["read-tree", commit], index);
    git(top, ["checkout-index", "--all", `--prefix=${join(folder, "tree")}/`], index);
    mkdirSync(state.root, { recursive: true });
    linkPackages(top, join(folder, "tree"), real);
    return state;
  } catch (error) {
    state.remove();
    throw error;
  }
}

/** `node_modules` of the root and of every folder above it, up to the repository's. */
function linkPackages(top: string, copy: string, root: string): void {
  for (let at = root; ; at = dirname(at)) {
    const from = join(at, "node_modules");
    const to = join(copy, relative(top, at), "node_modules");
    if (existsSync(from) && !existsSync(to) && existsSync(dirname(to))) linkFolder(from, to, top, copy);
    if (at === top || at === dirname(at)) return;
  }
}

/** A package that is linked from within the repository is one of its workspaces: that of the commit is meant. */
function linkFolder(from: string, to: string, top: string, copy: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (name.startsWith("@")) linkFolder(path, join(to, name), top, copy);
    else if (lstatSync(path).isSymbolicLink()) {
      const target = existsSync(path) ? realpathSync(path) : path;
      const own = relative(top, target);
      const isWorkspace = !own.startsWith("..") && !own.split(/[\\/]/).includes("node_modules");
      symlinkSync(isWorkspace ? join(copy, own) : target, join(to, name), "junction");
    } else if (!name.startsWith(".")) symlinkSync(path, join(to, name), "junction");
  }
}
