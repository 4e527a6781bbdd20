/**
 * What can happen to a Redis and the way to it, done to a real server and real processes: part of `npm run test:faults`.
 * Each test prints its figures and fails if a call threw, a value was wrong, or memory was served for longer than the
 * store says. With CI in the environment, fewer rounds and shorter cuts.
 *
 *     node scripts/faults/redis.js [part of a name]
 */

import { origin, startProgram } from "./redis-processes.js";
import { noServer, startProxy, startServer } from "./redis-server.js";

const isShort = Boolean(process.env.CI);
const only = process.argv[2] ?? "";
/** What the store promises here: more haste than its default, so that the tests take less time. */
const STALENESS = 2000;
const LEASE = 1000;
const TIMEOUT = 500;
const pause = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));
const wall = () => performance.timeOrigin + performance.now();
let failed = 0;

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */
/** @typedef {Awaited<ReturnType<typeof startProxy>>} Proxy */
/** @typedef {Record<string, unknown> & { unmet?: string | undefined }} Figures */

/** @type {Record<string, () => Promise<Figures>>} */
const TESTS = {
  "stampede, calm": () => stampede(false),
  "stampede, holder killed": () => stampede(true),
  calm: () => faulty(async () => {}),
  "killed and restarted": () =>
    faulty(async ({ server }) => {
      await server.kill();
      await pause(3000);
      await server.restart();
    }),
  FLUSHALL: () =>
    faulty(async ({ server }) => {
      for (let times = 0; times < 5; times++) {
        server.cli("FLUSHALL");
        await pause(400);
      }
    }),
  "CLIENT PAUSE": () =>
    faulty(async ({ server }) => {
      server.cli("CLIENT", "PAUSE", "3000", "ALL");
      await pause(3000);
    }),
  "slow (300 ms each way)": () =>
    faulty(async ({ proxy }) => {
      proxy.slow(300);
      await pause(4000);
      proxy.slow(0);
    }),
  "maxmemory, allkeys-lru": () =>
    faulty(
      async () => {
        await pause(4000);
      },
      ["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"],
      3000,
    ),
  "maxmemory, noeviction": () =>
    faulty(
      async () => {
        await pause(4000);
      },
      ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"],
      3000,
    ),
  "failover to an empty server": () =>
    faulty(async ({ proxy }) => {
      const other = await startServer();
      proxy.redirect(other.port);
      await pause(3000);
      return async () => void (await other.kill());
    }),
  "connections dropped": () =>
    faulty(async ({ proxy }) => {
      for (let times = 0; times < 10; times++) {
        proxy.drop();
        await pause(300);
      }
    }),
  "connections killed by the server": () =>
    faulty(async ({ server }) => {
      for (let times = 0; times < 10; times++) {
        server.cli("CLIENT", "KILL", "TYPE", "normal");
        server.cli("CLIENT", "KILL", "TYPE", "pubsub");
        await pause(300);
      }
    }),
  [`network cut for ${isShort ? 6 : 30} s`]: () =>
    faulty(async ({ proxy }) => {
      proxy.cut();
      await pause(isShort ? 6000 : 30_000);
      proxy.heal();
    }),
  "no server at start": () => late(),
  "ends by itself": () => ending(),
};

if (noServer !== undefined) console.log(`- Redis: not tried, ${noServer}`);
else {
  for (const [name, test] of Object.entries(TESTS)) {
    if (!name.includes(only)) continue;
    const began = performance.now();
    const figures = await test().catch((error) => /** @type {Figures} */ ({ unmet: String(error?.stack ?? error) }));
    const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
    const isRight = figures.unmet === undefined;
    if (!isRight) failed++;
    console.log(`${isRight ? "✓" : "✗"} redis: ${name} (${took}): ${JSON.stringify(figures)}`);
  }
  if (failed > 0) process.exitCode = 1;
}

