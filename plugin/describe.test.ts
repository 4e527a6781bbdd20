import { describe, expect, test } from "@jest/globals";
import { type DescribeOptions, describeSites, siteSerializer } from "./describe.ts";
import { transform } from "./index.ts";

const options = { filename: "/project/src/rides.ts", root: "/project" };
const source = (parameters: string, extra = "") => `
import { cacheOptions } from "kept";
export async function load(${parameters}) {
  "use cache data";
  cacheOptions({ ttl: "1h", maxEntries: 10 });
  return fetch(url);${extra}
}
const make = (step: number) => {
  const add = (n: number) => { "use cache data"; return n + step; };
  return add;
};
`;

describe.each(["swc", "babel"] as const)("describeSites, %s", (route) => {
  const text = (code: string, more: Partial<DescribeOptions> = {}) =>
    describeSites(code, { ...options, route, ...more });

  test("is a text that a person can read", () => {
    expect(text(source("url: string, _db: Db"))).toBe(
      [
        "src/rides.ts#load: data",
        "  keyed by   url",
        "  not keyed  _db",
        "  options    maxEntries: 10, ttl: 1h",
        "",
        "src/rides.ts#make.add: data",
        "  keyed by   n, step (captured)",
      ].join("\n"),
    );
  });

  test("shows a parameter that is added to the key", () => {
    const before = text(source("url: string, _db: Db"));
    expect(text(source("url: string, _db: Db, trace: string"))).not.toBe(before);
    expect(text(source("url: string, _db: Db, _trace: string"))).not.toBe(before);
  });

  test("stays the same when the body changes, unless the hash is asked for", () => {
    const parameters = "url: string, _db: Db";
    const edited = source(parameters, " // and more").replace("fetch(url)", "fetch(all)");
    expect(text(edited)).toBe(text(source(parameters)));
    expect(text(edited, { code: true })).not.toBe(text(source(parameters), { code: true }));
    expect(text(edited, { code: true })).toMatch(/^ {2}code {7}h1:[0-9a-f]{32}$/m);
  });

  test("prints options as they are written", () => {
    const code = `
import { cacheOptions } from "kept";
export const connect = (url: string) => {
  "use cache resource";
  cacheOptions({ ttl: "1d90.5s", onRelease: (client) => client.close(), tags: ["db"] });
  return open(url);
};`;
    expect(text(code)).toContain('  options    onRelease: code, tags: ["db"], ttl: 1d1m30s500ms');
  });

  test("says nothing of a file without a directive", () => {
    expect(text("export const a = 1;")).toBe("");
  });
});

test("refuses an option that nobody would read", () => {
  expect(() => describeSites("", { ...options, codes: true } as DescribeOptions)).toThrow(
    "unknown plugin option `codes`",
  );
});

test("the serializer prints sites, and leaves other values alone", () => {
  const { sites } = transform(source("url: string"), options)!;
  expect(siteSerializer.test(sites)).toBe(true);
  expect(siteSerializer.serialize(sites)).toBe(describeSites(source("url: string"), options));
  for (const other of [[], [1], null, "text", [{ id: "a" }]]) expect(siteSerializer.test(other)).toBe(false);
});
