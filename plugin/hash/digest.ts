/** The digest of the code hash. */
import { hash } from "node:crypto";

/** Raised when the scheme changes: entries of another scheme are never mistaken for today's. */
const SCHEME = "h1";

/** 128 bits of SHA-256, in hexadecimal. */
export function digest(content: string | Uint8Array): string {
  return hash("sha256", content, "hex").slice(0, 32);
}

/** `h1:` + 128 bits. */
export function codeHash(text: string): string {
  return `${SCHEME}:${digest(text)}`;
}
