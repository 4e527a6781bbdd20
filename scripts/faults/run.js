/**
 * What can happen to a disk, done to real processes: `npm run test:faults`. Each test prints its figures and fails if a
 * call threw or gave a wrong value. With CI in the environment, fewer rounds.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start, sum } from "./processes.js";

const isShort = Boolean(process.env.CI);
const top = mkdtempSync(join(tmpdir(), "kept-faults-"));
chmodSync(top, 0o755);
let failed = 0;

/** @typedef {{ wrong: number, thrown: number, unmet?: string | undefined } & Record<string, unknown>} Figures */

/** @type {Record<string, (dir: string) => Promise<Figures | string>>} */
const TESTS = {
  "killed while writing": crash,
  "damaged files": damage,
  "one small entry, every bit and every length": everyBit,
  "full disk": full,
  "folders not ours": denied,
};

try {
  for (const [name, test] of Object.entries(TESTS)) {
    const dir = join(top, name.replaceAll(" ", "-"));
    mkdirSync(dir);
    const began = performance.now();
    const figures = await test(dir).catch((error) => ({ wrong: 0, thrown: 1, unmet: error.message }));
    const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
    if (typeof figures === "string") {
      console.log(`- ${name}: not tried, ${figures}`);
      continue;
    }
    const isRight = figures.wrong === 0 && figures.thrown === 0 && figures.unmet === undefined;
    if (!isRight) failed++;
    console.log(`${isRight ? "✓" : "✗"} ${name} (${took}): ${JSON.stringify(figures)}`);
  }
} finally {
  rmSync(top, { recursive: true, force: true });
}
if (failed > 0) process.exitCode = 1;

/** Rounds of SIGKILL at random moments of a writing process, with two others that read (and write) the same. */
async function crash(/** @type {string} */ dir) {
  const rounds = isShort ? 25 : 200;
  const readers = [await start(dir, "sync"), await start(dir, "async")];
  const reports = [];
  let moments = 0;
  for (let round = 0; round < rounds; round++) {
    const writer = await start(dir, round % 2 === 0 ? "sync" : "async");
    const from = round * 15;
    writer.callOn(from, from + 30);
    const moment = Math.random() * 60;
    moments += moment;
    await new Promise((done) => setTimeout(done, moment));
    const reading = readers.map((reader) => reader.call(Math.max(0, from - 20), from + 30));
    await writer.kill();
    reports.push(await Promise.all(reading));
  }
  const last = /** @type {import("./processes.js").Report[]} */ (reports.at(-1));
  const after = await start(dir, "sync");
  const all = sum([...last, await after.call(0, rounds * 15)]);
  await Promise.all([...readers, after].map((each) => each.end()));
  const left = files(dir).filter((path) => path.endsWith("~")).length;
  const unmet = all.faults["entry-damaged"] ? "no damaged entry" : all.hits === 0 ? "a hit" : undefined;
  return { rounds, meanMoment: `${(moments / rounds).toFixed(0)} ms`, ...all, unfinishedFiles: left, unmet };
}

