/** Whose entries: everyone's, or those of the session around the call. */
import { Shelf, type Site } from "./entry.ts";
import { SessionError, sessionInGlobal } from "./errors.ts";
import { type AsyncLocalStorage, asyncContext } from "./platform.ts";
import { currentRun } from "./run.ts";
import { shared } from "./shared.ts";

interface Session {
  readonly shelves: Map<Site, Shelf>;
  ended: boolean;
}
/** One call of {@link withSession}: it belongs to the session that had that id when it first needed one. */
interface Visit {
  readonly id: string;
  session: Session | undefined;
}

const state = shared("sessions", () => ({
  sessions: new Map<string, Session>(),
  context: asyncContext<Visit>() as AsyncLocalStorage<Visit> | undefined,
  /** Where the host can't follow a flow: the visit whose code is on the stack. */
  visit: undefined as Visit | undefined,
}));

const currentVisit = (): Visit | undefined => (state.context === undefined ? state.visit : state.context.getStore());

/**
 * Calls `fn` inside a session: functions with `scope: "session"` keep their results for this id, wherever they are called
 * in `fn`, also after an `await`. (On a host without AsyncLocalStorage: up to the first `await`.) Calls with the same id
 * share what is kept, until {@link endSession}.
 *
 * @returns what `fn` returns
 * @throws SessionError if `id` is no non-empty string
 */
export function withSession<R>(id: string, fn: () => R): R {
  if (typeof id !== "string" || id === "") throw SessionError.badId(id);
  const visit: Visit = { id, session: undefined };
  if (state.context !== undefined) return state.context.run(visit, fn);
  const outer = state.visit;
  state.visit = visit;
  try {
    return fn();
  } finally {
    state.visit = outer;
  }
}

/** The id of the session around this call. */
export function currentSession(): string | undefined {
  return currentVisit()?.id;
}

/**
 * The shelf that a call of `site` is served from.
 *
 * @throws SessionError outside of a session; or inside a function that keeps its results for everyone
 */
export function shelfOf(site: Site): Shelf {
  if (site.spec.scope !== "session") return site.shelf;
  for (let run = currentRun(); run !== undefined; run = run.parent) {
    if (run.shelf.site.spec.scope !== "session") throw sessionInGlobal(site.id, run.shelf.site.id);
  }
  const visit = currentVisit();
  if (visit === undefined) throw SessionError.outside(site.id);
  visit.session ??= sessionOf(visit.id);
  const { session } = visit;
  let shelf = session.shelves.get(site);
  if (shelf === undefined) {
    shelf = new Shelf(site, visit.id);
    // What a request asks for after the end of its session is computed for it, and not kept.
    shelf.closed = session.ended;
    if (!session.ended) session.shelves.set(site, shelf);
  }
  return shelf;
}

/** The shelf of the session around this call, if there is one and it has been used. */
export function sessionShelf(site: Site): Shelf | undefined {
  const visit = currentVisit();
  const session = visit === undefined ? undefined : (visit.session ?? state.sessions.get(visit.id));
  return session?.shelves.get(site);
}

function sessionOf(id: string): Session {
  let session = state.sessions.get(id);
  if (session === undefined) {
    session = { shelves: new Map(), ended: false };
    state.sessions.set(id, session);
  }
  return session;
}

/** Ends a session; @returns the shelves that it had. A later call with this id begins a new one. */
export function closeSession(id: string): readonly Shelf[] {
  const session = state.sessions.get(id);
  if (session === undefined) return [];
  session.ended = true;
  state.sessions.delete(id);
  const shelves = [...session.shelves.values()];
  session.shelves.clear();
  for (const shelf of shelves) shelf.closed = true;
  return shelves;
}