/** 8 processes, 100 callers each, one key. */
async function stampede(/** @type {boolean} */ kills) {
  const rounds = isShort && kills ? 10 : 20;
  const server = await startServer();
  const from = origin();
  from.takes = 100;
  // Nine processes on a small machine may be slow; what is slow may be computed twice, and that is not asked here.
  const patient = { timeout: 10_000, connectTimeout: 10_000, staleness: 10_000, lease: 2000 };
  const options = { url: server.url, ...patient, guard: { timeout: "10s" } };
  const start = async () => {
    const program = await startProgram(options, from);
    await program.ask("burst", { key: "a first one, to connect", callers: 1 });
    return program;
  };
  const programs = await Promise.all(Array.from({ length: 8 }, start));
  /** @type {Record<number, number>} */
  const computations = {};
  let [thrown, unlike, slowest] = [0, 0, 0];
  try {
    for (let round = 0; round < rounds; round++) {
      const key = `round ${round}`;
      const moment = Math.random() * 90;
      /** @type {import("./redis-processes.js").Program | undefined} */
      let dead;
      from.begins = (begun, who) => {
        if (!kills || dead !== undefined || begun !== key) return;
        dead = who;
        setTimeout(() => who.kill(), moment);
      };
      const began = performance.now();
      const answers = await Promise.allSettled(programs.map((each) => each.ask("burst", { key, callers: 100 })));
      slowest = Math.max(slowest, performance.now() - began);
      for (const [at, answer] of answers.entries()) {
        if (answer.status === "rejected") {
          if (programs[at] !== dead) throw answer.reason;
          continue;
        }
        thrown += answer.value.thrown;
        if (answer.value.versions.length !== 1) unlike++;
      }
      const runs = from.runs.get(key) ?? 0;
      computations[runs] = (computations[runs] ?? 0) + 1;
      if (dead !== undefined) programs[programs.indexOf(dead)] = await start();
    }
  } finally {
    await Promise.all(programs.map((each) => each.kill()));
    await server.kill();
  }
  const most = Math.max(...Object.keys(computations).map(Number));
  const bound = kills ? 2 : 1;
  const unmet = most > bound ? `at most ${bound} computations` : thrown > 0 || unlike > 0 ? "one value" : undefined;
  const times = `${Math.round(slowest)} ms`;
  return { rounds, processes: 8, callers: 800, roundsByComputations: computations, thrown, slowestRound: times, unmet };
}

/**
 * Three processes that call without end, while keys change and are cleared by one of them, and `harm` is done.
 *
 * @param {(what: { server: Server, proxy: Proxy }) => Promise<void | (() => Promise<void>)>} harm
 * @param {string[]} [args] of the server
 * @param {number} [keys]
 */
async function faulty(harm, args = [], keys = 20) {
  const server = await startServer(...args);
  const proxy = await startProxy(server.port);
  const from = origin();
  const options = { url: proxy.url, staleness: STALENESS, lease: LEASE, timeout: TIMEOUT, compressAbove: 1e9 };
  const programs = await Promise.all(Array.from({ length: 3 }, () => startProgram(options, from)));
  /** When a key's version ended, because it was cleared. @type {Map<string, number[]>} */
  const ends = new Map();
  let clears = 0;
  let isOver = false;
  let staleCalls = 0;
  let worst = { ms: 0, key: "", since: 0, served: 0 };
  let began = 0;
  let healed = Number.POSITIVE_INFINITY;
  const change = async () => {
    while (!isOver) {
      await pause(100);
      const how = ["call", "call", "call", "site", "tag"][Math.floor(Math.random() * 5)] ?? "call";
      const one = `k${Math.floor(Math.random() * keys)}`;
      const changed = how === "call" ? [one] : Array.from({ length: keys }, (_, at) => `k${at}`);
      for (const key of changed) from.versions.set(key, (from.versions.get(key) ?? 0) + 1);
      const who = programs[Math.floor(Math.random() * programs.length)];
      const { at } = await /** @type {import("./redis-processes.js").Program} */ (who).ask("clear", { how, key: one });
      clears++;
      for (const key of changed) {
        const list = ends.get(key) ?? [];
        list[(from.versions.get(key) ?? 0) - 1] = at;
        ends.set(key, list);
      }
    }
  };
  /** @type {(() => Promise<void>) | undefined} */
  let undo;
  try {
    for (const each of programs) await each.ask("loop", { keys, pause: 2, callers: 4 });
    const changing = change();
    await pause(1000);
    began = wall();
    undo = (await harm({ server, proxy })) ?? undefined;
    healed = wall();
    await pause(isShort ? 3000 : 10_000);
    isOver = true;
    await changing;
    // Nothing changes any more, and whoever is served what was, is served it for too long.
    await pause(STALENESS + 500);
    /** @type {any[]} */
    const reports = [];
    for (const each of programs) reports.push(await each.ask("stop").then(count));
    const of = (/** @type {string} */ name) => reports.reduce((sum, each) => sum + each[name], 0);
    const firstError = reports.map((each) => each.firstError).find((text) => text !== "");
    const unmet =
      of("thrown") > 0
        ? `no call throws: ${firstError}`
        : of("wrong") > 0
          ? "no wrong value"
          : worst.ms > STALENESS
            ? `stale for ${STALENESS} ms at most: ${JSON.stringify(worst)}`
            : undefined;
    return {
      calls: of("calls"),
      thrown: of("thrown"),
      wrong: of("wrong"),
      clears,
      computed: [...from.runs.values()].reduce((sum, runs) => sum + runs, 0),
      stale: staleCalls,
      longestStale: `${Math.round(worst.ms)} ms`,
      slowestCall: `${Math.round(Math.max(...reports.map((each) => each.slowest)))} ms`,
      faults: reports.reduce((sum, each) => sum + (each.faults["store-failed"] ?? 0), 0),
      unmet,
    };

    /** How stale each call's value was: since its version was cleared, or since the clear could reach the server. */
    function count(/** @type {any} */ report) {
      for (const [key, version, at] of report.served) {
        const ended = (ends.get(key) ?? [])[version];
        if (ended === undefined || at <= ended) continue;
        // What is cleared while the server can't be reached is cleared there when it can be.
        const from = ended >= began && ended <= healed && at >= healed ? healed : ended;
        staleCalls++;
        if (at - from > worst.ms) worst = { ms: at - from, key, since: ended - began, served: at - began };
      }
      return report;
    }
  } finally {
    isOver = true;
    await Promise.all(programs.map((each) => each.kill()));
    await proxy.end();
    await server.kill();
    await undo?.();
  }
}

