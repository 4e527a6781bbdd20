/** `kept`: what a program uses besides the directives. */
export { type Caches, caches } from "./caches.ts";
export {
  type ArgumentsOf,
  clear,
  clearAll,
  clearTag,
  endSession,
  has,
  peek,
  type ResultOf,
  refresh,
  type Target,
} from "./clear.ts";
export { type Configuration, configure, type StoreOptions } from "./config.ts";
export type { CopyMode, Duration, Scope, SiteKind } from "./contract.ts";
export {
  CacheCycleError,
  ContractError,
  KeptError,
  ReplayError,
  SessionError,
  UncopyableResultError,
  UnhashableArgumentError,
} from "./errors.ts";
export {
  type ClearEvent,
  type DropReason,
  type EventOf,
  type EventType,
  type EvictEvent,
  type ExpireEvent,
  type FaultCode,
  type FaultEvent,
  type HitEvent,
  type KeptEvent,
  type MissEvent,
  on,
  type ReleaseEvent,
  type StaleEvent,
  type StoreEvent,
} from "./events.ts";
export { input } from "./inputs.ts";
export { type CacheOptions, cacheOptions } from "./options.ts";
export { type Element, element } from "./replay.ts";
export { withSession } from "./session.ts";
export { type SiteStats, type Stats, stats } from "./stats.ts";
export type { About, Capabilities, EntryName, Store, Which } from "./stores/store.ts";
export { cacheTag } from "./tags.ts";
export { cacheTtl } from "./ttl.ts";
export { registerType, type TypeOptions } from "./types.ts";
export { type Warmed, type WarmOptions, warm } from "./warm.ts";
