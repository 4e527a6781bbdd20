/** A Redis (or Valkey) of our own on a free port, and a way to it that can be cut, slowed down and stopped. */
import { spawn, spawnSync } from "node:child_process";
import { createConnection, createServer } from "node:net";

/** `valkey-server` if it is named by KEPT_REDIS_SERVER. */
const program = process.env.KEPT_REDIS_SERVER ?? "redis-server";

/** Why tests with a server can't run here; nothing if they can. @type {string | undefined} */
export const noServer =
  spawnSync(program, ["--version"]).status === 0 ? undefined : `there is no ${program} (apt-get install redis-server)`;

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer().on("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => done(address.port));
    });
  });
}

/**
 * @typedef {object} Server
 * @property {number} port
 * @property {string} url
 * @property {() => Promise<unknown>} kill as a crash does: nothing is written down
 * @property {() => Promise<void>} restart empty, on the same port
 * @property {(...args: string[]) => string} cli what `redis-cli` says
 */

/** @param {string[]} args @returns {Promise<Server>} */
export async function startServer(...args) {
  const port = await freePort();
  /** @type {import("node:child_process").ChildProcess} */
  let child;
  /** @type {Promise<unknown>} */
  let ended;
  const cli = (/** @type {string[]} */ ...words) =>
    spawnSync("redis-cli", ["-p", String(port), ...words], { encoding: "utf8" }).stdout.trim();
  const start = async () => {
    process.once("exit", kill);
    const basics = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    child = spawn(program, [...basics, ...args], { stdio: "ignore" });
    ended = new Promise((done) => child.on("exit", done));
    for (let tries = 0; !(await answers(port)); tries++) {
      if (tries > 200) throw new Error(`${program} does not answer`);
      await new Promise((done) => setTimeout(done, 25));
    }
  };
  // Also where a test has failed.
  const kill = () => child?.kill("SIGKILL");
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli,
    kill() {
      process.off("exit", kill);
      kill();
      return ended;
    },
    restart: start,
  };
}

/** @param {number} port @returns {Promise<boolean>} */
function answers(port) {
  return new Promise((done) => {
    const socket = createConnection(port, "127.0.0.1");
    const end = (/** @type {boolean} */ yes) => {
      socket.destroy();
      done(yes);
    };
    socket.on("error", () => end(false));
    // It may want a password first.
    socket.on("data", (text) => end(/PONG|NOAUTH/.test(String(text))));
    socket.setTimeout(1000, () => end(false));
    socket.write("PING\r\n");
  });
}

/**
 * Between a program and a server: what a network does. `mode` is how it is now.
 *
 * - `open`: bytes go through, `delay` ms late.
 * - `cut`: nothing goes through, either way, and nobody is told; new connections get no answer.
 * - `refused`: all connections are closed, new ones at once.
 *
 * @param {number} target the server's port
 */
export async function startProxy(target) {
  const state = { mode: /** @type {"open" | "cut" | "refused"} */ ("open"), delay: 0, target };
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  /** Packets that were sent during a cut are lost only with their connection, as in TCP. @type {Set<() => void>} */
  const waiting = new Set();
  /** @param {import("node:net").Socket} from @param {import("node:net").Socket} to */
  const carry = (from, to) => {
    /** @type {Promise<unknown>} */
    let last = Promise.resolve();
    from.on("data", (bytes) => {
      const at = performance.now() + state.delay;
      last = last.then(async () => {
        const wait = at - performance.now();
        if (wait > 0) await new Promise((done) => setTimeout(done, wait));
        if (state.mode === "cut") await new Promise((done) => waiting.add(() => done(undefined)));
        if (!to.destroyed) to.write(bytes);
      });
    });
    from.on("close", () => last.then(() => to.destroy()));
    from.on("error", () => {});
  };
  const server = createServer((near) => {
    if (state.mode === "refused") {
      near.destroy();
      return;
    }
    const far = createConnection(state.target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => sockets.delete(socket));
    }
    carry(near, far);
    carry(far, near);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const closeAll = () => {
    for (const socket of [...sockets]) socket.destroy();
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    /** @param {number} ms each way */
    slow(ms) {
      state.delay = ms;
    },
    cut() {
      state.mode = "cut";
    },
    refuse() {
      state.mode = "refused";
      closeAll();
    },
    /** As a failover does: what comes next goes to another server. @param {number} port */
    redirect(port) {
      state.target = port;
      closeAll();
    },
    /** Closes all connections; new ones are let through. */
    drop: closeAll,
    heal() {
      state.mode = "open";
      for (const go of [...waiting]) go();
      waiting.clear();
    },
    async end() {
      closeAll();
      await new Promise((done) => server.close(done));
    },
  };
}
