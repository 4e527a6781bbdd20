/**
 * What `configure({ secret })` costs, beside the same without it: `node scripts/bench/seal.js`, after a build. A hit from
 * disk with nothing in memory, and a write; in one process, in turn, in CPU time (a busy machine slows all alike). Beside
 * it stands the hash alone, which nothing that checks a whole entry can do without.
 */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheData } from "../../dist/runtime/generated-node.js";
import { caches, configure } from "../../dist/runtime/index-node.js";

const SECRET = "a secret for the bench, long enough";
const SIZES = { "1 KB": 1000, "64 KB": 64_000, "1 MB": 1_000_000, "32 MB": 32_000_000 };
const PASSES = 15;

const top = mkdtempSync(join(tmpdir(), "kept-seal-"));
try {
  console.log("entry     hit, plain   hit, sealed   more    write, plain   write, sealed   more    HMAC alone");
  for (const [name, bytes] of Object.entries(SIZES)) await measure(name, bytes);
} finally {
  configure({ dir: undefined, secret: undefined });
  rmSync(top, { recursive: true, force: true });
}

/** @param {string} name @param {number} bytes */
async function measure(name, bytes) {
  const keys = Math.max(1, Math.min(200, Math.floor(2_000_000 / bytes)));
  let version = 0;
  const call = cacheData({
    v: 1,
    id: `bench/seal.js#f${bytes}`,
    code: "h1:0",
    hashed: ["n"],
    excluded: [],
    persist: "disk",
  });
  const make = () => new Float64Array(bytes / 8).fill(++version);
  /** @typedef {{ hit: number[], write: number[] }} Times */
  const times = {
    plain: /** @type {Times} */ ({ hit: [], write: [] }),
    sealed: /** @type {Times} */ ({ hit: [], write: [] }),
  };
  /** @type {number[]} */
  const alone = [];
  for (let pass = 0; pass < PASSES; pass++) {
    for (const way of /** @type {const} */ (["plain", "sealed"])) {
      configure({ dir: join(top, `${way}${bytes}-${pass}`), secret: way === "sealed" ? SECRET : undefined });
      times[way].write.push(
        await cpu(async () => {
          for (let n = 0; n < keys; n++) call([n], make);
          await caches.close();
        }, keys),
      );
      const before = version;
      times[way].hit.push(
        await cpu(() => {
          for (let n = 0; n < keys; n++) call([n], make);
        }, keys),
      );
      if (version !== before) throw new Error("that was no hit");
      await caches.close();
      rmSync(join(top, `${way}${bytes}-${pass}`), { recursive: true, force: true });
    }
    const data = new Uint8Array(bytes);
    alone.push(
      await cpu(() => {
        for (let n = 0; n < keys; n++) createHmac("sha256", SECRET).update(data).digest();
      }, keys),
    );
  }
  /** @param {Times} of */
  const medians = ({ hit, write }) => ({ hit: median(hit), write: median(write) });
  const [plain, sealed] = [medians(times.plain), medians(times.sealed)];
  /** @param {number} a @param {number} b */
  const more = (a, b) => `×${(b / a).toFixed(2)}`.padEnd(7);
  /** @param {number} us */
  const show = (us) => (us < 1000 ? `${us.toFixed(1)} µs` : `${(us / 1000).toFixed(2)} ms`).padEnd(13);
  console.log(
    name.padEnd(9),
    show(plain.hit),
    show(sealed.hit),
    more(plain.hit, sealed.hit),
    show(plain.write),
    " ",
    show(sealed.write),
    " ",
    more(plain.write, sealed.write),
    show(median(alone)),
  );
}

/** @param {() => unknown} act @param {number} times @returns µs of CPU for each */
async function cpu(act, times) {
  const began = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / times;
}

/** @param {number[]} list */
function median(list) {
  return /** @type {number} */ (list.sort((a, b) => a - b)[list.length >> 1]);
}
