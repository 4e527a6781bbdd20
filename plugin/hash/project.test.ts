/** What is known of a project stays right while its files change: warm is cold. */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { codeHash } from "../index.ts";
import { routeNamed } from "../routes.ts";
import { Project } from "./project.ts";
import { FactsCache } from "./resolve/facts-cache.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const made: string[] = [];
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kept-project-"));
  made.push(root);
  cpSync(join(repository, "fixtures/apps/hashing"), root, { recursive: true });
});
afterAll(() => {
  for (const each of made) rmSync(each, { recursive: true, force: true });
});

let reads = 0;
const read = (source: string, filename: string) => {
  reads++;
  return routeNamed("swc").read(source, filename).program;
};
const open = (cache?: FactsCache): Project => new Project(read, { root }, cache);

const files = (): string[] =>
  readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => join(root, "src", path))
    .sort();

function hashes(project: Project): Record<string, string> {
  project.refresh();
  const names = files().flatMap((file) =>
    Object.entries(project.facts(file)?.exports ?? {}).flatMap(([, each]) =>
      "binding" in each ? [[file, each.binding] as const] : [],
    ),
  );
  return Object.fromEntries(
    project.bindings(names).map(({ hash }, index) => [names[index]?.join("#").slice(root.length), hash]),
  );
}

describe("warm equals cold", () => {
  test("after random edits, in one process that goes on", () => {
    const project = open();
    hashes(project);
    const edit = fc.record({
      file: fc.nat(),
      kind: fc.constantFrom("number", "append", "delete", "restore", "move", "json"),
      value: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        for (const { file, kind, value } of edits) {
          const path = files()[file % files().length] as string;
          const text = readFileSync(path, "utf8");
          if (kind === "number") writeFileSync(path, text.replace(/\d/, String(value)));
          else if (kind === "append") writeFileSync(path, `${text}\nexport const added${value} = ${value};\n`);
          else if (kind === "json")
            writeFileSync(join(root, "data/rates.json"), `{ "EUR": ${value}, "USD": 1, "GBP": { "mid": 1 } }`);
          else if (kind === "move") renameSync(path, path.replace(/(?:-moved)?(\.tsx?)$/, "-moved$1"));
          else if (kind === "delete" && files().length > 30) unlinkSync(path);
          else cpSync(join(repository, "fixtures/apps/hashing"), root, { recursive: true });
        }
        expect(hashes(project)).toEqual(hashes(open()));
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  test("a file that appears takes the place of another, and a folder that of a file", () => {
    const project = open();
    const of = () => project.bindings([[join(root, "src/x.ts"), "x"]])[0];
    writeFileSync(join(root, "src/x.ts"), 'import { y } from "./y";\nexport const x = () => y;\n');
    expect(of()?.doubts).toHaveLength(1);
    mkdirSync(join(root, "src/y"));
    writeFileSync(join(root, "src/y/index.ts"), "export const y = 1;\n");
    const folder = of();
    expect(folder?.doubts).toEqual([]);
    writeFileSync(join(root, "src/y.ts"), "export const y = 2;\n");
    expect(of()?.hash).not.toBe(folder?.hash);
    unlinkSync(join(root, "src/y.ts"));
    expect(of()?.hash).toBe(folder?.hash);
  });

  test("CommonJS that does not parse for a while, or is gone, and comes back", () => {
    const project = open();
    const [file, rates] = [join(root, "src/x.ts"), join(root, "src/rates.cjs")];
    writeFileSync(file, 'import rates from "./rates.cjs";\nexport const x = (name: string) => rates[name];\n');
    const of = () => project.bindings([[file, "x"]])[0]?.hash;
    const whole = "for (const name of ['EUR']) exports[name] = 1;\n";
    writeFileSync(rates, whole);
    const before = of();
    expect(before).toBeDefined();
    for (const broken of ["module.exports = { EUR: ;\n", undefined]) {
      if (broken === undefined) unlinkSync(rates);
      else writeFileSync(rates, broken);
      expect(of()).not.toBe(before);
      writeFileSync(rates, whole);
      expect(of()).toBe(before);
    }
  });

  test("two writes within one tick of the clock are both seen", () => {
    const project = open();
    const file = join(root, "src/numbers/clamp.ts");
    const seen = new Set<string>();
    for (let n = 0; n < 10; n++) {
      writeFileSync(file, `export const clamp = () => ${n};\n`);
      seen.add(project.bindings([[file, "clamp"]])[0]?.hash as string);
    }
    expect(seen.size).toBe(10);
  });
});

describe("facts on disk", () => {
  test("are used in the place of parsing, and give the same hashes", () => {
    const cache = join(root, "cache");
    const cold = hashes(open(new FactsCache(cache)));
    reads = 0;
    expect(hashes(open(new FactsCache(cache)))).toEqual(cold);
    expect(reads).toBe(0);
    expect(hashes(open())).toEqual(cold);
  });

  test("count for nothing when they are damaged, cut short, or can't be written", () => {
    const cache = join(root, "cache");
    const cold = hashes(open(new FactsCache(cache)));
    const [folder] = readdirSync(cache) as [string];
    for (const [index, name] of readdirSync(join(cache, folder)).entries()) {
      const path = join(cache, folder, name);
      const text = readFileSync(path, "utf8");
      writeFileSync(
        path,
        [text.replace("binding", "bindinG"), text.slice(0, -5), "", "{}", text.slice(40)][index % 5] as string,
      );
    }
    expect(hashes(open(new FactsCache(cache)))).toEqual(cold);
    writeFileSync(join(root, "file"), "");
    expect(hashes(open(new FactsCache(join(root, "file"))))).toEqual(cold);
  });

  test("are shared by processes that run at once", async () => {
    const cache = join(root, "cache");
    const names = [
      ["src/cached/report.ts", "report"],
      ["src/cached/search.ts", "suggest"],
      ["src/cached/prices.ts", "grossPrice"],
    ] as const;
    const script = `
      import { codeHash } from ${JSON.stringify(join(repository, "dist/plugin/index.js"))};
      const options = ${JSON.stringify({ root, hash: { cache } })};
      console.log(${JSON.stringify(names)}.map(([file, name]) => codeHash(file, name, options).hash).join());`;
    const run = () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, NODE_OPTIONS: "" },
      });
    const outputs = (await Promise.all([run(), run(), run()])).map(({ stdout }) => stdout);
    const expected = names.map(([file, name]) => codeHash(file, name, { root, hash: { cache: false } }).hash);
    expect(new Set(outputs)).toEqual(new Set([`${expected.join()}\n`]));
  });
});
