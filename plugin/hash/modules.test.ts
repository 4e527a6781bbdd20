import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { transform } from "../index.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "kept-modules-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const cached = (name: string, body: string): string =>
  `import { helper } from "./helper.ts";\nexport function ${name}(x) { "use cache data"; ${body} }\nexport const k = 1;\n`;

/** Of the first function of the file as it is given, whatever is on disk. */
const hashOf = (file: string, source: string): string | undefined =>
  transform(source, { filename: join(root, file), root, hash: { cache: false } })?.sites[0]?.code;

test("files beyond those whose trees are held are read again, and known as they were given", () => {
  writeFileSync(join(root, "helper.ts"), "export function helper(x) { return x; }\n");
  writeFileSync(join(root, "first.ts"), cached("first", "return helper(x);"));
  writeFileSync(join(root, "user.ts"), "");
  const user =
    'import { first, k } from "./first.ts";\nexport function user(x) { "use cache data"; return first(x) + k; }\n';
  hashOf("first.ts", cached("first", "return helper(x);"));
  const before = hashOf("user.ts", user);
  for (let n = 0; n < 60; n++) hashOf(`other${n}.ts`, cached(`other${n}`, `return helper(x) + ${n};`));
  // The host gives another text than what is on disk, of a file whose tree was let go.
  hashOf("first.ts", cached("first", "return helper(x) + 1;"));
  expect(hashOf("user.ts", user)).not.toBe(before);
  hashOf("first.ts", cached("first", "return helper(x);"));
  expect(hashOf("user.ts", user)).toBe(before);
  expect(hashOf("user.ts", `${user}\n`)).toBe(before);
});
