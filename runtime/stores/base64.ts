/** Bytes as text that every backend keeps as it is: no quotes, no NUL, nothing that any of them parses. */

/** The one of Node, Bun and Deno, at GB/s; `btoa` elsewhere. */
const native = (globalThis as { Buffer?: typeof Buffer }).Buffer;
/** `String.fromCharCode` takes its characters as arguments, of which there may be so many. */
const PORTION = 32_766;

export function toBase64(bytes: Uint8Array): string {
  if (native === undefined) return portableToBase64(bytes);
  return native.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** @returns bytes of its own; something else where the text is no base64, nothing where the host notices */
export function fromBase64(text: string): Uint8Array | undefined {
  if (native === undefined) return portableFromBase64(text);
  // Not from the pool that small buffers share: who keeps the bytes would keep all of it.
  const bytes = new Uint8Array(native.byteLength(text, "base64"));
  return bytes.subarray(0, native.from(bytes.buffer).write(text, "base64"));
}

/** Exported to be tested beside the host's own. */
export function portableToBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // A multiple of 3, so that only the last part is padded.
  for (let at = 0; at < bytes.length; at += PORTION)
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + PORTION))));
  return parts.join("");
}

export function portableFromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}
