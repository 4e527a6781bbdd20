/**
 * The connection to a server: one, for questions, answers, invalidations and what is published, so that all of it comes
 * in the server's order. It comes back by itself, holds no process alive that waits for nothing, and says at once that
 * there is no answer to be had rather than letting every call find out by waiting.
 */
import type { RedisClientOptions } from "redis";
import { outsideContexts } from "../platform.ts";
import { SCRIPTS, type ScriptName } from "./redis-scripts.ts";

export type Argument = string | Buffer;
export type Reply = Buffer | number | null | Reply[];

/** What we need of a client of `redis` 5 or later. */
export interface Client {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  ref(): void;
  unref(): void;
  on(event: string, listener: (...args: any[]) => void): unknown;
  sendCommand(args: readonly Argument[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
}

export interface LinkOptions {
  /** Makes a client that has not been connected yet. */
  readonly open: (overrides: Overrides) => Client | Promise<Client>;
  readonly channel: string;
  /** Most ms that an answer may take. */
  readonly timeout: number;
  /** Most ms that the first connection may take. */
  readonly connectTimeout: number;
  /** Most ms for which nothing needs to have been heard of the server. */
  readonly staleness: number;
  /** ms between two looks at how things are. */
  readonly beat: number;
  readonly onFault: (error: unknown) => void;
  /** A connection is there; what is sent now comes before anything else. */
  readonly onReady: () => void;
  /** Nothing has been heard for {@link staleness}, or something may have been missed. */
  readonly onDeaf: () => void;
  readonly onLost: (error: Error) => void;
  /** A key has changed, or (`undefined`) every key. */
  readonly onChange: (key: string | undefined) => void;
  readonly onMessage: (message: string) => void;
  /** Now and then, while there is a connection. */
  readonly onTick: () => void;
  /** True if anyone here relies on being told. */
  readonly isWatching: () => boolean;
}

export type Overrides = Pick<
  RedisClientOptions,
  "RESP" | "emitInvalidate" | "disableOfflineQueue" | "maintNotifications" | "commandOptions"
> & { readonly reconnectStrategy: false };

/** A question that has been sent. */
interface Question {
  readonly at: number;
  /** Absent once it has been given up. */
  giveUp: ((error: Error) => void) | undefined;
}

/** Of RESP's `$`, as bytes: what is in an entry is no text. */
const BLOB = 36;
const SILENT = "The server does not answer";
const FIRST_RETRY = 50;

const now = (): number => performance.now();

export class Link {
  private readonly options: LinkOptions;
  private client: Client | undefined;
  private state: "idle" | "connecting" | "ready" | "lost" | "closed" = "idle";
  /** Why there is no connection. */
  private cause: unknown;
  private opening: Promise<unknown> | undefined;
  private wasReady = false;
  private retries = 0;
  private retry: NodeJS.Timeout | undefined;
  private readonly ticker: NodeJS.Timeout;
  private readonly beat: number;
  private ticked = now();
  /** When the last question was asked that was answered: what changed before has been heard. */
  private heardAt = now();
  /** True from a timeout until the next answer. */
  private silent = false;
  /** ms by which the server's clock is ahead of ours. */
  ahead = 0;
  private readonly questions = new Set<Question>();
  private waits = 0;
  private hashes: Partial<Record<ScriptName, string>> = {};

  constructor(options: LinkOptions) {
    this.options = options;
    this.beat = options.beat;
    this.ticker = setInterval(() => this.tick(), this.beat).unref();
  }

  /** Runs a script there. @throws if there is no answer in time, at once if none is to be expected */
  async script(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    if (this.state === "idle" || this.state === "connecting") await this.opened();
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(["EVALSHA", this.hashes[name] ?? "", ...rest]);
    } catch (error) {
      // Someone has thrown away the server's scripts.
      if (!isReply(error, "NOSCRIPT")) throw error;
      return this.send(["EVAL", SCRIPTS[name], ...rest]);
    }
  }

  /** Sends a command as it is. @throws as {@link script} does */
  command(args: readonly Argument[]): Promise<Reply> {
    if (this.state === "ready" && !this.silent) return this.ask(this.client as Client, args);
    return this.sendLater(args);
  }

  private async sendLater(args: readonly Argument[]): Promise<Reply> {
    if (this.state === "idle" || this.state === "connecting") await this.opened();
    return this.send(args);
  }

  get isReady(): boolean {
    return this.state === "ready";
  }

  /** The process is to stay alive until {@link letGo}: someone waits for news. */
  hold(): void {
    if (this.waits++ === 0) this.client?.ref();
  }

  letGo(): void {
    if (--this.waits === 0) this.client?.unref();
  }

  close(): void {
    if (this.state === "closed") return;
    const { client } = this;
    this.state = "closed";
    this.client = undefined;
    clearTimeout(this.retry);
    clearInterval(this.ticker);
    this.abandon(this.unreachable());
    if (client !== undefined) destroy(client);
  }

  private send(args: readonly Argument[]): Promise<Reply> {
    const { client } = this;
    if (this.state !== "ready" || client === undefined) throw this.unreachable();
    if (this.silent) throw new Error(SILENT);
    return this.ask(client, args);
  }

  private ask(client: Client, args: readonly Argument[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const question: Question = { at: now(), giveUp: undefined };
      const end = () => {
        this.questions.delete(question);
        if (question.giveUp !== undefined) this.letGo();
        question.giveUp = undefined;
      };
      question.giveUp = (error) => {
        question.giveUp = undefined;
        this.letGo();
        reject(error);
      };
      this.hold();
      this.questions.add(question);
      client.sendCommand(args).then(
        (reply) => {
          end();
          this.hear(question.at);
          resolve(reply as Reply);
        },
        (error) => {
          end();
          if (isReply(error)) this.hear(question.at);
          // Written to a copy that only reads, or is not up to date: another connection may find the right one.
          if (isReply(error, "READONLY", "LOADING", "MASTERDOWN")) this.lose(error);
          reject(error);
        },
      );
    });
  }

