/** Where results outlive the process: the stores that are configured, or the host's own; guarded, sealed, and as tiers. */
import { onConfigure, type StoreSettings, settings } from "./config.ts";
import { fault } from "./events.ts";
import { shared } from "./shared.ts";
import { guarded } from "./stores/guard.ts";
import { Reach } from "./stores/reach.ts";
import type { Seal } from "./stores/seal.ts";
import type { Store } from "./stores/store.ts";
import { type Tier, tiered } from "./stores/tiers.ts";

/** Makes the store that a host has without further ado. Set by stores/embedded.ts, which only Node's entries import. */
export type Embedded = (options: {
  readonly dir: string | undefined;
  readonly maxBytes: number | undefined;
  /** Entries are sealed: others may write where they are. */
  readonly sealed: boolean;
  readonly onFault: (error: unknown) => void;
}) => Store;

/** What it was made of. */
type Plan = Pick<typeof settings, "stores" | "seal" | "dir" | "maxDiskBytes">;

interface Backing extends Plan {
  /** For `async` functions. */
  readonly all: Store;
  /** For the others: of those stores that need not be waited for. */
  readonly sync: Store | undefined;
  /** The host's own among them: ours to close. */
  readonly own: Store | undefined;
}

const state = shared("backing", () => ({
  embedded: undefined as Embedded | undefined,
  /** Made when it is first needed, anew when it is configured otherwise. */
  backing: undefined as Backing | undefined,
  /** What a store has missed stays owed, also when it is configured otherwise. */
  reaches: new WeakMap<Store, Reach>(),
  seals: new Set<Seal>(),
}));

export function embed(open: Embedded): void {
  state.embedded = open;
}

/** The stores as one, for functions of this kind; nothing if there is none. `waits` names what can only be waited for. */
export function backingFor(isAsync: boolean): { readonly store?: Store; readonly waits?: string } {
  const backing = state.backing ?? make();
  if (backing === undefined) return {};
  if (isAsync) return { store: backing.all };
  return backing.sync === undefined ? { waits: backing.all.name } : { store: backing.sync };
}

/** All of the stores, for what concerns all of them. */
export function everyStore(): Store | undefined {
  return (state.backing ?? make())?.all;
}

/** Those that were needed until now. */
export async function flushBacking(): Promise<void> {
  await state.backing?.all.flush();
}

/** What is written of tags: they may say as much as arguments do. */
export function hiddenTags(tags: readonly string[]): readonly string[] {
  const { seal } = settings;
  return seal === undefined ? tags : tags.map((tag) => seal.hideTag(tag));
}

/** A tag, and all that may stand for it in entries that came from a store. */
export function formsOf(tag: string): readonly string[] {
  return state.seals.size === 0 ? [tag] : [tag, ...[...state.seals].flatMap((seal) => seal.formsOf(tag))];
}

/** Are names hidden? Then an entry's bytes have none: its seal vouches for them. */
export function isSealed(): boolean {
  return settings.seal !== undefined;
}

function make(): Backing | undefined {
  const { stores, seal, dir, maxDiskBytes } = settings;
  let own: Store | undefined;
  const tiers = stores.flatMap((one): Tier[] => {
    const store = one.store === "disk" ? (own ??= openOwn()) : one.store;
    return store === undefined ? [] : [{ store: stand(store, one, seal), ttl: one.ttl }];
  });
  const all = together(tiers);
  if (all === undefined) return undefined;
  const sync = together(tiers.filter(({ store }) => store.can.sync));
  if (seal !== undefined) state.seals.add(seal);
  state.backing = { all, sync, own, stores, seal, dir, maxDiskBytes };
  return state.backing;
}

function together(tiers: readonly Tier[]): Store | undefined {
  const [first, ...rest] = tiers;
  return first === undefined || (rest.length === 0 && first.ttl === undefined) ? first?.store : tiered(tiers);
}

/** With all that stands before a store: the guard, and what seals. */
function stand(store: Store, { guard: wanted }: StoreSettings, seal: Seal | undefined): Store {
  // What is cleared here while it is let alone, others learn when it is told: that is to be within its staleness, too.
  const { staleness = Number.POSITIVE_INFINITY } = store;
  const guard = { ...wanted, maxPause: Math.min(wanted.maxPause, staleness / 2) };
  let reach = state.reaches.get(store);
  if (reach === undefined) {
    reach = new Reach(store.name, guard);
    state.reaches.set(store, reach);
  }
  reach.breaker.settings = guard;
  return guarded(seal === undefined ? store : seal.around(store), guard, reach);
}

function openOwn(): Store | undefined {
  if (state.embedded === undefined) return undefined;
  const { dir, maxDiskBytes: maxBytes, seal } = settings;
  const onFault = (error: unknown) => fault("store-failed", error);
  try {
    return state.embedded({ dir, maxBytes, sealed: seal !== undefined, onFault });
  } catch (error) {
    onFault(error);
    return undefined;
  }
}

onConfigure(() => {
  const { backing } = state;
  if (backing === undefined) return;
  const names = ["stores", "seal", "dir", "maxDiskBytes"] as const;
  if (names.every((name) => backing[name] === settings[name])) return;
  state.backing = undefined;
  try {
    backing.own?.close();
  } catch (error) {
    fault("store-failed", error);
  }
});
