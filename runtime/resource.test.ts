import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { asyncResource, Clock, freshId, gate, resource, settle } from "../fixtures/by-hand.ts";
import { CONTRACT_VERSION } from "./contract.ts";
import { cacheResource } from "./generated.ts";
import { caches, clear, clearAll, configure, endSession, type FaultEvent, on, withSession } from "./index.ts";

interface Client {
  readonly id: number;
  open: boolean;
}
const clock = new Clock();
let made = 0;
let released: number[] = [];
let faults: FaultEvent[] = [];
let deaf = () => {};
const connect = (): Client => ({ id: ++made, open: true });
const onRelease = () => (client: Client) => {
  client.open = false;
  released.push(client.id);
};

beforeEach(() => {
  configure({ now: clock.now });
  made = 0;
  released = [];
  faults = [];
  deaf = on("fault", (event) => faults.push(event));
});
afterEach(async () => {
  deaf();
  await caches.close();
  configure({ now: undefined });
});

describe("validate", () => {
  test("is not asked on a miss, and on every hit it gets the value and the arguments", () => {
    const asked: unknown[] = [];
    const open = resource(
      {
        validate:
          () =>
          (...args) =>
            asked.push(args),
      },
      (_url: string) => connect(),
    );
    const client = open("a");
    expect(asked).toEqual([]);
    expect(open("a")).toBe(client);
    open("a");
    expect(asked).toEqual([
      [client, "a"],
      [client, "a"],
    ]);
  });

  test("a no releases the value and makes a new one", () => {
    const open = resource({ validate: () => (client: Client) => client.open, onRelease }, connect);
    const first = open();
    first.open = false;
    expect(open().id).toBe(2);
    expect(released).toEqual([1]);
    expect(open().id).toBe(2);
  });

  test("anything truthy is a yes", () => {
    const open = resource({ validate: () => () => "yes" }, connect);
    expect(open()).toBe(open());
  });

  test("what throws is a no, and a fault", () => {
    const open = resource(
      {
        validate: () => () => {
          throw new Error("broken");
        },
        onRelease,
      },
      connect,
    );
    expect([open().id, open().id]).toEqual([1, 2]);
    expect(released).toEqual([1]);
    expect(faults.map((fault) => fault.code)).toEqual(["validate-failed"]);
  });

  test("of an async function may be async; those who ask at once get one new value", async () => {
    const open = asyncResource(
      { validate: () => (client: Client) => settle().then(() => client.open), onRelease },
      async () => connect(),
    );
    const first = await open();
    expect(await open()).toBe(first);
    first.open = false;
    const clients = await Promise.all(Array.from({ length: 10 }, () => open()));
    expect(clients.map((client) => client.id)).toEqual(Array(10).fill(2));
    await settle();
    expect(released).toEqual([1]);
  });

  test("a promise from the validate of a function that can't wait is an error", () => {
    const open = resource({ validate: () => async () => true }, connect);
    open();
    expect(open).toThrow(expect.objectContaining({ code: "async-validate" }));
  });

  test("a clear while it is being asked wins: nobody is served what is released", async () => {
    const asked = gate<boolean>();
    const open = asyncResource({ validate: () => () => asked.promise, onRelease }, async () => connect());
    await open();
    const second = open();
    clear(open);
    await settle();
    expect(released).toEqual([]);
    asked.open(true);
    expect((await second).id).toBe(2);
    await settle();
    expect(released).toEqual([1]);
  });
});

