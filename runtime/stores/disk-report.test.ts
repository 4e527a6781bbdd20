import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { writeEntry } from "./bytes.ts";
import { diskStore } from "./disk.ts";
import { diskFolder, readDisk } from "./disk-report.ts";
import { Seal } from "./seal.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kept-report-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const CODE = "h1:00000000000000000000000000000001";
function fill(key: string, tags: readonly string[] = [], wrap = (store = diskStore({ dir })) => store): void {
  const store = wrap();
  const name = { site: "src/a.ts#load", code: CODE, key };
  const about = { began: 1000, until: Number.POSITIVE_INFINITY, tags };
  const pieces = writeEntry({ ...name, ...about, cost: 1, expires: about.until, value: [1, 2, 3], replay: undefined });
  store.set(name, pieces, { ...about, maxEntries: undefined });
  store.close();
}
const files = () =>
  (readdirSync(dir, { recursive: true, encoding: "utf8" }) as string[])
    .filter((path) => /[\da-f]{32}-/.test(path))
    .map((path) => join(dir, path));

test("says of each entry whose it is, from its beginning alone", () => {
  fill("short");
  fill(
    "k".repeat(20_000),
    Array.from({ length: 400 }, (_, at) => `tag ${at}`),
  );
  const [path] = files();
  expect(readDisk(dir)).toMatchObject({ dir, isThere: true, failures: [] });
  expect(readDisk(dir).entries).toEqual(
    files().map((file) => ({
      site: "src/a.ts#load",
      code: CODE,
      bytes: readFileSync(file).length,
      began: 1000,
      until: Number.POSITIVE_INFINITY,
      used: expect.any(Number),
      state: "readable",
    })),
  );
  expect(path).toBeDefined();
});

test("what is sealed says nothing", () => {
  const seal = new Seal(["a secret of some length"]);
  fill("n1", [], (store = diskStore({ dir })) => seal.around(store));
  expect(readDisk(dir).entries).toMatchObject([{ state: "sealed", site: undefined, code: undefined }]);
});

test("nothing is there, or something else", () => {
  expect(readDisk(join(dir, "none"))).toEqual({ dir: join(dir, "none"), isThere: false, entries: [], failures: [] });
  writeFileSync(join(dir, "1"), "a file");
  expect(readDisk(dir)).toMatchObject({ isThere: false, failures: [{ message: "it is no folder" }] });
});

test("damage of every kind is told, and never thrown", () => {
  fill("n1");
  const [path] = files();
  const good = readFileSync(path!);
  for (let length = 0; length < good.length; length++) {
    writeFileSync(path!, good.subarray(0, length));
    const [entry] = readDisk(dir).entries;
    expect(entry?.bytes).toBe(length);
    if (length < 60) expect(entry?.state).toBe("damaged");
  }
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = Buffer.from(good);
    bad[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path!, bad);
    expect(readDisk(dir).entries).toHaveLength(1);
  }
  rmSync(path!);
  mkdirSync(path!);
  writeFileSync(join(dir, "1", "stray"), "");
  expect(readDisk(dir)).toMatchObject({ entries: [], failures: [] });
});

test("finds the folder as the program does, and takes one with results as it is", () => {
  writeFileSync(join(dir, "package.json"), '{ "name": "my-app" }');
  mkdirSync(join(dir, "node_modules"));
  expect(diskFolder(undefined, dir)).toBe(join(dir, "node_modules/.cache/kept/my-app"));
  expect(diskFolder("results", dir)).toBe(join(dir, "results/my-app"));
  mkdirSync(join(dir, "copied/1"), { recursive: true });
  expect(diskFolder("copied", dir)).toBe(join(dir, "copied"));
  expect(diskFolder(join(dir, "copied"), "/")).toBe(join(dir, "copied"));
});
