/**
 * A store that can't hurt: whatever stands behind it fails, hangs or is out of reach, its callers have an answer (at the
 * worst, a miss) within the timeout. What fails too often, or is silent for a whole timeout, is let alone for a while
 * (breaker.ts) and tried behind the program. What was removed, or has been replaced by something younger, is not served by
 * a store that could not be told: it is told first, when it is back.
 *
 * Stores need not do things in the order in which they were asked. Here a removal waits for the writes before it, a write
 * for the one before it of the same entry, and reads and writes that a removal concerns wait for it.
 */
import { wall } from "../config.ts";
import { fault } from "../events.ts";
import { nextTurn, outsideContexts, quietTimer, stopTimer, type Timer } from "../platform.ts";
import type { BreakerSettings } from "./breaker.ts";
import { Damage } from "./codec.ts";
import { guardedSync } from "./guard-sync.ts";
import { mayConcern, placeOf } from "./missed.ts";
import { Reach } from "./reach.ts";
import type { About, Changed, EntryName, LeaseCause, Leased, Store, Which } from "./store.ts";
import { traitsOf } from "./traits.ts";

/** ms. */
export interface GuardSettings extends BreakerSettings {
  /** Most ms that an answer may take. */
  readonly timeout: number;
}

/** The store has failed, has not answered in time, or is not asked for a while. That was told where it was worth it. */
export class NoAnswer extends Error {}

/**
 * Failures are told, and are misses; `set` gives true only for what the store has confirmed. What is thrown, or rejected:
 * Damage by `get`, {@link NoAnswer} and Damage by `lease`.
 */
export function guarded(store: Store, settings: GuardSettings, reach = new Reach(store.name, settings)): Store {
  return store.can.sync ? guardedSync(store, reach) : new Guard(store, settings.timeout, reach).asStore();
}

/** A write that was not answered in time. It may yet land, at any time. */
interface Unanswered {
  readonly place: string;
  readonly name: EntryName;
  readonly about: About;
}
const MOST_UNANSWERED = 10_000;

interface Question {
  /** ms, by `performance.now`. */
  readonly end: number;
  /** Somebody waits for it, so that the process has to stay alive. */
  readonly isWaitedFor: boolean;
  /** Ends it without an answer: nobody waits for this store any more. */
  give(why: NoAnswer): void;
  /** Ends it without an answer: its time is over. */
  giveUp(): void;
}

class Guard {
  private readonly store: Store;
  private readonly timeout: number;
  private readonly reach: Reach;
  /** What is not answered yet. One timer looks after all: two for each would cost more than some answers. */
  private readonly questions = new Set<Question>();
  private waitedFor = 0;
  private timer: Timer | undefined = undefined;
  private timerEnd = 0;
  private heardAt = Number.NEGATIVE_INFINITY;
  private readonly writes = new Map<string, { readonly name: EntryName; readonly done: Promise<unknown> }>();
  private readonly removals = new Set<{ readonly which: Which; readonly done: Promise<unknown> }>();
  private readonly unanswered = new Set<Unanswered>();
  /** The last try to reach it again. */
  private trying: Promise<void> | undefined = undefined;
  private reminder: Timer | undefined = undefined;

  constructor(store: Store, timeout: number, reach: Reach) {
    this.store = store;
    this.timeout = timeout;
    this.reach = reach;
  }

  asStore(): Store {
    const { store } = this;
    return {
      ...traitsOf(store),
      get: (name, changed) => this.get(name, changed),
      set: (name, pieces, about, changed) => this.set(name, pieces, about, changed),
      ...(store.can.lease ? { lease: this.lease.bind(this), release: this.release.bind(this) } : {}),
      remove: (which) => this.remove(which),
      flush: () => this.flush(),
      close: () => this.close(),
    };
  }

  private get(name: EntryName, changed?: Changed): Promise<Uint8Array | undefined> | undefined {
    const ask = () => this.store.get(name, changed);
    if (!this.reach.isIn) {
      this.tryAgain(ask);
      return undefined;
    }
    const how = { site: name.site };
    const before = this.removalsOf(name);
    return (before === undefined ? this.ask(ask, how) : this.askAfter(before, ask, how)).then(
      (bytes) => this.reach.current(name, bytes),
      (error) => {
        if (error instanceof Damage) throw error;
        return undefined;
      },
    );
  }

