/**
 * What the cache tells: a closed union of events, published once to listeners and to `node:diagnostics_channel`
 * (`kept:hit`, `kept:miss`, …). Stats, spinner and inspector are subscribers; the cache knows none of them.
 */
import { attention } from "./attention.ts";
import type { SiteKind } from "./contract.ts";
import { builtin } from "./platform.ts";
import { shared } from "./shared.ts";

interface About {
  /** Site id: `src/rides.ts#loadRides`. */
  readonly site: string;
  readonly kind: SiteKind;
}
interface AboutEntry extends About {
  /** Canonical text of the key; a digest where it is long. */
  readonly key: string;
  /** Only where the entry belongs to a session. */
  readonly session?: string;
}

/** A fresh entry was served. */
export interface HitEvent extends AboutEntry {
  readonly type: "hit";
  /** What the run took whose result was served, in ms. */
  readonly saved: number;
}
/** A body is about to run: no entry, and nobody is computing it. */
export interface MissEvent extends AboutEntry {
  readonly type: "miss";
  /** True unless the call was made inside the body of another cached function. */
  readonly outermost: boolean;
  /** `async` functions only: resolves (never rejects) when the run has ended. */
  readonly ended?: Promise<void>;
}
/** An entry past its `ttl` and within its `staleFor` was served. */
export interface StaleEvent extends AboutEntry {
  readonly type: "stale";
  /** ms since the `ttl` ended. */
  readonly age: number;
}
/** A result was kept. */
export interface StoreEvent extends AboutEntry {
  readonly type: "store";
  /** What the run took, in ms. */
  readonly took: number;
  readonly bytes: number;
  /** ms that it will be fresh; absent without an end. */
  readonly freshFor?: number;
  /** True if it took the place of an entry (a refresh). */
  readonly replaced: boolean;
}
/** An entry was dropped to make room. */
export interface EvictEvent extends AboutEntry {
  readonly type: "evict";
  readonly reason: "maxEntries" | "maxBytes";
}
/** An entry was dropped because its time was over. */
export interface ExpireEvent extends AboutEntry {
  readonly type: "expire";
}
/** A resource was released: `onRelease` (or the value's own dispose method) has ended. */
export interface ReleaseEvent extends About {
  readonly type: "release";
  readonly reason: DropReason;
}
/** Entries were cleared by the program, by the end of a session, or by new code. */
export interface ClearEvent {
  readonly type: "clear";
  readonly scope: "entry" | "site" | "tag" | "all" | "session" | "reload";
  /** The site, the tag, or the session; absent for `all`. */
  readonly of?: string;
  readonly entries: number;
}
/** Something of the cache failed, and the program went on without noticing. */
export interface FaultEvent {
  readonly type: "fault";
  readonly code: FaultCode;
  readonly site?: string;
  readonly error?: unknown;
}
export type FaultCode =
  | "listener-failed"
  | "release-failed"
  | "validate-failed"
  | "refresh-failed"
  | "replay-failed"
  | "input-failed"
  | "input-unsettled"
  | "input-variants"
  | "too-large"
  /** `persist`: a store failed; a result can't be written down; what a store gave was not what was written. */
  | "store-failed"
  | "unstorable"
  | "entry-damaged"
  /** With `secret`: what a store gave was not written by one who knows it. */
  | "entry-forged"
  /** A store is not asked for a while, since it fails or is silent; it is asked again. Once for each change. */
  | "store-suspended"
  | "store-resumed"
  /** `persist`: this host has no store; results of a session, or made of inputs, are not persisted. */
  | "no-store"
  | "unpersisted";

export type DropReason = "evict" | "expire" | "clear" | "replace" | "invalid" | "unkept";

export type KeptEvent =
  | HitEvent
  | MissEvent
  | StaleEvent
  | StoreEvent
  | EvictEvent
  | ExpireEvent
  | ReleaseEvent
  | ClearEvent
  | FaultEvent;
export type EventType = KeptEvent["type"];
export type EventOf<T extends EventType> = Extract<KeptEvent, { readonly type: T }>;
type Listener = (event: never) => void;

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}
const channels = builtin<{ channel(name: string): Channel }>("node:diagnostics_channel");

/** One type of event: who listens, here and on the host's diagnostics channel. */
interface Line {
  readonly listeners: Set<Listener>;
  readonly channel: Channel | undefined;
}

const TYPES = ["hit", "miss", "stale", "store", "evict", "expire", "release", "clear", "fault"] as const;
export const eventTypes: readonly EventType[] = TYPES;

const lines: Readonly<Record<EventType, Line>> = shared("events", () => {
  const open = (type: string): Line => ({ listeners: new Set(), channel: channels?.channel(`kept:${type}`) });
  return Object.fromEntries(TYPES.map((type) => [type, open(type)])) as Record<EventType, Line>;
});

/** The host's channel of hits, which the shortest way of a hit looks at: anyone may subscribe, and nobody tells us. */
export const hitChannel: { readonly hasSubscribers: boolean } = lines.hit.channel ?? { hasSubscribers: false };

/** Asked before an event is made: nobody pays for what nobody hears. */
export function hears(type: EventType): boolean {
  const line = lines[type];
  return line.listeners.size !== 0 || line.channel?.hasSubscribers === true;
}

/** Tells everyone who listens. A listener that throws is a `fault`, and never reaches the program. */
export function publish(event: KeptEvent): void {
  const line = lines[event.type];
  for (const listener of [...line.listeners]) {
    try {
      (listener as (event: KeptEvent) => void)(event);
    } catch (error) {
      if (event.type !== "fault") publish({ type: "fault", code: "listener-failed", error });
    }
  }
  if (line.channel?.hasSubscribers) line.channel.publish(event);
}

/** Tells of a failure that the program is spared. */
export function fault(code: FaultCode, error: unknown, site?: string): void {
  if (hears("fault")) publish({ type: "fault", code, error, ...(site === undefined ? {} : { site }) });
}

/**
 * Calls `listener` for every event of a type from now on. It is called while the cache works: it should be quick. What
 * it throws becomes a `fault` event.
 *
 * @returns a function that ends it
 */
export function on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
  const { listeners } = lines[type];
  // A function of its own for each call: the same listener may be added twice, and taken away once.
  const mine: Listener = (event) => listener(event);
  listeners.add(mine);
  if (type === "hit") attention.count++;
  return () => {
    if (listeners.delete(mine) && type === "hit") attention.count--;
  };
}
