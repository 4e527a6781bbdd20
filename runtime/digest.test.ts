import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { digestBytes, digestText, isWellFormed, portableDigest } from "./digest.ts";
import { sha256 } from "./sha256.ts";

const reference = (data: string | Uint8Array) => createHash("sha256").update(data).digest("base64url");

describe("the portable SHA-256", () => {
  test("agrees with the native one at every length up to three blocks and some, and at odd offsets", () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i * 167 + (i >> 3)) & 255);
    let compared = 0;
    for (let length = 0; length <= 260; length++) {
      for (const offset of [0, 1, 3]) {
        const part = bytes.subarray(offset, offset + length);
        expect(Buffer.from(sha256(part)).toString("base64url")).toBe(reference(part));
        compared++;
      }
    }
    expect(compared).toBe(783);
  });

  test("agrees on random bytes and texts", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => portableDigest(bytes) === reference(bytes)),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => portableDigest(text) === reference(text)),
      { numRuns: 500 },
    );
  });

  test("agrees on several megabytes", () => {
    const bytes = new Uint8Array(3_000_001).fill(7);
    expect(portableDigest(bytes)).toBe(reference(bytes));
  });
});

describe("digests", () => {
  test("of text and bytes are what the native hash gives", () => {
    expect(digestText("rides")).toBe(`#${reference("rides")}`);
    expect(digestBytes(new Uint8Array([1, 2, 3]))).toBe(reference(new Uint8Array([1, 2, 3])));
  });

  test("tell lone surrogates apart, which UTF-8 would make one", () => {
    expect(reference("\ud800")).toBe(reference("\ud801"));
    const digests = ["\ud800", "\ud801", "\udc00\ud800", "\ufffd", "😀"].map(digestText);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test("of an ill-formed text never meet those of a well-formed one with the same bytes", () => {
    // "\ud861\u6161" as UTF-16 is the bytes of a text that UTF-8 could spell as well.
    expect(digestText("\ud861").startsWith("%")).toBe(true);
    expect(digestText("a").startsWith("#")).toBe(true);
  });

  test("know well-formed text from other", () => {
    expect(isWellFormed("Zürich 😀")).toBe(true);
    expect(isWellFormed("a\ud83d")).toBe(false);
    expect(isWellFormed("\ude00\ud83d")).toBe(false);
  });
});
