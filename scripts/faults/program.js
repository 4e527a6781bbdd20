/**
 * A program with one persisted function, as the compiler would have made it: what the fault tests start, several at a
 * time. Its results say by themselves whether they are right. Driven by its parent: `{ do: "calls", from, to }`.
 *
 *     node program.js <folder> <async|sync>
 */

import { cacheData } from "../../dist/runtime/generated-node.js";
import { caches, configure, on, stats } from "../../dist/runtime/index-node.js";

const [dir, form] = /** @type {[string, string]} */ (process.argv.slice(2));
configure({ dir });

/** @type {Record<string, number>} */
const faults = {};
on("fault", ({ code }) => {
  faults[code] = (faults[code] ?? 0) + 1;
});

const id = "src/program.ts#compute";
const call = cacheData({
  v: 1,
  id,
  code: "h1:00000000000000000000000000000001",
  hashed: ["n"],
  excluded: [],
  persist: "disk",
  async: form === "async",
});

/** @param {number} n */
function compute(n) {
  const rows = Array.from({ length: n % 50 }, (_, at) => ({ at, name: `row ${at} of ${n}` }));
  return { n, rows, column: Float64Array.from({ length: (n * 37) % 20_000 }, (_, at) => at * n) };
}

/**
 * @param {ReturnType<typeof compute>} value
 * @param {number} n
 */
function isRight({ n: found, rows, column }, n) {
  if (found !== n || rows.length !== n % 50 || column.length !== (n * 37) % 20_000) return false;
  return (
    rows.every(({ at, name }, i) => at === i && name === `row ${i} of ${n}`) && column.every((x, i) => x === i * n)
  );
}

const total = { calls: 0, wrong: 0, thrown: 0, firstError: "" };

/**
 * @param {number} from
 * @param {number} to
 */
async function calls(from, to) {
  for (let n = from; n < to; n++) {
    total.calls++;
    try {
      const value = await call([n], form === "async" ? async () => compute(n) : () => compute(n));
      if (!isRight(/** @type {any} */ (value), n)) total.wrong++;
    } catch (error) {
      total.thrown++;
      total.firstError ||= String(error);
    }
    // What is in memory would never be asked of the disk again.
    if (n % 10 === 9) await caches.close();
    if (n % 5 === 4) await new Promise((done) => setImmediate(done));
  }
}

process.on("message", async (/** @type {{ from: number, to: number, again?: boolean }} */ { from, to, again }) => {
  do await calls(from, to);
  while (again);
  await caches.close();
  const { hits = 0, misses = 0 } = stats()[id] ?? {};
  process.send?.({ ...total, hits, misses, faults });
});
process.send?.({ ready: true });