  private set(
    name: EntryName,
    pieces: readonly Uint8Array[],
    about: About,
    changed?: Changed,
  ): Promise<boolean | undefined> | undefined {
    const place = placeOf(name);
    const write = async (): Promise<boolean | undefined> => {
      const unanswered: Unanswered = { place, name, about };
      if (!this.reach.isIn) return this.lacks(name, about, changed);
      const act = () => this.store.set(name, pieces, about, changed);
      try {
        const kept = await this.ask(act, { behind: true, site: name.site, late: this.noteUnanswered(unanswered) });
        // Unless an older one may yet land on it, or a younger one is on its way.
        const isLast = this.writes.get(place) === open && !this.mayLand(place, unanswered);
        if (isLast) this.reach.floors.forget(name);
        return kept !== false;
      } catch {
        return this.lacks(name, about, changed);
      }
    };
    if (!this.reach.isIn) {
      this.tryAgain(() => this.store.get(name));
      this.lacks(name, about, changed);
      return undefined;
    }
    // From now on what it has is outdated, also for those who ask before this is done.
    this.reach.floors.raise(name, about.began);
    const before = [this.removalsOf(name), this.writes.get(place)?.done].filter((each) => each !== undefined);
    const done = before.length === 0 ? write() : Promise.all(before).then(write);
    const open = { name, done };
    this.writes.set(place, open);
    return done.finally(() => {
      if (this.writes.get(place) === open) this.writes.delete(place);
    });
  }

  /** It has not got this, as far as is known: what it has instead is older, and of this it won't tell any changes. */
  private lacks(name: EntryName, { began }: About, changed: Changed | undefined): undefined {
    this.reach.floors.raise(name, began);
    const { can, staleness = 0 } = this.store;
    if (can.watch && changed !== undefined) quietTimer(changed, staleness);
  }

  private remove(which: Which): Promise<void> | undefined {
    // A write that has not been answered may land after this.
    for (const { name, about } of this.unanswered) {
      if (concerns(which, name, about)) this.reach.floors.raise(name, wall());
    }
    if (!this.reach.isIn) {
      this.reach.owe(which);
      this.tryAgain();
      this.remind();
      return undefined;
    }
    const before = [...this.writes.values()].filter(({ name }) => mayConcern(which, name)).map(({ done }) => done);
    const tell = () => this.tell(which);
    const removal = { which, done: (before.length === 0 ? tell() : Promise.all(before).then(tell)).then(() => {}) };
    this.removals.add(removal);
    return removal.done.finally(() => this.removals.delete(removal));
  }

  /** Twice, if need be; a store that still doesn't know is not asked any more until it does. */
  private async tell(which: Which): Promise<void> {
    let why: unknown;
    for (let tries = 0; tries < 2 && this.reach.isIn; tries++) {
      try {
        await this.ask(() => this.store.remove(which), { behind: true, site: which.site });
        return;
      } catch (error) {
        why = error;
      }
    }
    this.reach.owe(which, why);
    this.remind();
    this.giveAll();
  }

  private async lease(name: EntryName, cause: LeaseCause, changed?: Changed): Promise<Leased> {
    const { store } = this;
    const ask = () => (store.lease as NonNullable<Store["lease"]>)(name, cause, changed);
    const removals = this.removalsOf(name);
    const isTold = removals === undefined || (await this.within(removals));
    if (!isTold || !this.reach.isIn) {
      this.tryAgain(() => store.get(name));
      throw new NoAnswer(`The store \`${store.name}\` is not asked for a while`);
    }
    const isAlive = this.keepAsking(name);
    try {
      const leased = await this.ask(ask, {
        longer: store.patience ?? 0,
        site: name.site,
        late: {
          // Granted to nobody: it would be kept up for as long as the process lives.
          landed: (given) => {
            const token = (given as Leased)?.token;
            if (token !== undefined) void this.release(name, token);
          },
        },
      });
      if (leased?.bytes === undefined) return leased;
      const bytes = this.reach.current(name, leased.bytes);
      if (bytes !== undefined) return { bytes };
      throw new NoAnswer("What it has is outdated");
    } catch (error) {
      // It was told already.
      throw error instanceof Damage || error instanceof NoAnswer ? error : new NoAnswer("No lease", { cause: error });
    } finally {
      stopTimer(isAlive);
    }
  }