/** Every file of a folder cut off, garbled, replaced, emptied: by one process, read by others. */
async function damage(/** @type {string} */ dir) {
  const entries = 60;
  const rounds = isShort ? 10 : 60;
  const reports = [];
  let damaged = 0;
  for (let round = 0; round < rounds; round++) {
    const writer = await start(dir, "sync");
    reports.push(await writer.call(0, entries));
    await writer.end();
    const all = files(dir);
    for (const [at, path] of all.entries()) {
      const good = readFileSync(path);
      const place = Math.floor(Math.random() * good.length);
      const bad = Buffer.from(good);
      const kinds = [
        () => good.subarray(0, place),
        () => bad.fill(Math.floor(Math.random() * 256), place, Math.min(place + 16, good.length)),
        () => readFileSync(all[(at + 1) % all.length] ?? path),
        () => Buffer.alloc(0),
        () => Buffer.alloc(good.length, 65),
        () => {
          bad[place] = (bad[place] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
          return bad;
        },
      ];
      const bytes = (kinds[(at + round) % kinds.length] ?? (() => bad))();
      if (bytes.equals(good)) continue;
      damaged++;
      writeFileSync(path, bytes);
    }
    const reader = await start(dir, round % 2 === 0 ? "async" : "sync");
    const report = await reader.call(0, entries);
    await reader.end();
    reports.push(report);
  }
  const all = sum(reports);
  const found = all.faults["entry-damaged"] ?? 0;
  return { damaged, ...all, unmet: found < damaged * 0.99 ? "every damage found" : undefined };
}

/** One file with every bit of it flipped, cut off at every length, and as garbage: each read by one of two processes. */
async function everyBit(/** @type {string} */ dir) {
  const readers = [await start(dir, "sync"), await start(dir, "async")];
  await readers[0]?.call(1, 2);
  const [path] = files(dir);
  if (path === undefined) throw new Error("nothing was written");
  const good = readFileSync(path);
  const flipped = Array.from({ length: 8 * good.length }, (_, bit) => {
    const bad = Buffer.from(good);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return bad;
  });
  const cut = Array.from({ length: good.length }, (_, length) => good.subarray(0, length));
  const garbage = [0, 1, good.length, 70_000].map((length) => Buffer.alloc(length, 65));
  const harms = [...flipped, ...cut, ...garbage, Buffer.concat([good, good]), Buffer.concat([good, Buffer.alloc(1)])];
  const before = await readers[1]?.call(1, 2);
  for (const [at, bytes] of harms.entries()) {
    writeFileSync(path, bytes);
    await readers[at % 2]?.call(1, 2);
  }
  const reports = await Promise.all(readers.map((reader) => reader.call(1, 2)));
  await Promise.all(readers.map((reader) => reader.end()));
  const all = sum(reports);
  const found = all.faults["entry-damaged"];
  return {
    bytes: good.length,
    bits: flipped.length,
    lengths: cut.length,
    others: harms.length - flipped.length - cut.length,
    ...all,
    unmet: before?.hits !== 1 ? "a hit before" : found !== harms.length ? "every damage found" : undefined,
  };
}

/** A file system of 2 MB, while what is to be written takes more than 20. */
async function full(/** @type {string} */ dir) {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", dir]);
  if (mounted.status !== 0) return "a file system can't be mounted here";
  try {
    const reports = [];
    let warnings = 0;
    for (const form of /** @type {const} */ (["sync", "async", "sync"])) {
      const program = await start(dir, form);
      reports.push(await program.call(0, 400));
      await program.end();
      warnings += program.warnings().split("KEPT_DISK").length - 1;
    }
    const all = sum(reports);
    const left = files(dir).filter((path) => path.endsWith("~")).length;
    return {
      processes: 3,
      warnings,
      ...all,
      unfinishedFiles: left,
      unmet: warnings === 3 ? undefined : "one warning each",
    };
  } finally {
    spawnSync("umount", [dir]);
  }
}

/** Read-only, closed, with files that are closed, a file in the way: as a user who may not. */
async function denied(/** @type {string} */ dir) {
  if (process.getuid?.() !== 0) return "only root can become somebody who may not";
  const nobody = { uid: 65534, gid: 65534 };
  const reports = [];
  /** @type {Record<string, number>} */
  const hits = {};
  let warnings = 0;
  const run = async (/** @type {string} */ place, /** @type {"sync" | "async"} */ form) => {
    const program = await start(place, form, nobody);
    const report = await program.call(0, 40);
    await program.end();
    reports.push(report);
    warnings += program.warnings().split("KEPT_DISK").length - 1;
    return report.hits;
  };
  const first = await start(dir, "sync");
  reports.push(await first.call(0, 20));
  await first.end();
  for (const [name, ofFolders, ofFiles] of /** @type {const} */ ([
    ["read-only", 0o555, 0o444],
    ["closed", 0o000, 0o444],
    ["with closed files", 0o555, 0o000],
  ])) {
    for (const path of files(dir)) chmodSync(path, ofFiles);
    for (const path of folders(dir)) {
      chownSync(path, 0, 0);
      chmodSync(path, ofFolders);
    }
    hits[name] = await run(dir, "async");
    for (const path of [dir, ...folders(dir)]) chmodSync(path, 0o755);
  }
  const inTheWay = join(dir, "file");
  writeFileSync(inTheWay, "garbage");
  hits["a file"] = await run(inTheWay, "sync");
  const unmet = hits["read-only"] !== 20 ? "hits where one may read" : warnings !== 4 ? "one warning each" : undefined;
  return { ...sum(reports), hitsOfOthers: hits, warnings, unmet };
}

/** @param {string} dir */
function files(dir) {
  return under(dir).filter((path) => statSync(path).isFile() && /[0-9a-f]{32}-[0-9a-f]{32}/.test(path));
}
/** Itself last, so that what is inside can be reached until then. @param {string} dir */
function folders(dir) {
  return [
    ...under(dir)
      .filter((path) => statSync(path).isDirectory())
      .reverse(),
    dir,
  ];
}
/** @param {string} dir */
function under(dir) {
  return readdirSync(dir, { recursive: true, encoding: "utf8" }).map((path) => join(dir, path));
}