  private hear(at: number): void {
    if (at > this.heardAt) this.heardAt = at;
    this.silent = false;
  }

  private async opened(): Promise<void> {
    if (this.state === "idle") this.connect();
    let timer: NodeJS.Timeout | undefined;
    this.hold();
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // Nobody waits for it from now on: calls go on without.
        if (this.state === "connecting") this.state = "lost";
        reject(this.unreachable());
      }, this.options.connectTimeout);
    });
    try {
      await Promise.race([this.opening, late]);
    } finally {
      clearTimeout(timer);
      this.letGo();
    }
  }

  private unreachable(): Error {
    if (this.state === "closed") return new Error("The store is closed");
    return new Error("There is no connection to the server", { cause: this.cause });
  }

  private connect(): void {
    if (this.state === "idle") this.state = "connecting";
    // A connection made in a request would hold on to all that the request's contexts hold.
    this.opening = outsideContexts(() => this.open());
  }

  /** Never rejects. */
  private async open(): Promise<void> {
    const { options } = this;
    let client: Client | undefined;
    let slow: NodeJS.Timeout | undefined;
    try {
      client = await options.open({
        RESP: 3,
        emitInvalidate: true,
        disableOfflineQueue: true,
        maintNotifications: "disabled",
        commandOptions: { timeout: 0, typeMapping: { [BLOB]: Buffer } },
        reconnectStrategy: false,
      });
      if (this.state === "closed") return;
      this.client = client;
      this.listen(client);
      if (this.waits === 0) client.unref();
      slow = setTimeout(() => this.loseOne(client, new Error(SILENT)), options.connectTimeout).unref();
      await client.connect();
      await this.prepare(client);
    } catch (error) {
      this.loseOne(client, error);
    } finally {
      clearTimeout(slow);
    }
  }

  private listen(client: Client): void {
    const { options } = this;
    client.on("error", (error) => this.loseOne(client, error));
    client.on("invalidate", (key) => {
      if (client === this.client) options.onChange(key === null ? undefined : String(key));
    });
  }

  /** Another one may have taken its place already. */
  private loseOne(client: Client | undefined, error: unknown): void {
    if (client === this.client) this.lose(error);
  }

  /** What a new connection has to be told; then it is ready. */
  private async prepare(client: Client): Promise<void> {
    const { options } = this;
    const at = now();
    const names = Object.keys(SCRIPTS) as ScriptName[];
    const [hashes, time] = await Promise.all([
      Promise.all(names.map((name) => client.sendCommand(["SCRIPT", "LOAD", SCRIPTS[name]]))),
      client.sendCommand(["TIME"]),
      // What this process writes itself it knows.
      client.sendCommand(["CLIENT", "TRACKING", "ON", "NOLOOP"]),
      client.subscribe(options.channel, (message) => {
        if (client === this.client) options.onMessage(message);
      }),
    ]);
    if (client !== this.client) return;
    for (const [index, name] of names.entries()) this.hashes[name] = String(hashes[index]);
    const [seconds, micros] = (time as Buffer[]).map(Number) as [number, number];
    this.ahead = seconds * 1000 + micros / 1000 - Date.now();
    this.heardAt = at;
    this.silent = false;
    this.retries = 0;
    this.cause = undefined;
    this.state = "ready";
    if (this.wasReady) options.onDeaf();
    this.wasReady = true;
    options.onReady();
  }

  /** There is no connection any more, or it is no good. Those who wait are told, and another one is tried later. */
  private lose(error: unknown): void {
    const { client } = this;
    if (this.state === "closed") return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.client = undefined;
    this.state = "lost";
    if (this.cause === undefined) this.options.onFault(cause);
    this.cause = cause;
    this.abandon(this.unreachable());
    if (client !== undefined) destroy(client);
    clearTimeout(this.retry);
    // What was cleared meanwhile must come in time, too.
    const longest = Math.min(2000, this.options.staleness / 4);
    const wait = Math.min(longest, FIRST_RETRY * 2 ** this.retries++) * (0.75 + Math.random() / 2);
    this.retry = setTimeout(() => this.connect(), wait).unref();
  }

  private abandon(error: Error): void {
    for (const question of [...this.questions]) question.giveUp?.(error);
    this.questions.clear();
    this.options.onLost(error);
  }

  private tick(): void {
    const { options, beat } = this;
    const at = now();
    // After a long turn of the program there may be answers that nobody has read yet.
    const wasAway = at - this.ticked > 3 * beat;
    this.ticked = at;
    if (at - this.heardAt > options.staleness - beat && options.isWatching()) options.onDeaf();
    if (wasAway || this.state !== "ready") return;
    const [first] = this.questions;
    if (first !== undefined && at - first.at > Math.max(options.staleness, options.timeout)) {
      this.lose(new Error(SILENT));
      return;
    }
    for (const question of this.questions) {
      if (at - question.at <= options.timeout) break;
      this.silent = true;
      question.giveUp?.(new Error(SILENT));
    }
    options.onTick();
    if (options.isWatching() && this.questions.size === 0 && at - this.heardAt >= beat) this.ping();
  }

  /** Asks whether anybody is there. Keeps no process alive. */
  private ping(): void {
    const client = this.client as Client;
    const question: Question = { at: now(), giveUp: undefined };
    this.questions.add(question);
    client.sendCommand(["PING"]).then(
      () => {
        this.questions.delete(question);
        this.hear(question.at);
      },
      () => this.questions.delete(question),
    );
  }
}

function destroy(client: Client): void {
  try {
    client.on("error", () => {});
    client.destroy();
  } catch {
    // It was closed already.
  }
}

/** True for what the server has answered, as opposed to what the client finds; with one of the codes, if given. */
export function isReply(error: unknown, ...codes: string[]): boolean {
  const code = /^([A-Z]+) /.exec((error as Error | undefined)?.message ?? "")?.[1];
  return code !== undefined && (codes.length === 0 || codes.includes(code));
}
