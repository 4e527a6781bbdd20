import { describe, expect, test } from "@jest/globals";
import { closingBracket, identifierEnd, skipHtmlComment, skipTrivia } from "./tokens.ts";

test.each([
  ["x", 0],
  ["  \n\t\ufeff\u00a0x", 6],
  ["/* a */ /** * / */x", 18],
  ["// a\nx", 5],
  ["// a\u2028// b\r\nx", 11],
  ["/ x", 0],
  ["/* a", 0],
  ["", 0],
])("trivia of %j end at %d", (source, end) => {
  expect(skipTrivia(source, 0)).toBe(end);
});

test("long trivia don't overflow", () => {
  const source = `${" ".repeat(200_000)}${"/* a */ // b\n".repeat(20_000)}x`;
  expect(source[skipTrivia(source, 0)]).toBe("x");
});

describe("the end of an identifier", () => {
  test.each([
    ["ab?: T", "ab", 2],
    ["a\\u0062: T", "ab", 7],
    ["\\u{61}b", "ab", 7],
    ["𝒳𝒴: T", "𝒳𝒴", 4],
    ["$_", "$_", 2],
  ])("%s", (source, name, end) => {
    expect(identifierEnd(source, 0, name)).toBe(end);
  });
});

test("the closing bracket is found behind commas and comments", () => {
  expect(closingBracket("a, /* ] */ , // ]\n ]: T", 1)).toEqual({ end: 20, commas: 2 });
  expect(closingBracket("}", 0)).toEqual({ end: 1, commas: 0 });
});

test("comments of old scripts are skipped, the arrow only on a line of its own", () => {
  expect(skipHtmlComment("<!-- a\n--> b\n <!-- c\nd", 0)).toBe(21);
  expect(skipHtmlComment("--> a", 0)).toBe(0);
  expect(skipHtmlComment("<!-- a", 0)).toBe(6);
});
