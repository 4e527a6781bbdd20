/** The program under test, as processes that are asked, and killed. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("program.js", import.meta.url));

/** @typedef {{ calls: number, wrong: number, thrown: number, firstError: string, hits: number, misses: number, faults: Record<string, number> }} Report */

/**
 * @param {string} dir
 * @param {"async" | "sync"} form
 * @param {object} [options] of `fork`
 */
export async function start(dir, form, options = {}) {
  const child = fork(program, [dir, form], { stdio: ["ignore", "inherit", "pipe", "ipc"], ...options });
  let warnings = "";
  child.stderr?.on("data", (text) => (warnings += text));
  /** @type {Promise<NodeJS.Signals | number | null>} */
  const ended = new Promise((done) => child.on("exit", (code, signal) => done(signal ?? code)));
  const next = () =>
    /** @type {Promise<any>} */ (
      new Promise((done, fail) => {
        child.once("message", done);
        ended.then((how) => fail(new Error(`the program ended with ${how}\n${warnings}`)));
      })
    );
  await next();
  return {
    /**
     * @param {number} from
     * @param {number} to
     * @returns {Promise<Report>}
     */
    call(from, to) {
      child.send({ from, to });
      return next();
    },
    /** Goes on until it is killed. @param {number} from @param {number} to */
    callOn: (from, to) => child.send({ from, to, again: true }),
    warnings: () => warnings,
    async kill() {
      child.kill("SIGKILL");
      return ended;
    },
    async end() {
      child.disconnect();
      return ended;
    },
  };
}

/** @param {Report[]} reports */
export function sum(reports) {
  /** @type {Record<string, number>} */
  const faults = {};
  let [calls, wrong, thrown, hits, misses] = [0, 0, 0, 0, 0];
  for (const each of reports) {
    calls += each.calls;
    wrong += each.wrong;
    thrown += each.thrown;
    hits += each.hits;
    misses += each.misses;
    for (const [code, count] of Object.entries(each.faults)) faults[code] = (faults[code] ?? 0) + count;
  }
  return { calls, wrong, thrown, hits, misses, faults };
}
