/** The program of redis-program.js as processes; what its function computes is asked of us, so we know what is right. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("redis-program.js", import.meta.url));

/**
 * What is right: a version for each key, which changes when the test says so.
 *
 * @typedef {object} Origin
 * @property {Map<string, number>} versions
 * @property {Map<string, number>} runs how often each key was computed
 * @property {number} takes ms for an answer
 * @property {((key: string, who: Program) => void) | undefined} begins
 */

/** @returns {Origin} */
export function origin() {
  return { versions: new Map(), runs: new Map(), takes: 5, begins: undefined };
}

/** @typedef {Awaited<ReturnType<typeof startProgram>>} Program */

/** @param {object} options of `redisStore` @param {Origin} from */
export async function startProgram(options, from) {
  const child = fork(program, [JSON.stringify(options)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  /** @type {Map<number, (answer: any) => void>} */
  const waiting = new Map();
  let asks = 0;
  /** @type {Promise<unknown>} */
  const ended = new Promise((done) => child.on("exit", (code, signal) => done(signal ?? code)));
  await new Promise((done, fail) => {
    child.once("message", done);
    ended.then((how) => fail(new Error(`the program ended with ${how}`)));
  });
  const self = {
    child,
    /** @param {string} act @param {object} [rest] @returns {Promise<any>} */
    ask(act, rest = {}) {
      const number = ++asks;
      const answer = new Promise((done, fail) => {
        waiting.set(number, done);
        ended.then((how) => fail(new Error(`the program ended with ${how}`)));
      });
      answer.catch(() => {});
      if (child.connected) child.send({ do: act, number, ...rest });
      return answer;
    },
    kill() {
      child.kill("SIGKILL");
      return ended;
    },
    /** After it has closed everything. */
    end() {
      self.ask("end");
      return self.leave(false);
    },
    /** By itself, when it has nothing more to do. @returns {Promise<unknown>} exit code or signal */
    async leave(disconnects = true) {
      if (disconnects) child.disconnect();
      const timer = setTimeout(() => child.kill("SIGABRT"), 10_000);
      const how = await ended;
      clearTimeout(timer);
      return how;
    },
  };
  child.on("message", (/** @type {any} */ message) => {
    if (message.ask === undefined) {
      waiting.get(message.to)?.(message.answer);
      waiting.delete(message.to);
      return;
    }
    const { key } = message;
    from.runs.set(key, (from.runs.get(key) ?? 0) + 1);
    // What is right when the body begins.
    const version = from.versions.get(key) ?? 0;
    from.begins?.(key, self);
    setTimeout(() => {
      if (child.connected) child.send({ answer: message.ask, version });
    }, from.takes);
  });
  return self;
}
