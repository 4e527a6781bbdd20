/**
 * What a literal means, from its source text. The parsers' own values can't be compared: SWC escapes lone surrogates in
 * a way that also spells other strings, writes `1e400` as null, and a BigInt is text in Babel 7, a BigInt in Babel 8 and
 * a list of digits in SWC.
 */
import { decodeEntities } from "./entities.ts";

/** The value of a quoted string, from the text between its quotes. */
export function cookString(raw: string): string {
  return raw.includes("\\") ? (cook(raw, true) ?? "") : raw;
}

/** A template's raw text as the language has it: line ends are LF. */
export function templateRaw(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/** `null`: an escape that only a tag may see. */
export function cookTemplate(raw: string): string | null {
  return raw.includes("\\") ? cook(raw, false) : raw;
}

const ESCAPE =
  /\\(?:u\{([0-9a-f_]*)\}|u([0-9a-f]{4})|x([0-9a-f]{2})|([0-3][0-7]{0,2}|[4-7][0-7]?)|(\r\n|[\n\r\u2028\u2029])|([\s\S]|$))/gi;

const SINGLE: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", v: "\v", f: "\f" };

function cook(raw: string, octals: boolean): string | null {
  let valid = true;
  const cooked = raw.replace(ESCAPE, (_, braced, hex4, hex2, octal, lineEnd, other, at: number) => {
    if (braced !== undefined) {
      const code = Number.parseInt(braced, 16);
      if (/^[0-9a-f]+$/i.test(braced) && code <= 0x10ffff) return String.fromCodePoint(code);
      valid = false;
      return "";
    }
    if (hex4 !== undefined) return String.fromCharCode(Number.parseInt(hex4, 16));
    if (hex2 !== undefined) return String.fromCharCode(Number.parseInt(hex2, 16));
    if (octal !== undefined) {
      // `\0` is no octal escape, unless a digit follows.
      if (octal !== "0" || /[89]/.test(raw[at + 2] ?? "")) valid &&= octals;
      return String.fromCharCode(Number.parseInt(octal, 8));
    }
    if (lineEnd !== undefined) return "";
    if (/[xu]/.test(other)) valid = false;
    if (/[89]/.test(other)) valid &&= octals;
    return SINGLE[other] ?? other;
  });
  return valid ? cooked : null;
}

/** The value of a number literal as written. */
export function numberOf(raw: string): number {
  const digits = raw.replaceAll("_", "");
  return /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
}

/** The decimal digits of a BigInt literal as written, with or without its `n`. */
export function bigIntOf(raw: string): string {
  return BigInt(raw.replaceAll("_", "").replace(/n$/, "")).toString();
}

/** The property that `{ 1.50: x }` makes: "1.5". */
export function numericKey(raw: string): string {
  return String(numberOf(raw));
}

/** Pattern and flags from `/…/flags`. */
export function regExpOf(raw: string): { pattern: string; flags: string } {
  const end = raw.lastIndexOf("/");
  return { pattern: raw.slice(1, end), flags: raw.slice(end + 1) };
}

/**
 * JSX text by React's whitespace rule: lines are trimmed but for the outer ends of the text, empty ones go, the rest is
 * joined by spaces. Entities come after, as in TypeScript and esbuild: `&#32;` and `&#10;` are there to be kept.
 * `""`: nothing is left.
 */
export function jsxText(raw: string): string {
  const lines = raw.split(/\r\n|[\n\r]/);
  const kept: string[] = [];
  for (const [i, line] of lines.entries()) {
    let text = line;
    if (i > 0) text = text.replace(/^[ \t]+/, "");
    if (i < lines.length - 1) text = text.replace(/[ \t]+$/, "");
    if (text) kept.push(text);
  }
  return decodeEntities(kept.join(" "));
}

/** The value of a JSX attribute's string, from the text between its quotes: entities decoded, backslashes plain. */
export function jsxAttributeText(raw: string): string {
  return decodeEntities(templateRaw(raw));
}

/** `<div>`, `<my-tag>`; else a component. */
export function isIntrinsicTag(name: string): boolean {
  return /^[a-z]/.test(name) || name.includes("-");
}
