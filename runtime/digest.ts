/**
 * Digests of long keys: SHA-256, native where the host has it. Text and bytes that differ have digests that differ,
 * also where UTF-8 would lose the difference (lone surrogates).
 */
import { builtin } from "./platform.ts";
import { sha256 } from "./sha256.ts";

type Native = (data: string | Uint8Array) => string;

function findNative(): Native | undefined {
  const crypto = builtin<typeof import("node:crypto")>("node:crypto");
  if (crypto === undefined) return undefined;
  // One call into native code instead of three; Node >= 20.12, not yet in every other host.
  if (typeof crypto.hash === "function") return (data) => crypto.hash("sha256", data, "base64url");
  return (data) => crypto.createHash("sha256").update(data).digest("base64url");
}

let native: Native | undefined | null = null;

function digest(data: string | Uint8Array): string {
  if (native === null) native = findNative();
  return native === undefined ? portableDigest(data) : native(data);
}

/** What {@link digestText} and {@link digestBytes} do where there is no native hash. Exported to be tested beside it. */
export function portableDigest(data: string | Uint8Array): string {
  return base64url(sha256(typeof data === "string" ? new TextEncoder().encode(data) : data));
}

/** 44 characters: a mark of the alphabet that was hashed, and 43 of base64url. */
export function digestText(text: string): string {
  return isWellFormed(text) ? `#${digest(text)}` : `%${digest(utf16(text))}`;
}

/** 43 characters of base64url. */
export function digestBytes(bytes: Uint8Array): string {
  return digest(bytes);
}

/** Without lone surrogates, so that UTF-8 keeps all of it. */
export function isWellFormed(text: string): boolean {
  const asked = text as { isWellFormed?(): boolean };
  if (asked.isWellFormed !== undefined) return asked.isWellFormed();
  return !/\p{Surrogate}/u.test(text);
}

/** Always little-endian, whatever the machine is. */
function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[i * 2] = unit;
    bytes[i * 2 + 1] = unit >>> 8;
  }
  return bytes;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function base64url(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += DIGITS[group >>> 18]! + DIGITS[(group >>> 12) & 63]!;
    if (i + 1 < bytes.length) text += DIGITS[(group >>> 6) & 63]!;
    if (i + 2 < bytes.length) text += DIGITS[group & 63]!;
  }
  return text;
}
