/** The claims of docs/security.md that no test of a single part makes sure of. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { deflateRawSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, expect, test } from "@jest/globals";
import { data } from "../fixtures/by-hand.ts";
import { nameOf } from "../fixtures/puppet-store.ts";
import { clearMemory } from "./clear.ts";
import { on } from "./events.ts";
import { caches, clear, configure } from "./index.ts";
import { readEntry, writeEntry } from "./stores/bytes.ts";
import { diskStore } from "./stores/disk.ts";
import { embedDisk } from "./stores/embedded.ts";
import { unpack } from "./stores/redis-pack.ts";

embedDisk();
const SECRET = "correct horse battery staple";
const top = mkdtempSync(join(tmpdir(), "kept-security-"));
let made = 0;
let codes: string[] = [];
let deaf = () => {};
beforeEach(() => {
  configure({ dir: join(top, `${++made}`) });
  codes = [];
  deaf = on("fault", ({ code }) => codes.push(code));
});
afterEach(() => {
  deaf();
  clearMemory();
  configure({ dir: undefined, secret: undefined });
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

const entries = (): string[] =>
  (readdirSync(join(top, `${made}`), { recursive: true, encoding: "utf8" }) as string[])
    .map((path) => join(top, `${made}`, path))
    .filter((path) => /[0-9a-f]{32}-[0-9a-f]{32}$/.test(path));

const FOREVER = Number.POSITIVE_INFINITY;
const ABOUT = { began: 1, cost: 0, expires: FOREVER, until: FOREVER, tags: [], replay: undefined };
const bytesOf = (value: unknown) => Uint8Array.from(Buffer.concat(writeEntry({ ...nameOf("a"), ...ABOUT, value })));

test("what is read touches no prototype, whatever its properties are called", () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  for (const name of [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "toJSON",
    "then",
  ]) {
    const value = JSON.parse(`{"${name}": {"polluted": true}, "list": [{"${name}": {"polluted": true}}]}`);
    const read = readEntry(bytesOf(value), nameOf("a")).value as Record<string, unknown>;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(read)).toEqual([name, "list"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
});

test("what is read holds no function: nothing of a stored value can be called by itself", () => {
  const value = { toString: "text", valueOf: 1, get: { nested: [new Map([["a", new Set([1])]])] } };
  const walk = (each: unknown): boolean =>
    typeof each !== "function" &&
    (typeof each !== "object" ||
      each === null ||
      [...Object.values(each), ...(each instanceof Map || each instanceof Set ? each.values() : [])].every(walk));
  expect(walk(readEntry(bytesOf(value), nameOf("a")).value)).toBe(true);
});

test("a decompression bomb gets no more memory than it was said to need, and no more than 1 GB", async () => {
  const bomb = deflateRawSync(Buffer.alloc(64 * 2 ** 20));
  expect(bomb.length).toBeLessThan(100_000);
  const packed = (length: number) => {
    const head = Buffer.alloc(5);
    head[0] = 1;
    head.writeUInt32LE(length, 1);
    return Buffer.concat([head, bomb]);
  };
  const before = process.memoryUsage().arrayBuffers;
  expect(await unpack(packed(1000))).toBeUndefined();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  expect(unpack(packed(2 ** 31))).toBeUndefined();
  expect((await unpack(packed(64 * 2 ** 20)))?.length).toBe(64 * 2 ** 20);
});

test("arguments that are chosen to collide in usual hashes cost no more than others", () => {
  // Equal in every hash of the kind h * 31 + c, and in h * 33 ^ c as good as.
  const colliding = Array.from({ length: 2 ** 13 }, (_, n) =>
    Array.from({ length: 13 }, (_, bit) => ((n >> bit) & 1 ? "Aa" : "BB")).join(""),
  );
  const hash = (text: string) => [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) | 0, 0);
  expect(new Set(colliding.map(hash)).size).toBe(1);
  const usual = colliding.map((_, n) => `${n}`.padStart(26, "x"));
  const time = (texts: readonly string[]) => {
    const fn = data({}, (text: string) => text.length);
    const began = process.cpuUsage().user;
    for (let round = 0; round < 3; round++) for (const text of texts) fn(text);
    const took = process.cpuUsage().user - began;
    clear(fn);
    return took;
  };
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < 7; round++) {
    times[0].push(time(usual));
    times[1].push(time(colliding));
  }
  const [plain, hostile] = times.map((list) => list.sort((a, b) => a - b)[3] as number) as [number, number];
  // One list for all of them would take a thousand times as long.
  expect(hostile / plain).toBeLessThan(10);
});

test("the secret is in nothing that one can print or store", async () => {
  configure({ secret: SECRET });
  const fn = data({ persist: "disk" }, (n: number) => n);
  fn(1);
  await caches.close();
  const everything = (globalThis as Record<symbol, unknown>)[Symbol.for("kept.shared/1")];
  expect(inspect(everything, { depth: 12, showHidden: true, maxArrayLength: null })).not.toContain(SECRET);
  for (const path of entries()) expect(readFileSync(path, "latin1")).not.toContain(SECRET);
});

test("not prevented by a secret: reading the values; putting back an entry of before, until its own end", async () => {
  configure({ secret: SECRET });
  let version = 1;
  const fn = data({ persist: "disk", ttl: 300 }, () => `version ${version}`);
  fn();
  await caches.close();
  const [path] = entries() as [string];
  const old = readFileSync(path);
  expect(old.includes("version 1")).toBe(true);
  version = 2;
  clear(fn);
  expect(fn()).toBe("version 2");
  await caches.close();
  writeFileSync(path, old);
  expect(fn()).toBe("version 1");
  // Its end is sealed, too: the store's own note of it may be changed, and is not what counts.
  await caches.close();
  await new Promise((done) => setTimeout(done, 320));
  const store = diskStore({ dir: join(top, "aside") });
  store.set(nameOf("x"), [Uint8Array.of(1)], { began: 1, until: FOREVER, tags: [], maxEntries: undefined });
  store.close();
  const [note] = (readdirSync(join(top, "aside"), { recursive: true, encoding: "utf8" }) as string[])
    .map((each) => join(top, "aside", each))
    .filter((each) => /[0-9a-f]{32}-[0-9a-f]{32}$/.test(each));
  const frame = readFileSync(note as string).subarray(0, -1);
  writeFileSync(path, Buffer.concat([frame, old.subarray(old.indexOf("KSL1"))]));
  expect(fn()).toBe("version 2");
  expect(codes).toEqual([]);
});
