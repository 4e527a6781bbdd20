import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { noServer, startServer } from "../../scripts/faults/redis-server.js";
import { conformance, withChaos } from "./conformance.ts";
import { redisStore } from "./redis.ts";
import type { Store } from "./store.ts";

if (noServer !== undefined) console.warn(`redisStore is not tested: ${noServer}`);
const described = noServer === undefined ? describe : describe.skip;

let server: Awaited<ReturnType<typeof startServer>>;
const stores: Store[] = [];
let prefixes = 0;
beforeAll(async () => {
  if (noServer === undefined) server = await startServer();
});
afterAll(async () => {
  for (const store of stores) store.close();
  await server?.kill();
});

const A = { site: "src/a.ts#load", code: "h1:1", key: "n1" };
function open(options: Parameters<typeof redisStore>[0] = {}): Store {
  const store = redisStore({ url: server.url, ...options });
  stores.push(store);
  return store;
}

described("conformance", () => {
  const candidate = (options = {}) => {
    const prefix = `p${++prefixes}:`;
    return { store: open({ prefix, ...options }), reopen: () => open({ prefix, ...options }) };
  };
  for (const { name, run } of conformance(candidate)) test(name, run);
  describe("compressed", () => {
    for (const { name, run } of conformance(() => candidate({ compressAbove: 0 }))) test(name, run);
    for (const { name, run } of conformance(() => candidate({ compressAbove: 0, compression: "brotli" }))) {
      if (/large|pieces/.test(name)) test(`${name} (brotli)`, run);
    }
  });
  describe("behind a wrapper that does no mischief", () => {
    for (const { name, run } of conformance(() => {
      const { store, reopen } = candidate();
      return { reopen, store: withChaos(store, { random: () => 0.999 }) };
    }))
      test(name, run);
  });
});
void expect;
void A;
