/**
 * What a server remembers of clears, as far as this process has read it: so most entries are read by one plain command,
 * and found to hold or not here. The server tells of every change of what was read (`CLIENT TRACKING`), and on the same
 * connection, so that nothing is found to hold that was cleared before it was read.
 */

/** What stands beside an entry: epoch, stamp, end, digests of tags. */
export interface Meta {
  readonly epoch: string;
  readonly stamp: number;
  /** ms on the server's clock. */
  readonly end: number;
  /** `t:<tag>` */
  readonly tags: readonly string[];
}

export function readMeta(text: string): Meta {
  const [epoch = "", stamp, end, ...tags] = text.split(" ");
  return {
    epoch,
    stamp: Number(stamp),
    end: end === "-" ? Number.POSITIVE_INFINITY : Number(end),
    tags: tags.length === 0 ? tags : tags.map((tag) => `t:${tag}`),
  };
}

const MOST = 100_000;

export class Clears {
  private epoch: string | undefined;
  /** When each was last cleared; 0 if it never was. */
  private readonly stamps = new Map<string, number>();
  /** Rises with every change: what was asked for before one is outdated. */
  version = 0;

  /** Something was cleared, or forgotten: what is known is not all. */
  forget(): void {
    this.version++;
    this.epoch = undefined;
    if (this.stamps.size > 0) this.stamps.clear();
  }

  knows(part: string): boolean {
    return this.epoch !== undefined && this.stamps.has(part);
  }

  /** The server's answer about `parts`; nothing of it counts if something has changed since `version`. */
  learn(version: number, parts: readonly string[], [epoch, ...stamps]: readonly (Buffer | null)[]): void {
    if (version !== this.version || epoch === null || epoch === undefined) return;
    if (this.stamps.size > MOST) this.stamps.clear();
    this.epoch = String(epoch);
    for (const [at, part] of parts.entries()) this.stamps.set(part, Number(stamps[at] ?? 0));
  }

  /** Does an entry hold? Nothing if that is not known. */
  judge(meta: Meta, part: string): boolean | undefined {
    if (this.epoch === undefined) return undefined;
    if (meta.epoch !== this.epoch) return false;
    const own = this.stamps.get(part);
    if (own === undefined) return undefined;
    if (own >= meta.stamp) return false;
    for (const tag of meta.tags) {
      const stamp = this.stamps.get(tag);
      if (stamp === undefined) return undefined;
      if (stamp >= meta.stamp) return false;
    }
    return true;
  }
}
