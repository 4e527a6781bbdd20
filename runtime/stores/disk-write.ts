/** Writes behind the program: in later turns of the event loop, a few milliseconds of each, and all of it at exit. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { joined } from "./bytes.ts";
import { MOST_AT_ONCE } from "./disk-file.ts";

/** A file to be written. */
export interface Job {
  readonly path: string;
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  readonly tags: readonly string[];
  readonly maxEntries: number | undefined;
}

export interface WriteBehindOptions {
  readonly root: string;
  readonly maxBytes: number;
  readonly onFault: (error: unknown) => void;
  /** After each file. */
  readonly afterwards: (job: Job) => void;
  /** Notes that a file was used. */
  readonly note: (path: string) => void;
  /** Throws away what is over, in steps; gives how many bytes are left. */
  readonly sweep: () => Generator<void, number>;
  readonly now: () => number;
}

const open = new Set<WriteBehind>();

/** From now on, `store` will have written everything when the process exits. (Not if it is killed: then that is a miss.) */
function watch(store: WriteBehind): void {
  if (open.size === 0) process.once("exit", closeAll);
  open.add(store);
}

function closeAll(): void {
  for (const store of [...open]) store.close();
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its folder is not there, or not ours: what can't be written can't be removed.
  }
}

let temporaries = 0;

/** Beside its place, so that it can be renamed there; and no other process's. */
function temporaryName(path: string): string {
  return `${path}.${process.pid}-${++temporaries}-${Math.random().toString(36).slice(2, 8)}~`;
}

/** ms of writing in one turn. */
const SLICE = 5;
/** After a failed write the folder is left alone for so long (ms), and nothing is put by to be written. */
const REST = 30_000;
const SWEEP_AFTER = 3_600_000;

export class WriteBehind {
  private readonly options: WriteBehindOptions;
  private readonly jobs = new Map<string, Job>();
  /** Files that were used, and those that must not stay. */
  private used: string[] = [];
  private unwanted: string[] = [];
  private turn: NodeJS.Immediate | undefined = undefined;
  private sweeping: Generator<void, number> | undefined = undefined;
  /** Bytes in the folder, when they were last counted, and what this process has written since. */
  private total: number | undefined = undefined;
  private sweptAt = 0;
  private warned = false;
  private restUntil = Number.NEGATIVE_INFINITY;
  private written = 0;

  constructor(options: WriteBehindOptions) {
    this.options = options;
  }

  /** What is to be at `path`, if it has not been written yet: a copy. */
  waiting(path: string): Uint8Array | undefined {
    if (this.jobs.size === 0) return undefined;
    const job = this.jobs.get(path);
    return job === undefined ? undefined : joined(job.pieces);
  }

  put(job: Job): void {
    // An earlier version must not come back either.
    if (this.isResting()) this.unwanted.push(job.path);
    else this.jobs.set(job.path, job);
    this.wake();
  }

  /** Has the use of a file noted: not now, for the caller waits. */
  use(path: string): void {
    this.used.push(path);
    this.wake();
  }

  forget(which: (job: Job) => boolean): void {
    for (const [path, job] of this.jobs) if (which(job)) this.jobs.delete(path);
  }

  /** All that waits, now. */
  flush(): void {
    this.work(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.flush();
    // A program that ends sooner than a sweep would otherwise never do one.
    if (this.sweeping !== undefined) this.finish(this.sweeping);
    if (this.turn !== undefined) clearImmediate(this.turn);
    this.turn = undefined;
    this.leave();
    if (open.delete(this) && open.size === 0) process.off("exit", closeAll);
  }

  writeNow(path: string, text: string): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = temporaryName(path);
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  }

  private wake(): void {
    if (this.turn !== undefined) return;
    watch(this);
    this.turn = setImmediate(() => {
      this.turn = undefined;
      this.work(performance.now() + SLICE);
      if (this.jobs.size > 0 || this.unwanted.length > 0 || this.used.length > 0) this.wake();
      else this.sweepOn();
    });
  }

  private work(until: number): void {
    for (const [path, job] of this.jobs) {
      this.jobs.delete(path);
      this.attempt(() => this.write(job));
      if (performance.now() > until) return;
    }
    for (const path of this.unwanted.splice(0)) discard(path);
    for (let path = this.used.pop(); path !== undefined; path = this.used.pop()) {
      try {
        this.options.note(path);
      } catch {
        // Nothing depends on it: the file may be gone by now, or another user's.
      }
      if (performance.now() > until) return;
    }
  }

