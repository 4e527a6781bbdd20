/** HMAC-SHA-256 (RFC 2104), by the host's own code where it is synchronous, else by ours. */
import { builtin } from "../platform.ts";
import { sha256 } from "../sha256.ts";
import { joined } from "./bytes.ts";

type NodeCrypto = typeof import("node:crypto");

const BLOCK = 64;

/** Made once for a key. The pieces count as one. */
export type Hmac = (pieces: readonly Uint8Array[]) => Uint8Array;

export function hmac(key: Uint8Array): Hmac {
  const crypto = builtin<NodeCrypto>("node:crypto");
  if (crypto?.createHmac === undefined) return portableHmac(key);
  // A copy: the caller may change its own.
  const own = key.slice();
  return (pieces) => {
    const mac = crypto.createHmac("sha256", own);
    for (const piece of pieces) mac.update(piece);
    return mac.digest();
  };
}

/** Exported to be tested beside the host's own. */
export function portableHmac(key: Uint8Array): Hmac {
  const block = new Uint8Array(BLOCK);
  block.set(key.length > BLOCK ? sha256(key) : key);
  const inner = block.map((byte) => byte ^ 0x36);
  const outer = block.map((byte) => byte ^ 0x5c);
  return (pieces) => sha256(joined([outer, sha256(joined([inner, ...pieces]))]));
}

/** In a time that tells nothing of where they differ. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= (a[at] as number) ^ (b[at] as number);
  return difference === 0;
}