/** Programs that start without a server, and find one later. */
async function late() {
  const server = await startServer();
  await server.kill();
  const from = origin();
  const options = { url: server.url, staleness: STALENESS, timeout: TIMEOUT };
  const programs = await Promise.all([startProgram(options, from), startProgram(options, from)]);
  try {
    let thrown = 0;
    let slowest = 0;
    for (const [at, each] of programs.entries()) {
      for (let call = 0; call < 20; call++) {
        const began = performance.now();
        thrown += (await each.ask("burst", { key: `${at} ${call}`, callers: 1 })).thrown;
        slowest = Math.max(slowest, performance.now() - began);
      }
    }
    await server.restart();
    // Calls find out that there is a server, and don't wait for that.
    for (let times = 0; times < 6; times++) {
      for (const [at, each] of programs.entries()) {
        thrown += (await each.ask("burst", { key: `${at} after ${times}`, callers: 1 })).thrown;
      }
      await pause(500);
    }
    for (const each of programs) thrown += (await each.ask("burst", { key: "shared", callers: 10 })).thrown;
    const runs = from.runs.get("shared");
    const slowestCall = `${Math.round(slowest)} ms`;
    const unmet = thrown > 0 ? "no call throws" : runs !== 1 ? "shared once there is a server" : undefined;
    return { callsWithout: 40, thrown, slowestCall, computationsWith: runs, unmet };
  } finally {
    await Promise.all(programs.map((each) => each.kill()));
    await server.kill();
  }
}

/** A program whose work is done: with a connection, with none to be had, and with one that was cut. */
async function ending() {
  const server = await startServer();
  const proxy = await startProxy(server.port);
  /** @type {Record<string, unknown>} */
  const ways = {};
  const from = origin();
  try {
    for (const way of ["connected", "no server", "cut", "closed"]) {
      const options = { url: way === "no server" ? "redis://127.0.0.1:1" : proxy.url, timeout: TIMEOUT };
      const program = await startProgram(options, from);
      await program.ask("burst", { key: way, callers: 3 });
      if (way === "cut") proxy.cut();
      const began = performance.now();
      const how = await (way === "closed" ? program.end() : program.leave());
      if (way === "cut") proxy.heal();
      ways[way] = how === 0 ? `${Math.round(performance.now() - began)} ms` : how;
    }
  } finally {
    await proxy.end();
    await server.kill();
  }
  const unmet = Object.values(ways).every((how) => typeof how === "string" && how.endsWith("ms"))
    ? undefined
    : "an end";
  return { ...ways, unmet };
}