describe("release", () => {
  test("comes on eviction, the least recently used first", () => {
    const open = resource({ maxEntries: 2, onRelease }, (_n: number) => connect());
    open(1);
    open(2);
    open(1);
    open(3);
    expect(released).toEqual([2]);
    open(4);
    expect(released).toEqual([2, 1]);
  });

  test("comes at the end of its time, without a call", async () => {
    configure({ now: undefined });
    const open = resource({ ttl: 30, onRelease }, connect);
    open();
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(released).toEqual([1]);
  });

  test("comes on clear, of one and of all, also where one hook throws", () => {
    const open = resource(
      {
        onRelease: () => (client: Client) => {
          released.push(client.id);
          if (client.id === 1) throw new Error("stuck");
        },
      },
      (_n: number) => connect(),
    );
    open(1);
    open(2);
    open(3);
    clear(open, 3);
    expect(released).toEqual([3]);
    clear(open);
    expect(released).toEqual([3, 1, 2]);
    expect(faults.map((fault) => fault.code)).toEqual(["release-failed"]);
  });

  test("comes when other code, or another option, takes the site's place", () => {
    const spec = { v: CONTRACT_VERSION, id: freshId("hot"), code: "h1:1", hashed: [], excluded: [], onRelease };
    cacheResource(spec)([], connect);
    cacheResource({ ...spec })([], connect);
    expect(released).toEqual([]);
    cacheResource({ ...spec, maxEntries: 3 })([], connect);
    expect(released).toEqual([1]);
    cacheResource({ ...spec, code: "h1:2", maxEntries: 3 });
    expect(released).toEqual([1, 2]);
  });

  test("comes at the end of a session", () => {
    const open = resource({ scope: "session", onRelease }, connect);
    withSession("a", open);
    withSession("b", open);
    endSession("a");
    expect(released).toEqual([1]);
  });

  test("is the value's own dispose method where there is no hook", async () => {
    const log: string[] = [];
    const plain = resource({}, () => ({ [Symbol.dispose]: () => log.push("dispose") }));
    const both = asyncResource({}, async () => ({
      [Symbol.dispose]: () => log.push("wrong"),
      [Symbol.asyncDispose]: async () => void log.push("asyncDispose"),
    }));
    plain();
    await both();
    await caches.close();
    expect(log).toEqual(["dispose", "asyncDispose"]);
  });

  test("waits until nobody else keeps the same object", () => {
    const shared = connect();
    const open = resource({ onRelease }, (_n: number) => shared);
    open(1);
    open(2);
    clear(open, 1);
    expect(released).toEqual([]);
    clear(open, 2);
    expect(released).toEqual([1]);
  });

  test("a value that an outer resource passes on is not disposed of under the inner one", () => {
    let disposed = 0;
    const inner = resource({}, () => ({ [Symbol.dispose]: () => disposed++ }));
    const outer = resource({}, () => inner());
    outer();
    clear(outer);
    expect(disposed).toBe(0);
    clear(inner);
    expect(disposed).toBe(1);
  });

  test("never comes before those who await the value have it", async () => {
    const opened = gate();
    const open = asyncResource({ onRelease }, async () => {
      await opened.promise;
      return connect();
    });
    const seen: boolean[] = [];
    const callers = Array.from({ length: 5 }, async () => seen.push((await open()).open));
    opened.open();
    // The first microtask after the run has ended, before any caller has its value.
    await opened.promise;
    for (let tick = 0; tick < 20; tick++) {
      await null;
      clear(open);
    }
    await Promise.all(callers);
    expect(seen).toEqual([true, true, true, true, true]);
    await settle();
    clear(open);
    await settle();
    expect(released.length).toBe(made);
  });

  test("may be async; closing waits for it, and for what is being made", async () => {
    const log: string[] = [];
    const open = asyncResource(
      {
        onRelease: () => async (client: Client) => {
          await settle();
          log.push(`released ${client.id}`);
        },
      },
      (_n: number) => settle().then(connect),
    );
    await open(1);
    const making = open(2);
    {
      await using _ = caches;
    }
    expect(log.sort()).toEqual(["released 1", "released 2"]);
    expect((await making).id).toBe(2);
  });

  test("clearing data leaves resources alone", () => {
    const open = resource({ onRelease }, connect);
    open();
    clearAll("data");
    expect(released).toEqual([]);
    clearAll("resource");
    expect(released).toEqual([1]);
  });

  test("a hook may call the function again", () => {
    let again = true;
    const open: (n: number) => Client = resource(
      {
        maxEntries: 1,
        onRelease: () => (client: Client) => {
          released.push(client.id);
          if (again) {
            again = false;
            open(7);
          }
        },
      },
      (_n: number) => connect(),
    );
    open(1);
    open(2);
    expect(released).toEqual([1, 2]);
    expect(open(7).id).toBe(3);
  });
});

test("a generator is refused: the second caller would get an exhausted one", () => {
  const rows = resource({}, () =>
    (function* () {
      yield 1;
    })(),
  );
  expect(rows).toThrow(expect.objectContaining({ code: "generator-result" }));
});
