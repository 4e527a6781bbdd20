/**
 * When a store is let alone: it is cut out when it fails too often or falls silent, and after a pause one call tries
 * whether it is back. What is asked, and how, is the guard's business (guard.ts); here is only the decision.
 *
 * Written here rather than taken from a package (opossum 9, cockatiel 4): those wrap one function, reject what is cut out,
 * and let a caller of the program wait for the probe. Here a cut-out call is a miss, probes run behind, and a store that
 * has missed a removal is not back before it was told of it. It is loaded with every program, in browsers too.
 */

export interface BreakerSettings {
  /** So many failures, and at least as many as answers, open it. */
  readonly failures: number;
  /** ms in which they are counted. */
  readonly within: number;
  /** ms until the first try; doubled with each try that fails. */
  readonly pause: number;
  /** ms at most between two tries. */
  readonly maxPause: number;
}

export type BreakerState = "closed" | "open" | "probing";

interface Counts {
  answers: number;
  failures: number;
}

export class Breaker {
  state: BreakerState = "closed";
  settings: BreakerSettings;
  private readonly now: () => number;
  private readonly random: () => number;
  /** Two halves of a window that moves by halves. */
  private current: Counts = { answers: 0, failures: 0 };
  private previous: Counts = { answers: 0, failures: 0 };
  private halfBegan = Number.NEGATIVE_INFINITY;
  private tryAt = 0;
  private closedAt = Number.NEGATIVE_INFINITY;
  /** How often in a row it had to be opened: the pause doubles. */
  private row = 0;

  /**
   * @param now ms, of a clock that never goes back
   * @param random from 0 to 1: pauses are 25 % longer or shorter, so that many processes don't come back at once
   */
  constructor(settings: BreakerSettings, now: () => number = () => performance.now(), random = Math.random) {
    this.settings = settings;
    this.now = now;
    this.random = random;
  }

  answered(): void {
    if (this.state === "closed") this.counts().answers++;
  }

  /** @returns true if it has opened just now */
  failed(): boolean {
    if (this.state !== "closed") return false;
    const { failures: most } = this.settings;
    this.counts().failures++;
    const failures = this.current.failures + this.previous.failures;
    const answers = this.current.answers + this.previous.answers;
    return failures >= most && failures >= answers && this.open();
  }

  /** Opens it, whatever was counted. @returns true if it was closed until now */
  open(): boolean {
    if (this.state !== "closed") return false;
    // Soon after it was closed: it wasn't well yet.
    this.row = this.now() - this.closedAt < this.settings.within ? this.row + 1 : 0;
    this.wait();
    return true;
  }

  /** True for the one call that is to try whether the store is back; {@link probed} must follow. */
  mayProbe(atOnce = false): boolean {
    if (this.state !== "open" || !(atOnce || this.now() >= this.tryAt)) return false;
    this.state = "probing";
    return true;
  }

  probed(isBack: boolean): void {
    if (this.state !== "probing") return;
    if (!isBack) {
      this.row++;
      this.wait();
      return;
    }
    this.state = "closed";
    this.closedAt = this.now();
    this.current = { answers: 0, failures: 0 };
    this.previous = { answers: 0, failures: 0 };
  }

  private wait(): void {
    const { pause, maxPause } = this.settings;
    this.state = "open";
    this.tryAt = this.now() + Math.min(pause * 2 ** this.row, Math.max(pause, maxPause)) * (0.75 + this.random() / 2);
  }

  private counts(): Counts {
    const half = this.settings.within / 2;
    const at = this.now();
    if (at - this.halfBegan >= half) {
      this.previous = at - this.halfBegan < 2 * half ? this.current : { answers: 0, failures: 0 };
      this.current = { answers: 0, failures: 0 };
      this.halfBegan = at;
    }
    return this.current;
  }
}
