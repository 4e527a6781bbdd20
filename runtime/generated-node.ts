/** `kept/runtime` in Node, Bun and Deno: with the disk for `persist: "disk"`. */
import { embedDisk } from "./stores/embedded.ts";

embedDisk();

export * from "./generated.ts";
