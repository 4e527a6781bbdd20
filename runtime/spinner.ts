/**
 * A spinner on the terminal while an `async` body runs for more than half a second: misses only, the outermost function
 * only. A subscriber of `miss` events; the library that draws is loaded when there is something to draw.
 *
 * (A body that is not `async` holds the thread that would have to draw, so there is nothing to be seen.)
 */
import { settings } from "./config.ts";
import { functionName } from "./errors.ts";
import { type MissEvent, on } from "./events.ts";
import { builtin, outsideContexts, quietTimer, stopTimer } from "./platform.ts";
import { sites } from "./registry.ts";
import { shared } from "./shared.ts";

/** Where a spinner is drawn. */
export interface Terminal {
  /** Draws until it is stopped. `undefined` if it can't. */
  start(text: string): Promise<Drawing | undefined>;
}
export interface Drawing {
  text: string;
  stop(): unknown;
}

const DELAY = 500;
/** Of the time shown, which has one decimal. */
const TICK = 100;

interface Shown {
  readonly text: string;
  readonly since: number;
  readonly showTime: boolean;
}

/** Watches misses from now on, and draws on `terminal`. @returns a function that ends it */
export function watchRuns(terminal: Terminal): () => void {
  /** Those that are worth showing, the first to have begun first: its text is the one that is shown. */
  const running = new Set<Shown>();
  let drawing: Drawing | undefined;
  let starting = false;

  const textOf = ({ text, since, showTime }: Shown): string =>
    showTime ? `${text} (${((performance.now() - since) / 1000).toFixed(1)} s)`.trimStart() : text;

  const draw = async (): Promise<void> => {
    const [first] = running;
    if (first === undefined) {
      drawing?.stop();
      drawing = undefined;
    } else if (drawing !== undefined) {
      const text = textOf(first);
      if (drawing.text !== text) drawing.text = text;
    } else if (!starting) {
      starting = true;
      drawing = await terminal.start(textOf(first));
      starting = false;
      await draw();
      tick();
    }
  };
  const tick = (): void => {
    if (drawing === undefined) return;
    void draw();
    if ([...running].some(({ showTime }) => showTime)) quietTimer(tick, TICK);
  };

  return on("miss", ({ site, outermost, ended }: MissEvent) => {
    const spec = sites.get(site)?.spec;
    const wanted = spec?.spinner ?? true;
    if (!outermost || ended === undefined || spec === undefined || wanted === false || !settings.spinner) return;
    const call = `${functionName(site)}(${spec.hashed.length + spec.excluded.length > 0 ? "..." : ""})`;
    const text = typeof wanted === "string" ? wanted : `Running ${call}.`;
    const shown: Shown = { text, since: performance.now(), showTime: spec.showTime === true };
    const timer = outsideContexts(() =>
      quietTimer(() => {
        running.add(shown);
        void draw();
      }, DELAY),
    );
    void ended.then(() => {
      stopTimer(timer);
      if (running.delete(shown)) void draw();
    });
  });
}

type Library = {
  readonly default: (options: object) => Drawing & { start(): Drawing & { stop(): unknown } };
};

interface Signals {
  listenerCount(event: string): number;
  once(event: "exit", listener: () => void): unknown;
  off(event: "exit", listener: () => void): unknown;
}

/** The terminal of this process's errors, drawn on by yocto-spinner, which steps aside for what the program writes. */
function ownTerminal(load: (name: string) => Promise<Library>): Terminal {
  return {
    async start(text) {
      const process = builtin<Signals>("node:process") as Signals;
      try {
        const { default: yoctoSpinner } = await load("yocto-spinner");
        // On a signal it gives the cursor back and exits, which is not to come before what the program does itself.
        const handleSignals = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM") === 0;
        const spinner = yoctoSpinner({ text, handleSignals }).start();
        const stop = () => spinner.stop();
        process.once("exit", stop);
        return {
          get text() {
            return spinner.text;
          },
          set text(next) {
            spinner.text = next;
          },
          stop() {
            process.off("exit", stop);
            stop();
          },
        };
      } catch {
        // A bundle that was deployed without the library has no spinner.
        return undefined;
      }
    },
  };
}

/** True if someone sits before this process's errors. */
function isInteractive(): boolean {
  const { env } = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process ?? {};
  return (
    builtin<{ isatty(fd: number): boolean }>("node:tty")?.isatty(2) === true &&
    builtin<{ isMainThread: boolean }>("node:worker_threads")?.isMainThread === true &&
    env?.TERM !== "dumb" &&
    env?.CI === undefined
  );
}

const installed = shared("spinner", () => ({ yes: false }));

/** Called by the module that generated code loads; does nothing where nobody would see it. */
export function installSpinner(): void {
  if (installed.yes || !isInteractive()) return;
  installed.yes = true;
  // The name comes as an argument, so that a bundler for a browser does not follow it.
  watchRuns(
    ownTerminal((name) => import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ name)),
  );
}