  /** A lease may take long, since another process computes. Does the store still answer meanwhile? Else all waiting ends. */
  private keepAsking(name: EntryName): Timer {
    const check = () => {
      if (this.reach.isIn) this.ask(() => this.store.get(name), { behind: true }).catch(() => {});
    };
    return setInterval(check, this.timeout) as unknown as Timer;
  }

  /** Also where it is out of reach: it is not to keep the lease up any longer. Where that fails, it ends by itself. */
  private async release(name: EntryName, token: string): Promise<void> {
    const act = () => this.store.release?.(name, token);
    await (this.reach.isIn ? this.ask(act, { behind: true }) : attempt(act)).catch(() => {});
  }

  private async flush(): Promise<void> {
    const open = [...this.writes.values(), ...this.removals].map(({ done }) => done);
    await this.within(Promise.allSettled(open));
    // The program may end here: what is owed is not to be forgotten for want of a try.
    for (let tries = 0; tries < 2 && !this.reach.isIn && this.reach.owed.size > 0; tries++) {
      // One that was under way already may have begun when there was no hope.
      const wasUnderWay = this.reach.breaker.state === "probing";
      const isOver = await this.within(Promise.resolve(this.tryAgain(undefined, true)));
      if (!wasUnderWay || !isOver) break;
    }
    if (this.reach.isIn) await this.ask(() => this.store.flush()).catch(() => {});
  }

  private async close(): Promise<void> {
    await this.within(attempt(() => this.store.close()).catch((error) => fault("store-failed", error)));
  }

  /** Waits at most the timeout. @returns whether that was enough */
  private async within(work: Promise<unknown>): Promise<boolean> {
    let timer: Timer | undefined;
    const late = new Promise<boolean>((done) => {
      timer = setTimeout(done, this.timeout, false) as unknown as Timer;
    });
    const isDone = await Promise.race([work.then(() => true), late]);
    if (timer !== undefined) stopTimer(timer);
    return isDone;
  }

  /** Removals under way that the entry may be one of: what is read before they are done may be what they remove. */
  private removalsOf(name: EntryName): Promise<unknown> | undefined {
    if (this.removals.size === 0) return undefined;
    const open = [...this.removals].filter(({ which }) => mayConcern(which, name)).map(({ done }) => done);
    return open.length === 0 ? undefined : Promise.all(open);
  }

  /** All in all it takes no longer than one question. */
  private async askAfter<T>(before: Promise<unknown>, act: () => T | Promise<T>, how: How): Promise<T> {
    const began = performance.now();
    const isDone = await this.within(before);
    const left = began + this.timeout - performance.now();
    // It may not know of the removal yet.
    if (!isDone || left <= 0 || !this.reach.isIn) throw new NoAnswer("It is being told of a removal");
    return this.ask(act, { ...how, longer: left - this.timeout });
  }

  /**
   * Asks the store, and counts what becomes of it.
   *
   * @throws what it failed with; NoAnswer after the timeout, or at once when the store is cut out meanwhile
   */
  private ask<T>(act: () => T | Promise<T>, how: How = {}): Promise<T> {
    const { behind = false, longer = 0 } = how;
    const { reach, store } = this;
    const asked = performance.now();
    const most = this.timeout + longer;
    return new Promise<T>((resolve, reject) => {
      const question: Question = {
        end: asked + most,
        isWaitedFor: !behind,
        give: (why) => {
          if (!behind && this.end(question)) reject(why);
        },
        giveUp: () => {
          if (!this.end(question)) return;
          how.late?.began?.();
          const why = new NoAnswer(`The store \`${store.name}\` has not answered within ${Math.ceil(most)} ms`);
          reach.failed(why, how.site, this.heardAt < asked);
          if (!reach.isIn) this.giveAll();
          reject(why);
        },
      };
      this.begin(question);
      attempt(act).then(
        (value) => {
          this.heardAt = performance.now();
          if (!this.end(question)) return how.late?.landed?.(value);
          reach.answered();
          resolve(value);
        },
        (error) => {
          this.heardAt = performance.now();
          if (!this.end(question)) return how.late?.failed?.();
          if (error instanceof Damage) reach.answered();
          else reach.failed(error, how.site);
          if (!reach.isIn) this.giveAll();
          reject(error);
        },
      );
    });
  }

  private begin(question: Question): void {
    this.questions.add(question);
    if (this.timer === undefined || question.end < this.timerEnd) this.setTimer(question.end);
    if (question.isWaitedFor && this.waitedFor++ === 0) refTimer(this.timer, true);
  }

