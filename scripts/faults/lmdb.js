/**
 * Why the disk store is not LMDB: what becomes of a process that opens a file of LMDB's that is cut off, garbled or
 * garbage. `node scripts/faults/lmdb.js` counts how it ended.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ENTRIES = 200;
const self = fileURLToPath(import.meta.url);
const [role, file] = process.argv.slice(2);

if (role === "fill" || role === "read") {
  const { open } = await import("lmdb");
  const db = open({ path: /** @type {string} */ (file), encoding: "binary" });
  if (role === "fill") for (let i = 0; i < ENTRIES; i++) db.putSync(`k${i}`, Buffer.alloc(1000, i));
  let wrong = 0;
  for (let i = 0; role === "read" && i < ENTRIES; i++) {
    const value = db.getBinary(`k${i}`);
    if (value !== undefined && !(value.length === 1000 && value.every((byte) => byte === (i & 255)))) wrong++;
  }
  await db.close();
  console.log(wrong > 0 ? "wrong values" : "right values or none");
} else {
  compare();
}

function compare() {
  const dir = mkdtempSync(join(tmpdir(), "kept-lmdb-"));
  const path = join(dir, "a.mdb");
  const run = (/** @type {string} */ what) => {
    const { signal, status, stdout } = spawnSync(process.execPath, [self, what, path], { encoding: "utf8" });
    return signal ?? (status === 0 ? stdout.trim() : "an exception");
  };
  try {
    run("fill");
    const good = readFileSync(path);
    /** @type {Record<string, Record<string, number>>} */
    const tally = {};
    const round = (/** @type {string} */ how, /** @type {Buffer} */ bytes) => {
      rmSync(`${path}-lock`, { force: true });
      writeFileSync(path, bytes);
      const end = run("read");
      const ends = (tally[how] ??= {});
      ends[end] = (ends[end] ?? 0) + 1;
    };
    for (let part = 0; part <= 24; part++) round("cut off", good.subarray(0, Math.floor((good.length * part) / 24)));
    for (let time = 0; time < 60; time++) {
      const at = Math.floor(Math.random() * good.length);
      round("16 bytes garbled", Buffer.from(good).fill(255, at, at + 16));
    }
    round("garbage", Buffer.alloc(good.length, 65));
    console.log(JSON.stringify(tally, null, 2));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
