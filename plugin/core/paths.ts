/** Where a file is, as ids and the code hash spell it. A bundler's query is no part of the file. */
import { resolve } from "node:path";

/** A relative path is one from the root. */
export function absolutePath(root: string, filename: string): string {
  return resolve(root, filename.replace(/[?#].*$/, ""));
}

/** Forward slashes, relative to the root. */
export function relativePath(root: string, filename: string): string {
  const file = filename
    .replace(/[?#].*$/, "")
    .replaceAll("\\", "/")
    .split("/");
  const base = root.replaceAll("\\", "/").replace(/\/$/, "").split("/");
  if (!filename.startsWith("/") && !/^[a-z]:/i.test(filename)) return file.filter((each) => each !== ".").join("/");
  let same = 0;
  while (same < base.length && same < file.length - 1 && base[same] === file[same]) same++;
  return [...base.slice(same).map(() => ".."), ...file.slice(same)].join("/");
}