  /** @returns false if it had ended already */
  private end(question: Question): boolean {
    if (!this.questions.delete(question)) return false;
    if (question.isWaitedFor && --this.waitedFor === 0) refTimer(this.timer, false);
    return true;
  }

  private setTimer(end: number): void {
    if (this.timer !== undefined) stopTimer(this.timer);
    this.timerEnd = end;
    this.timer = quietTimer(() => this.check(), Math.max(1, Math.ceil(end - performance.now())));
    if (this.waitedFor > 0) refTimer(this.timer, true);
  }

  private check(): void {
    this.timer = undefined;
    const at = performance.now();
    const over = [...this.questions].filter(({ end }) => end <= at);
    // The answers may be there already, and the program has been too busy to look at them.
    if (over.length > 0) {
      nextTurn(() => {
        for (const question of over) question.giveUp();
      });
    }
    const next = [...this.questions].reduce((least, { end }) => (end > at ? Math.min(least, end) : least), Infinity);
    if (next !== Number.POSITIVE_INFINITY) this.setTimer(next);
  }

  /** Whoever waits for a store that has been cut out need not wait any longer. */
  private giveAll(): void {
    const why = new NoAnswer(`The store \`${this.store.name}\` is not asked for a while`);
    for (const question of [...this.questions]) question.give(why);
  }

  /** If it is time: sees whether the store is back, behind the program. First it is told of what it has missed. */
  private tryAgain(act?: () => unknown, atOnce = false): Promise<void> | undefined {
    const { reach } = this;
    if (reach.breaker.mayProbe(atOnce)) {
      this.trying = this.probe(act).then(
        () => reach.probed(true),
        () => reach.probed(false),
      );
    }
    return this.trying;
  }

  /** A program may clear something and then call nothing for long: others wait for the store to be told all the same. */
  private remind(): void {
    if (this.reminder !== undefined || this.reach.owed.size === 0) return;
    const again = () => {
      this.reminder = undefined;
      if (!this.reach.isIn) this.tryAgain();
      this.remind();
    };
    this.reminder = outsideContexts(() => quietTimer(again, this.timeout));
  }

  private async probe(act: (() => unknown) | undefined): Promise<void> {
    // Removals may come meanwhile: it is not back before all were told.
    do {
      for (const which of this.reach.owed.all()) {
        await this.ask(() => this.store.remove(which), { behind: true });
        this.reach.owed.paid(which);
      }
      if (act !== undefined) {
        await this.ask(act, { behind: true }).catch((error) => {
          if (!(error instanceof Damage)) throw error;
        });
      }
    } while (this.reach.owed.size > 0);
  }

  private noteUnanswered(write: Unanswered): Late {
    const { unanswered, reach } = this;
    return {
      began: () => {
        unanswered.add(write);
        // As many, and none ever answered: whatever they were to reach is no more.
        if (unanswered.size > MOST_UNANSWERED) unanswered.delete(unanswered.values().next().value as Unanswered);
      },
      landed: () => {
        unanswered.delete(write);
        // Other processes don't know that it is outdated.
        const { name, about } = write;
        if (reach.floors.isOutdated(name, about.began)) this.remove({ site: name.site, key: name.key });
      },
      failed: () => {
        unanswered.delete(write);
      },
    };
  }

  private mayLand(place: string, but: Unanswered): boolean {
    for (const write of this.unanswered) if (write !== but && write.place === place) return true;
    return false;
  }
}

/** How a question is asked. */
interface How {
  /** Nobody waits for it: it keeps no process alive. */
  readonly behind?: boolean;
  /** ms that it may take beyond the timeout. */
  readonly longer?: number;
  /** For messages. */
  readonly site?: string | undefined;
  readonly late?: Late;
}

/** What becomes of a question after its time. */
interface Late {
  began?(): void;
  landed?(value: unknown): void;
  failed?(): void;
}

function attempt<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return Promise.resolve(act());
  } catch (error) {
    return Promise.reject(error);
  }
}

function concerns(which: Which, name: EntryName, { tags }: About): boolean {
  return "tag" in which ? tags.includes(which.tag) : mayConcern(which, name);
}

/** Deno and browsers have numbers for timers; there it ends by itself. */
function refTimer(timer: Timer | undefined, isWaitedFor: boolean): void {
  if (typeof timer !== "object") return;
  if (isWaitedFor) (timer as { ref?(): unknown }).ref?.();
  else timer.unref?.();
}
