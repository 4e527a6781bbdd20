/**
 * What the meaning of specifiers hangs on, besides what is known of them: the content of manifests and tsconfigs, and
 * which files there are in the folders that were looked in. As long as it stands, every specifier that was resolved means
 * what it meant, and the resolver need not be asked.
 */
import { type Files, stampOf } from "./files.ts";

export interface Standing {
  /** Path → digest. */
  readonly configs: Readonly<Record<string, string>>;
  /** Path → stamp, which changes when a file of the folder comes, goes or is renamed. */
  readonly folders: Readonly<Record<string, string>>;
}

export function haveSameConfigs(configs: Standing["configs"], files: Files): boolean {
  for (const [path, digest] of Object.entries(configs)) if (files.read(path).digest !== digest) return false;
  return true;
}

/** @param stamps what has been found out of folders since files were looked at last */
export function haveSameFiles(folders: Standing["folders"], stamps: Map<string, string>): boolean {
  for (const [folder, stamp] of Object.entries(folders)) {
    let now = stamps.get(folder);
    if (now === undefined) stamps.set(folder, (now = stampOf(folder)));
    if (now !== stamp) return false;
  }
  return true;
}
