import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type * as Esbuild from "esbuild";
import { asyncData, data, freshId } from "../fixtures/by-hand.ts";
import { testWhere } from "../fixtures/where.ts";
import { configure } from "./index.ts";
import { type Terminal, watchRuns } from "./spinner.ts";

let log: string[] = [];
let end = () => {};
const terminal: Terminal = {
  async start(first) {
    log.push(`start ${first}`);
    return {
      get text() {
        return first;
      },
      set text(text) {
        first = text;
        log.push(text);
      },
      stop: () => log.push("stop"),
    };
  },
};
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe("what is shown", () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] });
    log = [];
    end = watchRuns(terminal);
  });
  afterEach(() => {
    end();
    jest.useRealTimers();
  });
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  test("a miss that takes longer than half a second, until it has ended; a hit and a short miss never", async () => {
    const load = asyncData({ id: freshId("load") }, async (ms: number) => sleep(ms));
    const short = load(400);
    await pass(400);
    await short;
    expect(log).toEqual([]);
    const long = load(900);
    await pass(499);
    expect(log).toEqual([]);
    await pass(1);
    expect(log).toEqual(["start Running load(...)."]);
    await pass(400);
    await long;
    expect(log).toEqual(["start Running load(...).", "stop"]);
    await load(900);
    await pass(2000);
    expect(log.length).toBe(2);
  });

  test("the function's name without arguments, a text of its own, an empty one, none", async () => {
    const now = (options: object) => asyncData(options, async () => sleep(600))();
    const all = [
      now({ id: freshId("all") }),
      now({ spinner: "Please wait" }),
      now({ spinner: "" }),
      now({ spinner: false }),
    ];
    await pass(500);
    // The first to have begun is the one that is shown, the others in their turn.
    expect(log).toEqual(["start Running all()."]);
    await pass(100);
    await Promise.all(all);
    expect(log.at(-1)).toBe("stop");
  });

  test("the outermost function only", async () => {
    const inner = asyncData({ spinner: "inner" }, async () => sleep(2000));
    const outer = asyncData({ spinner: "outer" }, async () => inner());
    const call = outer();
    await pass(2000);
    await call;
    expect(log).toEqual(["start outer", "stop"]);
  });

  test("the time, to a tenth of a second", async () => {
    const load = asyncData({ spinner: "Loading", showTime: true }, async () => sleep(750));
    const call = load();
    await pass(750);
    await call;
    expect(log).toEqual(["start Loading (0.5 s)", "Loading (0.6 s)", "Loading (0.7 s)", "stop"]);
  });

  test("nothing, if it is switched off, or the body holds the thread", async () => {
    configure({ spinner: false });
    const call = asyncData({}, async () => sleep(900))();
    await pass(900);
    await call;
    configure({ spinner: undefined });
    data({}, () => 1)();
    await pass(900);
    expect(log).toEqual([]);
  });
});

const script = ["/usr/bin/script", "/bin/script"].find((path) => existsSync(path));
const missing = script === undefined ? "there is no `script` to make a terminal" : undefined;
const onATerminal = testWhere("the spinner on a real terminal", missing);

onATerminal("on a real terminal it is drawn, steps aside for what the program writes, and is gone at the end", () => {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache/spinner-"));
  try {
    const program = join(folder, "program.ts");
    writeFileSync(
      program,
      `import { asyncData } from ${JSON.stringify(join(root, "fixtures/by-hand.ts"))};
       const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
       const load = asyncData({ id: "a.ts#load" }, async () => {
         await sleep(800);
         console.log("a line of the program");
         await sleep(200);
       });
       await load();
       console.log("the end");`,
    );
    const out = join(folder, "program.mjs");
    const esbuild = createRequire(import.meta.url)("esbuild") as typeof Esbuild;
    esbuild.buildSync({ entryPoints: [program], bundle: true, platform: "node", format: "esm", outfile: out });
    const { CI: _, ...rest } = process.env;
    const env = { ...rest, TERM: "xterm" };
    const command = `${process.execPath} ${out}`;
    const run = spawnSync(script as string, ["-qec", command, "/dev/null"], { encoding: "utf8", env });
    expect(run.status).toBe(0);
    expect(run.stdout).toContain("Running load().");
    // Lines of the program stand alone, once the terminal has done what it was told.
    const seen = onScreen(run.stdout);
    expect(seen).toEqual(["a line of the program", "the end"]);
    const piped = spawnSync(process.execPath, [out], { encoding: "utf8", env });
    expect([piped.stdout, piped.stderr]).toEqual(["a line of the program\nthe end\n", ""]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The lines that are left on a terminal after it has obeyed what it was sent. */
function onScreen(output: string): string[] {
  const lines = [""];
  let row = 0;
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal reads
  for (const [part] of output.matchAll(/\u001b\[[0-9;?]*[A-Za-z]|[^\u001b]/g)) {
    const command = part.length > 1 ? part.at(-1) : undefined;
    const count = Number.parseInt(part.slice(2), 10) || 1;
    if (part === "\r") column = 0;
    else if (part === "\n") lines[++row] ??= "";
    else if (command === "G") column = count - 1;
    else if (command === "A") row -= count;
    else if (command === "K") {
      const line = lines[row] as string;
      lines[row] = part === "\u001b[1K" ? " ".repeat(column) + line.slice(column) : line.slice(0, column);
    } else if (command === undefined) {
      const line = (lines[row] as string).padEnd(column);
      lines[row] = line.slice(0, column) + part + line.slice(column + 1);
      column++;
    }
  }
  return lines.map((line) => line.trimEnd()).filter((line) => line !== "");
}
