/**
 * The disk as the store that Node has without further ado. Imported by the entries for Node alone (index-node.ts,
 * generated-node.ts): so a browser's bundle holds no `node:` module, and a server that was bundled into one file needs no
 * package beside it at run time.
 */
import { embed } from "../backing.ts";
import { diskStore } from "./disk.ts";
import { findFolder } from "./folder.ts";

export function embedDisk(): void {
  embed(({ dir, maxBytes, sealed, onFault }) => {
    const surroundings = { cwd: process.cwd(), env: process.env, platform: process.platform };
    return diskStore({ dir: findFolder(dir, surroundings), maxBytes, sealed, onFault });
  });
}
