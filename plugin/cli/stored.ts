/**
 * The results that a project keeps on disk, by the project's own copy of the runtime: the version that wrote them reads
 * them, and the compiler stays without a runtime. It is loaded by name when a command needs it.
 */
import { createRequire } from "node:module";
import { join } from "node:path";

/** What is used of `kept/stores/disk`. */
export interface Disk {
  diskFolder(dir: string | undefined, root: string): string;
  readDisk(dir: string): Report;
  diskStore(options: { readonly dir: string }): {
    remove(which: { readonly site?: string; readonly tag?: string }): void;
    close(): void;
  };
}

export interface StoredEntry {
  readonly site: string | undefined;
  readonly code: string | undefined;
  readonly bytes: number;
  /** ms since 1970, as are the others. */
  readonly began: number | undefined;
  readonly until: number | undefined;
  readonly used: number;
  readonly state: "readable" | "sealed" | "damaged";
}

export interface Report {
  readonly dir: string;
  readonly isThere: boolean;
  readonly entries: readonly StoredEntry[];
  readonly failures: readonly { readonly path: string; readonly message: string }[];
}

/** Nothing, if the project has a version that can't tell. */
export function openDisk(root: string): Disk | undefined {
  const disk = requireFrom(root, "stores/disk") as Partial<Disk>;
  return disk.readDisk === undefined ? undefined : (disk as Disk);
}

/** A part of the package, as the project has installed it; else the one that this command belongs to. */
export function requireFrom(root: string, part: string): unknown {
  const name = ["kept", part].filter(Boolean).join("/");
  try {
    return createRequire(join(root, "package.json"))(name);
  } catch (error) {
    if (!["MODULE_NOT_FOUND", "ERR_PACKAGE_PATH_NOT_EXPORTED"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw error;
    return createRequire(import.meta.url)(name);
  }
}

export function inBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
