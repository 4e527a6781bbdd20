import * as babel7 from "@babel/core";
import { describe, expect, test } from "@jest/globals";
import * as babel8 from "babel8-core";
import { type BabelNode, type Fragment, parseEmitted, type Shapes } from "./emitted.ts";
import { shapesOf } from "./route.ts";

/** As they come, one after the other: those of a line have one shape, or look as if they had. */
const TEXTS = [
  ["return f(a, b);", "return load(url, url);", "return f(this, b);", "return f(await, yield);"],
  ['f("a", { b: "c" });', 'f("\\"\\\\\\n\\u00e9", { b: "" });', "f('a', { b: \"c\" });", 'f("\\x41", { b: "c" });'],
  ["f(a / b, c / d);", "f(/b, c/);", "f(`b`);", "f(`c`);"],
  ["f(\\u0061b);", "f(\\u0061c);", "f(1e5, 0x1f, 2..toString(), .5);", "f(1e6, 0x2f, 3..toString(), .5);"],
  ["var a = /*#__PURE__*/b(), c = /*#__PURE__*/d();", "var _x = /*#__PURE__*/_y(), _z = /*#__PURE__*/_w();"],
  ["f(async () => {});", "f(async (x) => {});", "f(a+ +b, a++ +b);", "f(c+ +d, c++ +d);"],
  ["f({ a, b: c, d });", "f({ b, b: b, été });", "f(...a, [, b], c?.d, c?.[d]);", "f(...b, [, b], d?.d, c?.[b]);"],
].flat();

const known = (parse: Shapes["parse"]): Shapes => ({ parse, models: new Map() });
/** Positions are those of the text that was parsed; nobody asks for them. */
const inWords = (nodes: unknown): string =>
  JSON.stringify(nodes, (name, value) => (/^start$|^end$|Start$/.test(name) ? undefined : value));

describe.each([
  [babel7.version, babel7],
  [babel8.version, babel8],
] as const)("Babel %s", (_, babel: any) => {
  const { parse } = shapesOf(babel);

  test("a text is the same, whether its shape was met before or not", () => {
    const warm = known(parse);
    for (const text of [...TEXTS, ...TEXTS])
      expect(inWords(parseEmitted(warm, [[text]], [text.replace("return", "")]))).toBe(
        inWords(parseEmitted(known(parse), [[text]], [text.replace("return", "")])),
      );
  });

  test("other names and strings are the same shape, and parsed once", () => {
    let parsed = 0;
    const warm = known((code) => {
      parsed++;
      return parse(code);
    });
    const tail = (n: number) => `import { a as _${n} } from "x${n}";\nfunction f${n}() { return "${n}"; }`;
    for (let n = 0; n < 5; n++) expect(parseEmitted(warm, [[`return f${n}();`]], [tail(n)]).last).toHaveLength(2);
    expect(parsed).toBe(3);
  });

  test("each copy has nodes and comments of its own, and two nodes that share a comment share its copy", () => {
    const warm = known(parse);
    const text = "var a = /*#__PURE__*/b(); /* shared */ a;";
    const [one, other] = [1, 2].map(() => parseEmitted(warm, [[text]], []).statements[0] as BabelNode[]) as any;
    const [first, second] = [one[0].declarations[0], other[0].declarations[0]];
    expect(first.init.leadingComments).toEqual(second.init.leadingComments);
    expect(first.init.leadingComments[0]).not.toBe(second.init.leadingComments[0]);
    expect(one[0].trailingComments[0].value).toBe(" shared ");
    expect(one[1].leadingComments[0]).toBe(one[0].trailingComments[0]);
    first.init.callee.name = "c";
    expect(second.init.callee.name).toBe("b");
  });

  test("holes: an expression, and a method in the place of a shorthand property", () => {
    const value: BabelNode = { type: "Identifier", name: "theirs" };
    const method: BabelNode = { type: "ObjectMethod" };
    const text: Fragment = ["return f(", value, ", ({ ", method, " }).key, `${", value, "}`);"];
    const [statement] = parseEmitted(known(parse), [text], []).statements[0] as [BabelNode];
    const [first, second, third] = statement.argument.arguments;
    expect(first).toBe(value);
    expect(second.object.properties[0]).toBe(method);
    expect(third.expressions[0]).toBe(value);
  });
});
