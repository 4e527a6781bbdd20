import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { type DiskOptions, diskStore } from "./disk.ts";
import type { About, EntryName } from "./store.ts";

const top = mkdtempSync(join(tmpdir(), "kept-disk-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const NAME: EntryName = { site: "src/a.ts#load", code: "h1:1", key: "n1" };
const ABOUT: About = { began: 0, until: Number.POSITIVE_INFINITY, tags: [], maxEntries: undefined };
const bytes = (length: number, fill = 1) => [new Uint8Array(length).fill(fill)];
const name = (key: number): EntryName => ({ ...NAME, key: `n${key}` });

let dir = "";
let made = 0;
beforeEach(() => {
  dir = join(top, `${++made}`);
});
const open = (options: Partial<DiskOptions> = {}) => diskStore({ dir, ...options });
const files = (): string[] =>
  (readdirSync(dir, { recursive: true, encoding: "utf8" }) as string[]).filter((path) =>
    statSync(join(dir, path)).isFile(),
  );
const entries = () => files().filter((path) => /[0-9a-f]{32}-[0-9a-f]{32}$/.test(path));
const turn = () => new Promise<void>((done) => setImmediate(done));

describe("the disk store", () => {
  test("makes no folder before something is written, nor when something is removed", () => {
    const store = open();
    store.get(NAME);
    store.remove({});
    store.remove({ tag: "x" });
    store.remove({ site: "x" });
    store.flush();
    expect(() => readdirSync(dir)).toThrow("ENOENT");
  });

  test("writes behind: in a later turn, or when it is flushed", async () => {
    const store = open();
    store.set(name(1), bytes(10), ABOUT);
    expect(store.get(name(1))).toHaveLength(10);
    expect(() => files()).toThrow("ENOENT");
    await turn();
    await turn();
    expect(entries()).toHaveLength(1);
    store.set(name(2), bytes(10), ABOUT);
    store.flush();
    expect(entries()).toHaveLength(2);
  });

  test("leaves nothing but entries behind, and no argument's text in their names", () => {
    const store = open();
    store.set({ ...NAME, key: "s6:secret" }, bytes(10), ABOUT);
    store.close();
    expect(files().filter((path) => path.includes("~") || path.includes("secret"))).toEqual([]);
    expect(entries()).toHaveLength(1);
  });

  test("keeps the bound of a function: the least recently used go", () => {
    const store = open();
    const about = { ...ABOUT, maxEntries: 3 };
    for (let key = 0; key < 5; key++) {
      store.set(name(key), bytes(10, key), about);
      store.flush();
      // Older than what comes next, also where two writes fall into one tick of the file system's clock.
      for (const path of entries()) {
        const { mtimeMs } = statSync(join(dir, path));
        utimesSync(join(dir, path), mtimeMs / 1000 - 10, mtimeMs / 1000 - 10);
      }
    }
    expect(entries()).toHaveLength(3);
    expect([0, 1, 2, 3, 4].map((key) => store.get(name(key)) !== undefined)).toEqual([false, false, true, true, true]);
  });

  test("keeps the bound of the folder, over processes that each write a little", () => {
    for (let process = 0; process < 30; process++) {
      const store = open({ maxBytes: 20_000 });
      store.set(name(process), bytes(2000), ABOUT);
      store.close();
    }
    const total = entries().reduce((sum, path) => sum + statSync(join(dir, path)).size, 0);
    expect(total).toBeLessThanOrEqual(22_100);
    expect(total).toBeGreaterThan(15_000);
    expect(open().get(name(29))).toHaveLength(2000);
  });

  test("sweeps what is over, what nobody has used for long, and what was never finished", async () => {
    const store = open({ unusedFor: 50_000 });
    store.set(name(1), bytes(10), { ...ABOUT, until: Date.now() + 50 });
    store.set(name(2), bytes(10), ABOUT);
    store.set(name(3), bytes(10), ABOUT);
    store.close();
    const [folder] = readdirSync(join(dir, "1")).filter((each) => each.length === 32);
    const old = Date.now() / 1000 - 7200;
    writeFileSync(join(dir, "1", folder!, "x-1~"), "torn");
    utimesSync(join(dir, "1", folder!, "x-1~"), old, old);
    const unused = readdirSync(join(dir, "1", folder!)).filter((each) => !each.endsWith("~"))[0]!;
    utimesSync(join(dir, "1", folder!, unused), Date.now() / 1000 - 100, Date.now() / 1000 - 100);
    await new Promise((done) => setTimeout(done, 60));
    rmSync(join(dir, "1", "swept"), { force: true });
    const other = open({ unusedFor: 50_000 });
    other.set(name(4), bytes(10), ABOUT);
    while (!files().includes(join("1", "swept"))) await turn();
    expect(files().filter((path) => path.endsWith("~"))).toEqual([]);
    expect(entries().length).toBeLessThanOrEqual(3);
    expect(entries().some((path) => path.endsWith(unused))).toBe(false);
    expect(other.get(name(1))).toBeUndefined();
    expect(other.get(name(4))).toHaveLength(10);
  });

  test("sets aside a file that stands where the folder should be", () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "1"), "garbage");
    const store = open();
    expect(store.get(NAME)).toBeUndefined();
    store.set(NAME, bytes(10), ABOUT);
    store.close();
    expect(open().get(NAME)).toHaveLength(10);
    expect(readdirSync(dir).some((each) => each.startsWith("1.damaged-"))).toBe(true);
  });

  test("goes on without a folder that can't be made, with one warning and a fault", () => {
    mkdirSync(top, { recursive: true });
    writeFileSync(dir, "a file");
    const faults: unknown[] = [];
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => {});
    const store = open({ onFault: (error) => faults.push(error) });
    for (let key = 0; key < 3; key++) {
      store.set(name(key), bytes(10), ABOUT);
      store.flush();
    }
    expect(store.get(name(1))).toBeUndefined();
    expect(faults).toHaveLength(1);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain("kept in memory only");
    warn.mockRestore();
  });

  test("refuses a frame that is not what was written: every bit of it", () => {
    const store = open();
    store.set(NAME, bytes(4), { ...ABOUT, tags: ["a"] });
    store.close();
    const path = join(dir, entries()[0]!);
    const good = readFileSync(path);
    for (let bit = 0; bit < (good.length - 4) * 8; bit++) {
      const flipped = Buffer.from(good);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, flipped);
      expect(() => open().get(NAME)).toThrow();
    }
  });

  test("doesn't bring back in another process what a tag has cleared, nor what was begun before", () => {
    const one = open();
    const other = open();
    const now = () => performance.timeOrigin + performance.now();
    const about = { ...ABOUT, tags: ["t"], began: now() };
    one.set(name(1), bytes(1), about);
    one.flush();
    other.remove({ tag: "t" });
    expect(one.get(name(1))).toBeUndefined();
    one.set(name(2), bytes(1), about);
    one.flush();
    expect(other.get(name(2))).toBeUndefined();
    one.set(name(3), bytes(1), { ...about, began: now() + 1 });
    one.flush();
    expect(other.get(name(3))).toHaveLength(1);
  });
});
