import { describe, expect, test } from "@jest/globals";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { TextEdits } from "./text.ts";

/** Where each occurrence of `word` in the output comes from, as `line:column`. */
function origins(word: string, { code, map }: ReturnType<TextEdits["apply"]>): string[] {
  const traced = new TraceMap(map as never);
  return code.split("\n").flatMap((text, i) =>
    [...text.matchAll(new RegExp(`\\b${word}\\b`, "g"))].map(({ index }) => {
      const { line, column } = originalPositionFor(traced, { line: i + 1, column: index });
      return `${line}:${column}`;
    }),
  );
}

describe("text", () => {
  test("insertions at one place keep to their sides", () => {
    const text = new TextEdits("ab");
    text.after(1, "1");
    text.after(1, "2");
    text.rightAfter(1, "0");
    text.before(1, "4");
    text.before(1, "3");
    expect(text.apply("x").code).toBe("a01234b");
  });

  test("what is cut leaves its line ends", () => {
    const text = new TextEdits("a /* 1\r\n2\n3 */ b");
    text.cut(2, 14);
    expect(text.apply("x").code).toBe("a \r\n\n b");
  });

  test("what stands around a moved range moves with it", () => {
    const text = new TextEdits("{ f: () => 1 } rest");
    text.cut(0, 5);
    text.cut(12, 14);
    text.moveToEnd(5, 12);
    text.before(5, "\nvar f = (");
    text.after(12, ")");
    text.append(";");
    expect(text.apply("x").code).toBe(" rest\nvar f = (() => 1);");
  });

  test("nothing is changed where nothing was said", () => {
    for (const source of ["", "a", "a\n", "\ufeffa\r\nb"]) expect(new TextEdits(source).apply("x").code).toBe(source);
  });
});

describe("maps", () => {
  test("every word, behind insertions, cuts, line ends and moves", () => {
    const source = "one two\n\tthree(four)\nfive;\r\nsix é seven $eight\n";
    const text = new TextEdits(source);
    text.after(3, " in\nserted ");
    text.cut(source.indexOf("three"), source.indexOf("four"));
    text.moveToEnd(source.indexOf("five"), source.indexOf("five") + 4);
    text.before(source.indexOf("five"), "[");
    text.append("]");
    const result = text.apply("x.ts");
    expect(result.code).toBe("one in\nserted  two\n\tfour)\n;\r\nsix é seven $eight\n[five]");
    const found = ["one", "two", "four", "six", "seven", "eight", "five"].map((word) => origins(word, result));
    expect(found).toEqual([["1:0"], ["1:4"], ["2:7"], ["4:0"], ["4:6"], ["4:12"], ["3:0"]]);
    expect(result.map).toMatchObject({ version: 3, sources: ["x.ts"], sourcesContent: [source], names: [] });
  });

  test("lines and columns far apart", () => {
    const source = `${"x ".repeat(40_000)}\n${"\n".repeat(5000)}y`;
    const text = new TextEdits(source);
    text.cut(0, 79_990);
    text.after(source.length - 1, " ".repeat(100_000));
    expect(origins("y", text.apply("x"))).toEqual([`5002:0`]);
    expect(origins("x", text.apply("x")).at(-1)).toBe("1:79998");
  });
});
