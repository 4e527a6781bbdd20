/**
 * `kept/stores/redis`: entries in a Redis (6 or later) or a Valkey, for all processes that have the same server and
 * prefix. What the server does is in redis-scripts.ts; here is what a process makes of it.
 *
 * - **One process computes.** Who misses asks for the lease; whoever doesn't get it waits to be told.
 * - **Memory stays honest.** The server says when an entry that was read has changed (`CLIENT TRACKING`), and what was
 *   cleared. When nothing has been heard for `staleness`, memory is not believed any more.
 * - **A dead server costs little.** Calls compute, as they would without it, and don't wait to find out each by itself;
 *   what was cleared meanwhile is cleared there before anything is read again.
 *
 * A cluster would need all keys of a prefix in one slot: `prefix: "{kept}:"`.
 */
import { randomBytes } from "node:crypto";
import type { RedisClientOptions } from "redis";
import { digestOf } from "./disk-file.ts";
import { Clears, type Meta, readMeta } from "./redis-clears.ts";
import { type Client, isReply, Link, type Overrides, type Reply } from "./redis-link.ts";
import { type Item, Near } from "./redis-near.ts";
import { bestCompression, type Compression, canCompress, pack, unpack } from "./redis-pack.ts";
import type { About, Changed, EntryName, LeaseCause, Leased, Store, Which } from "./store.ts";

