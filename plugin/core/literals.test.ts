import { parseExpression } from "@babel/parser";
import { type JSXText, react } from "@babel/types";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ENTITIES } from "./entities.ts";
import {
  bigIntOf,
  cookString,
  cookTemplate,
  isIntrinsicTag,
  jsxAttributeText,
  jsxText,
  numberOf,
  numericKey,
  regExpOf,
  templateRaw,
} from "./literals.ts";

/** The engine itself is the judge; sloppy mode, for octal escapes. */
const evaluate = (code: string): unknown => new Function(`return ${code}`)();

const ESCAPES = [
  "\\n",
  "\\t",
  "\\r",
  "\\b",
  "\\v",
  "\\f",
  "\\0",
  "\\'",
  '\\"',
  "\\`",
  "\\\\",
  "\\a",
  "\\z",
  "\\$",
  "\\💥",
  "\\x41",
  "\\xfF",
  "\\u0041",
  "\\uD83D",
  "\\udca5",
  "\\u{1F4A5}",
  "\\u{41}",
  "\\u{000041}",
  "\\u{10FFFF}",
  "\\\n",
  "\\\r\n",
  "\\\r",
  "\\\u2028",
  "a",
  "b",
  "0",
  "8",
  " ",
  "💥",
  "é",
  "\u2028",
];
const OCTALS = ["\\1", "\\7", "\\12", "\\00", "\\08", "\\09", "\\377", "\\400", "\\8", "\\9"];
const INVALID = ["\\u", "\\x", "\\x1", "\\xg1", "\\u12", "\\u{", "\\u{}", "\\u{110000}", "\\u{1_1}", "\\u{g}"];

const pieces = (...from: string[]) => fc.array(fc.constantFrom(...from), { maxLength: 8 }).map((list) => list.join(""));

test("strings mean what the engine says", () => {
  fc.assert(
    fc.property(pieces(...ESCAPES, ...OCTALS), (raw) => {
      expect(cookString(raw)).toBe(evaluate(`"${raw}"`));
    }),
    { numRuns: 2000 },
  );
});

test("templates mean what the engine says, also where only a tag may see them", () => {
  const tag = ({ 0: cooked, raw }: TemplateStringsArray) => [cooked ?? null, raw[0]];
  fc.assert(
    fc.property(pieces(...ESCAPES, ...OCTALS, ...INVALID), (text) => {
      const [cooked, raw] = (new Function("tag", `return tag\`${text}\``) as (t: typeof tag) => unknown[])(tag);
      expect(templateRaw(text)).toBe(raw);
      expect(cookTemplate(templateRaw(text))).toBe(cooked);
    }),
    { numRuns: 3000 },
  );
});

describe("numbers mean what the engine says", () => {
  const NUMBERS = [
    "0",
    "1.50",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "1e400",
    "0x1F",
    "0XaB",
    "0b101",
    "0o17",
    "1_000.5_0",
    "0xF_F",
    "017",
    "00",
    "08",
    "09.5",
    "018",
    "9007199254740993",
    "0xFFFFFFFFFFFFFFFFFF",
    "5e-324",
    "1e21",
    "0.1",
  ];
  test.each(NUMBERS)("%s", (raw) => {
    const value = evaluate(raw);
    expect(numberOf(raw)).toBe(value);
    expect(numericKey(raw)).toBe(Object.keys(evaluate(`({ ${raw}: 1 })`) as object)[0]);
  });
  test.each(["10n", "0x1Fn", "0b11n", "0o17n", "1_000n", "123456789012345678901234567890n"])("%s", (raw) => {
    expect(bigIntOf(raw)).toBe(String(evaluate(raw)));
  });
});

test.each([
  ["/a/", "a", ""],
  ["/[/]\\//dgimsuy", "[/]\\/", "dgimsuy"],
  ["/=💥/v", "=💥", "v"],
])("%s", (raw, pattern, flags) => {
  expect(regExpOf(raw)).toEqual({ pattern, flags });
});

describe("JSX text", () => {
  test("is cleaned as by React's own compiler, which is Babel's", () => {
    const text = pieces("a", "b c", " ", "  ", "\n", "\r\n", "\r", "\u00a0", "💥", ".", "\n\n", "  \n  ");
    fc.assert(
      fc.property(text, (raw) => {
        const { children } = parseExpression(`<a>${raw}</a>`, { plugins: ["jsx"] }) as any;
        const [child] = children as JSXText[];
        const cleaned = child ? react.buildChildren({ children: [child] } as any)[0] : undefined;
        expect(jsxText(raw)).toBe(cleaned ? (cleaned as unknown as { value: string }).value : "");
      }),
      { numRuns: 1000 },
    );
  });
  test.each([
    ["keeps a written space that an entity means", "\n  &#32;a&#32;\n", " a "],
    ["keeps a line end that an entity means", "a&#10; b", "a\n b"],
    ["keeps tabs between words", "a\tb", "a\tb"],
    ["keeps a no-break space at the end of a line", "a\u00a0\nb", "a\u00a0 b"],
    ["is nothing where only space across lines is left", " \n\t ", ""],
    ["is kept where it is only space on one line", "  ", "  "],
  ])("%s", (_, raw, value) => {
    expect(jsxText(raw)).toBe(value);
  });
});

describe("entities", () => {
  test("are those that Babel knows", () => {
    expect(ENTITIES.size).toBe(253);
    const wrong = ["AMP", "NBSP", "foo", "bull1", "toString", "constructor", "copysr", "ampamp"];
    for (const name of [...ENTITIES.keys(), ...wrong])
      expect([name, jsxAttributeText(`&${name};`)]).toEqual([name, babelsValue(`&${name};`)]);
  });
  test("numbers, unfinished and unknown ones read as Babel reads them", () => {
    const text = pieces(
      "&",
      "#",
      "x",
      "X",
      ";",
      "41",
      "1F4A5",
      "amp",
      "lt;",
      "&#65;",
      "&#x41;",
      "&#X41;",
      "&amp",
      "&bogus;",
      "é",
      " ",
    );
    fc.assert(
      fc.property(text, (raw) => {
        expect(jsxAttributeText(raw)).toBe(babelsValue(raw));
      }),
      { numRuns: 3000 },
    );
  });
  test("no code point: as written", () => {
    expect(jsxAttributeText("&#x110000;&#99999999999;")).toBe("&#x110000;&#99999999999;");
  });
  const babelsValue = (raw: string) =>
    (parseExpression(`<a b="${raw}" />`, { plugins: ["jsx"] }) as any).openingElement.attributes[0].value.value;
});

test("tags tell elements from components", () => {
  expect(["div", "a-b", "A-b", "A", "_", "$", "é", "a1"].filter(isIntrinsicTag)).toEqual(["div", "a-b", "A-b", "a1"]);
});