  private attempt(act: () => void): void {
    if (this.isResting()) return;
    try {
      act();
    } catch (error) {
      this.restUntil = this.options.now() + REST;
      this.jobs.clear();
      this.options.onFault(error);
      if (this.warned) return;
      this.warned = true;
      const why = error instanceof Error ? error.message : String(error);
      process.emitWarning(`Kept can't write to ${this.options.root}, so results are kept in memory only: ${why}`, {
        code: "KEPT_DISK",
      });
    }
  }

  private write(job: Job): void {
    const folder = dirname(job.path);
    const temporary = temporaryName(job.path);
    try {
      this.writeFile(temporary, job, folder);
      renameSync(temporary, job.path);
    } catch (error) {
      discard(temporary);
      throw error;
    }
    this.written += job.bytes;
    this.options.afterwards(job);
    this.beginSweep();
  }

  private writeFile(temporary: string, { pieces, bytes }: Job, folder: string): void {
    let file: number;
    try {
      file = openSync(temporary, "wx", 0o600);
    } catch (error) {
      if (!["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      this.makeFolder(folder);
      file = openSync(temporary, "wx", 0o600);
    }
    try {
      const [only] = pieces;
      const whole = pieces.length === 1 ? (only as Uint8Array) : bytes < 65_536 ? joined(pieces) : undefined;
      const parts = whole === undefined ? [...pieces] : [whole];
      for (const part of parts)
        for (let at = 0; at < part.length; ) at += writeSync(file, part, at, Math.min(part.length - at, MOST_AT_ONCE));
    } finally {
      closeSync(file);
    }
  }

  /** A file where the folder should be is set aside. */
  private makeFolder(folder: string): void {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      const { root } = this.options;
      const inTheWay = [root, folder].find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
      if (inTheWay === undefined) throw error;
      renameSync(inTheWay, `${inTheWay}.damaged-${Math.round(this.options.now())}`);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  }

  private isResting(): boolean {
    return this.options.now() < this.restUntil;
  }

  /** When nobody has swept for an hour, and when there is too much. */
  private beginSweep(): void {
    if (this.sweeping !== undefined) return;
    if (this.total === undefined) this.total = this.sweptTotal();
    if (this.total === undefined || this.isOver()) this.sweeping = this.options.sweep();
  }

  private isOver(): boolean {
    return (this.total ?? 0) + this.written > this.options.maxBytes;
  }

  /** What the last sweep counted, and what was written since by others; nothing if that is too long ago. */
  private sweptTotal(): number | undefined {
    try {
      const [at, total] = readFileSync(join(this.options.root, "swept"), "latin1").split(" ").map(Number);
      const age = this.options.now() - (at as number);
      if (!(age >= 0 && age <= SWEEP_AFTER && (total as number) >= 0)) return undefined;
      this.sweptAt = at as number;
      return total;
    } catch {
      return undefined;
    }
  }

  /** So that many short processes don't forget what they have written together. */
  private leave(): void {
    if (this.total === undefined || this.written === 0) return;
    this.total += this.written;
    this.written = 0;
    this.note();
  }

  private note(): void {
    try {
      this.writeNow(join(this.options.root, "swept"), `${this.sweptAt} ${this.total}`);
    } catch {
      // The next one sweeps, and counts.
    }
  }

  private sweepOn(): void {
    const { sweeping } = this;
    if (sweeping === undefined) return;
    const until = performance.now() + SLICE;
    while (performance.now() < until) if (this.step(sweeping)) return;
    setImmediate(() => this.sweeping === sweeping && this.sweepOn()).unref();
  }

  private finish(sweeping: Generator<void, number>): void {
    while (!this.step(sweeping));
  }

  /** @returns true when it is over */
  private step(sweeping: Generator<void, number>): boolean {
    try {
      const { done, value } = sweeping.next();
      if (!done) return false;
      this.total = value as number;
      this.written = 0;
      this.sweptAt = this.options.now();
      this.note();
    } catch (error) {
      this.options.onFault(error);
    }
    this.sweeping = undefined;
    return true;
  }
}