export interface RedisOptions {
  /** `redis[s]://user:password@host:port/database`. Default `redis://localhost:6379`. */
  readonly url?: string | undefined;
  /** What else `createClient` of the package `redis` takes: `socket` with `tls`, `username`, `password`, `database`, … */
  readonly clientOptions?: RedisClientOptions | undefined;
  /**
   * Instead of both, a client of the package `redis` (5.9 or later). The store opens a connection of its own, with the
   * client's options; the client itself is not used, and may be closed.
   */
  readonly client?: { readonly options?: object | undefined; duplicate(overrides?: object): unknown } | undefined;
  /** Begins the name of every key. Each app should have its own. Default `kept:`. */
  readonly prefix?: string | undefined;
  /** Most ms that the server may take for an answer; the call goes on without it then. Default 2000. */
  readonly timeout?: number | undefined;
  /** Most ms that the first calls wait for a connection. Default 5000. */
  readonly connectTimeout?: number | undefined;
  /**
   * Most ms that results are served from memory after the connection is lost, or nobody is heard at the other end. Then
   * the server is asked again, and what it can't be asked for is computed. Default 5000.
   */
  readonly staleness?: number | undefined;
  /** ms after which a process is taken for dead that has not been heard of, and another one computes. Default 5000. */
  readonly lease?: number | undefined;
  /** Most ms that a call waits for another process to compute; then it computes itself. Default 30000. */
  readonly patience?: number | undefined;
  /** Entries of more bytes are compressed. Default 4096; `Infinity`: none is. */
  readonly compressAbove?: number | undefined;
  /** Default `zstd` where Node has it (22.15), else `deflate`. Whatever Node has is read. */
  readonly compression?: Compression | undefined;
  /** ms for which the server keeps an entry that nobody asks for, whatever its `ttl`. Default 30 days. */
  readonly unusedFor?: number | undefined;
  /** Told when the connection is lost. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

const DAY = 86_400_000;
/** Functions and tags whose clears the server remembers. One more, and everything is cleared once. */
const MOST_CLEARS = 1_000_000;
/** Clears that are remembered here while the server is away. */
const MOST_WAITING = 10_000;
/** So much more often than not, and two questions are one too many. */
const MOSTLY = 8;
/** Site ids that are readable are written as they are, to be seen in `redis-cli`. Nothing else begins with `~`. */
const READABLE = /^[\w./#$@-]{1,120}$/;

/** @throws TypeError for options that can't be */
export function redisStore(options: RedisOptions = {}): Store {
  return new RedisStore(options);
}

/** Who waits for a place to change. */
interface Waiter {
  readonly news: Promise<void>;
  end(): void;
}

class RedisStore implements Store {
  readonly name = "redis";
  readonly can = { sync: false, ttl: true, tags: true, lease: true, watch: true };
  readonly staleness: number;
  readonly patience: number;
  private readonly prefix: string;
  private readonly leaseFor: string;
  private readonly above: number;
  private readonly compression: Compression;
  private readonly cap: string;
  /** This process, as the server knows it. */
  private readonly process = randomBytes(9).toString("base64url");
  private readonly link: Link;
  private readonly near = new Near();
  private readonly clears = new Clears();
  /** Clears that were heard of. */
  private heard = 0;
  /** Sites whose entries have tags that nobody has asked about before: how much more often than not. */
  private readonly tagged = new Map<string, number>();
  private readonly waiters = new Map<string, Set<(error?: Error) => void>>();
  /** Runs here that have a lease. */
  private readonly held = new Set<string>();
  private renewed = 0;
  /** Clears, and ends of leases, that the server doesn't know of yet. */
  private readonly unsent = new Set<string>();
  private readonly writes = new Set<Promise<unknown>>();
  private removals = 0;
  private readonly sites = new Map<string, string>();
  private readonly codes = new Map<string, string>();

  constructor(options: RedisOptions) {
    const { timeout = 2000, connectTimeout = 5000, staleness = 5000, lease = 5000 } = options;
    const { patience = 30_000, unusedFor = 30 * DAY } = options;
    const times = { timeout, connectTimeout, staleness, lease, patience, unusedFor };
    for (const [name, value] of Object.entries(times)) {
      if (!(value > 0)) throw new TypeError(`redisStore: ${name} is a number of ms above 0, not ${String(value)}.`);
    }
    const { compression = bestCompression, compressAbove = 4096, prefix = "kept:", onFault = () => {} } = options;
    if (!canCompress(compression)) throw new TypeError(`redisStore: this version of Node has no ${compression}.`);
    this.staleness = staleness;
    this.patience = patience;
    this.prefix = prefix;
    this.leaseFor = String(Math.ceil(lease));
    this.above = compressAbove;
    this.compression = compression;
    this.cap = String(Math.ceil(unusedFor));
    this.link = new Link({
      open: (overrides) => openClient(options, overrides),
      channel: `${prefix}x`,
      timeout,
      connectTimeout,
      staleness,
      beat: Math.max(20, Math.min(timeout, staleness, lease) / 5),
      onFault,
      onReady: () => {
        this.clears.forget();
        this.catchUp();
      },
      onDeaf: () => this.near.allChanged(),
      onLost: (error) => this.wakeAll(error),
      onChange: (key) => this.change(key),
      onMessage: (message) => this.hearOfClear(message),
      onTick: () => this.tick(lease),
      isWatching: () => !this.near.isEmpty || this.held.size > 0 || this.waiters.size > 0,
    });
  }

  async get(name: EntryName, changed?: Changed): Promise<Uint8Array | undefined> {
    const { place, site, code } = this.placeOf(name);
    const item = changed === undefined ? undefined : this.near.expect(place, code, [`s:${site}`], changed);
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.find(place, site, code, item);
    } finally {
      if (bytes === undefined && item !== undefined) this.near.forget(item);
    }
    return bytes;
  }

  set(name: EntryName, pieces: readonly Uint8Array[], about: About, changed?: Changed): Promise<boolean> {
    return this.writing(this.write(name, pieces, about, changed));
  }

  async lease(name: EntryName, cause: LeaseCause, changed?: Changed): Promise<Leased> {
    if (cause === "miss") {
      const bytes = await this.get(name, changed);
      if (bytes !== undefined) return { bytes };
    }
    const { place, site, code } = this.placeOf(name);
    const keys = [`${this.prefix}e:${place}`, `${this.prefix}r:${place}`];
    const end = performance.now() + this.patience;
    for (;;) {
      const item = changed === undefined ? undefined : this.near.expect(place, code, [`s:${site}`], changed);
      const waiter = this.wait(place);
      const { heard } = this;
      let bytes: Uint8Array | undefined;
      try {
        const late = performance.now() >= end ? "1" : "0";
        const args = [this.prefix, site, code, this.cap, cause, this.process, this.leaseFor, late];
        const [kind, value, meta] = (await this.link.script("lease", keys, args)) as [Buffer, Reply, Reply];
        switch (String(kind)) {
          case "v":
            this.note(item, readMeta(String(meta)), heard);
            bytes = await unpack(value as Buffer);
            if (bytes !== undefined) return { bytes };
            await this.link.command(["DEL", keys[0] as string]);
            break;
          case "t": {
            const token = String(value);
            if (this.held.size === 0) this.renewed = performance.now();
            this.held.add(token);
            return { token };
          }
          case "n":
            return undefined;
          default:
            // Should it die, nobody will tell: then its time runs out.
            await soonest(waiter.news, Math.min(Number(value) + 20, Math.max(0, end - performance.now())));
        }
      } finally {
        if (bytes === undefined && item !== undefined) this.near.forget(item);
        waiter.end();
      }
    }
  }

  async release(name: EntryName, token: string): Promise<void> {
    this.held.delete(token);
    const { place, code } = this.placeOf(name);
    await this.writing(this.settle(`r:${place} ${code} ${token}`));
  }

  async remove(which: Which): Promise<void> {
    this.removals++;
    const what = this.partOf(which);
    // What is on its way from there was read before.
    if (what === "*") this.near.allChanged();
    else if (what.startsWith("k:")) this.near.placeChanged(what.slice(2));
    else this.near.partCleared(what);
    await this.writing(this.settle(what));
  }

  /** @throws if something could not be written */
  async flush(): Promise<void> {
    await Promise.all(this.writes);
  }

  close(): void {
    this.link.close();
    this.near.allChanged();
  }

  private writing<T>(promise: Promise<T>): Promise<T> {
    this.writes.add(promise);
    const end = () => this.writes.delete(promise);
    promise.then(end, end);
    return promise;
  }

  private placeOf({ site: id, code: hash, key }: EntryName) {
    const site = this.siteOf(id);
    let code = this.codes.get(hash);
    if (code === undefined) {
      if (this.codes.size > 10_000) this.codes.clear();
      code = digestOf(hash);
      this.codes.set(hash, code);
    }
    return { place: `${site}:${digestOf(key)}`, site, code };
  }

  private siteOf(id: string): string {
    let site = this.sites.get(id);
    if (site === undefined) {
      if (this.sites.size > 10_000) this.sites.clear();
      site = READABLE.test(id) ? id : `~${digestOf(id)}`;
      this.sites.set(id, site);
    }
    return site;
  }

  private partOf(which: Which): string {
    if ("tag" in which) return `t:${digestOf(which.tag)}`;
    if (which.site === undefined) return "*";
    if (which.key === undefined) return `s:${this.siteOf(which.site)}`;
    return `k:${this.siteOf(which.site)}:${digestOf(which.key)}`;
  }

  private async find(
    place: string,
    site: string,
    code: string,
    item: Item | undefined,
  ): Promise<Uint8Array | undefined> {
    const { link, clears, heard } = this;
    const unknown = this.tagged.get(site) ?? 0;
    if (unknown >= MOSTLY) return this.findThere(place, site, code, item);
    const part = `s:${site}`;
    const asked = link.command(["HMGET", `${this.prefix}e:${place}`, code, `m:${code}`]);
    if (!clears.knows(part)) await Promise.all([this.learn([part]), asked]);
    const [packed, text] = (await asked) as [Buffer | null, Buffer | null];
    if (packed === null || text === null) return undefined;
    const meta = readMeta(text.toString("latin1"));
    this.note(item, meta, heard);
    let holds = clears.judge(meta, part);
    if (holds !== undefined && unknown > 0) this.tagged.set(site, unknown - 1);
    if (holds === undefined) {
      if (this.tagged.size > 10_000) this.tagged.clear();
      this.tagged.set(site, unknown + 1);
      await this.learn([part, ...meta.tags]);
      holds = clears.judge(meta, part);
    }
    const now = Date.now() + link.ahead;
    if (holds === false || now >= meta.end) return undefined;
    // Nothing is known for sure while things change; and what is half forgotten is to stay, since it is used.
    const isOld = now - meta.stamp / 1000 > Number(this.cap) / 2;
    return holds === undefined || isOld ? this.findThere(place, site, code, item) : unpack(packed);
  }

  /** The server finds out whether it holds. That is dearer, and always one question. */
  private async findThere(
    place: string,
    site: string,
    code: string,
    item: Item | undefined,
  ): Promise<Uint8Array | undefined> {
    const { heard } = this;
    const args = [this.prefix, site, code, this.cap];
    const found = await this.link.script("get", [`${this.prefix}e:${place}`], args);
    if (found === null) return undefined;
    const [packed, text] = found as [Buffer, Buffer];
    this.note(item, readMeta(text.toString("latin1")), heard);
    return unpack(packed);
  }

  /** Asks the server when these were cleared. */
  private async learn(parts: readonly string[]): Promise<void> {
    const { version } = this.clears;
    const found = await this.link.command(["HMGET", `${this.prefix}g`, "e", ...parts]);
    this.clears.learn(version, parts, found as (Buffer | null)[]);
  }

  /** The tags of what was found: it may be cleared by them, and have been since it was asked for. */
  private note(item: Item | undefined, { tags }: Meta, heard: number): void {
    if (item === undefined || tags.length === 0) return;
    this.near.index(item, tags);
    if (heard !== this.heard) this.near.placeChanged(item.place);
  }

  private async write(
    name: EntryName,
    pieces: readonly Uint8Array[],
    { began, until, tags, token = "" }: About,
    changed: Changed | undefined,
  ): Promise<boolean> {
    const { removals } = this;
    const { place, site, code } = this.placeOf(name);
    const packing = pack(pieces, this.above, this.compression);
    const packed = packing instanceof Promise ? await packing : packing;
    this.held.delete(token);
    // Without a lease nobody else remembers that it was written before it was cleared.
    if (token === "" && removals !== this.removals) return true;
    const at = performance.timeOrigin + performance.now();
    const digests = tags.map(digestOf);
    const parts = [`s:${site}`, ...digests.map((tag) => `t:${tag}`)];
    const item = changed === undefined ? undefined : this.near.expect(place, code, parts, changed);
    const age = String(Math.max(0, Math.round((at - began) * 1000)));
    const left = until === Number.POSITIVE_INFINITY ? "" : String(Math.round(until - at));
    const common = [this.prefix, site, code, this.cap];
    const args = [...common, `${this.prefix}r:${place}`, token, age, left, packed, ...digests];
    try {
      const kept = (await this.link.script("set", [`${this.prefix}e:${place}`], args)) === 1;
      if (!kept && item !== undefined) this.near.forget(item);
      return kept;
    } catch (error) {
      if (item !== undefined) this.near.forget(item);
      // Nobody is to wait for what will not come.
      if (token !== "") this.unsent.add(`r:${place} ${code} ${token}`);
      throw error;
    }
  }

  /** Clears or releases there, now or as soon as there is a server again, before anything is read from it. */
  private async settle(what: string): Promise<void> {
    try {
      await this.send(what);
    } catch (error) {
      this.unsent.add(what);
      if (this.unsent.size > MOST_WAITING) {
        this.unsent.clear();
        this.unsent.add("*");
      }
      throw error;
    }
  }

  /** @param what `s:<site>`, `t:<tag>`, `k:<call>`, `*`; or `r:<call> <code> <token>`: the end of a lease */
  private async send(what: string): Promise<void> {
    const { link, prefix } = this;
    if (what.startsWith("r:")) {
      const [runs = "", ...rest] = what.split(" ");
      await link.script("release", [`${prefix}${runs}`], [prefix, ...rest]);
      return;
    }
    if (what.startsWith("k:")) {
      const place = what.slice(2);
      await link.command(["DEL", `${prefix}e:${place}`, `${prefix}r:${place}`]);
      return;
    }
    // The server says nothing of what this process does itself.
    this.clears.forget();
    try {
      await link.script("clear", [], [prefix, this.process, what, String(MOST_CLEARS)]);
    } catch (error) {
      if (!isReply(error, "OOM", "ERR") || !String(error).includes("OOM")) throw error;
      // A full server takes no note of a clear. It can forget all of them, and with them every entry.
      await link.script("forget", [], [prefix, this.process]);
    }
  }

  private catchUp(): void {
    const clears = [...this.unsent];
    this.unsent.clear();
    for (const what of clears) this.settle(what).catch(() => {});
  }

  private tick(lease: number): void {
    if (this.unsent.size > 0) this.catchUp();
    if (this.held.size === 0 || performance.now() - this.renewed < lease / 3) return;
    this.renewed = performance.now();
    this.link.command(["SET", `${this.prefix}p:${this.process}`, "1", "PX", this.leaseFor]).catch(() => {});
  }

  /** Another process has changed a key, or the server has dropped it. */
  private change(key: string | undefined): void {
    if (key === undefined) {
      this.clears.forget();
      this.near.allChanged();
      this.wakeAll();
    } else if (key === `${this.prefix}g`) {
      this.clears.forget();
    } else if (key.startsWith(this.prefix)) {
      const place = key.slice(this.prefix.length + 2);
      if (key[this.prefix.length] === "e") this.near.placeChanged(place);
      for (const wake of this.waiters.get(place) ?? []) wake();
    }
  }

  private hearOfClear(message: string): void {
    const at = message.indexOf(" ");
    if (message.slice(0, at) === this.process) return;
    this.heard++;
    const what = message.slice(at + 1);
    if (what === "*") this.near.allChanged();
    else this.near.partCleared(what);
  }

  private wait(place: string): Waiter {
    let wake: (error?: Error) => void = () => {};
    const news = new Promise<void>((resolve, reject) => {
      wake = (error) => (error === undefined ? resolve() : reject(error));
    });
    news.catch(() => {});
    const others = this.waiters.get(place);
    const all = others ?? new Set();
    if (others === undefined) this.waiters.set(place, all);
    all.add(wake);
    this.link.hold();
    return {
      news,
      end: () => {
        all.delete(wake);
        if (all.size === 0 && this.waiters.get(place) === all) this.waiters.delete(place);
        this.link.letGo();
      },
    };
  }

  private wakeAll(error?: Error): void {
    for (const all of [...this.waiters.values()]) for (const wake of [...all]) wake(error);
  }
}

/** Settles with `news`, or is done after `ms`. */
async function soonest(news: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, ms);
  });
  try {
    await Promise.race([news, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A client that has not been connected yet, with a connection to itself. */
async function openClient(
  { client, url, clientOptions }: RedisOptions,
  { reconnectStrategy, ...overrides }: Overrides,
): Promise<Client> {
  const given = (client?.options ?? clientOptions ?? {}) as RedisClientOptions;
  const socket = { ...given.socket, reconnectStrategy };
  const own = { ...overrides, socket, pingInterval: 0, keyPrefix: undefined, clientSideCache: undefined };
  if (client !== undefined) return client.duplicate(own) as Client;
  const { createClient } = await import("redis");
  return createClient({ ...given, ...(url === undefined ? {} : { url }), ...own } as object) as unknown as Client;
}
