import { createRequire } from "node:module";
import { describe, expect, test } from "@jest/globals";
import { buildSync } from "esbuild";
import * as errors from "./errors.ts";

const { CacheCycleError, ContractError, KeptError, ReplayError, SessionError } = errors;
const { UncopyableResultError, UnhashableArgumentError } = errors;
const site = "src/rides.ts#loadRides";
const refusal = { type: "User", what: "an instance of `User`", why: "Why.", instead: "Instead." };
const unhashable = new UnhashableArgumentError({ site, parameter: "filters", path: "filters.owner" }, refusal);

const CASES: readonly (readonly [Error & { code: string }, new (...args: any[]) => Error, string, RegExp])[] = [
  [
    unhashable,
    UnhashableArgumentError,
    "unhashable-argument",
    /`filters\.owner` is an instance of `User`\. Why\.\n\nInstead\./,
  ],
  [
    new UncopyableResultError({ site, path: "result.a" }, refusal),
    UncopyableResultError,
    "uncopyable-result",
    /`result\.a` is an instance of `User`/,
  ],
  [
    new CacheCycleError(site, ["a(1)", "b(1)", "a(1)"]),
    CacheCycleError,
    "cache-cycle",
    / {2}a\(1\)\n {4}→ b\(1\)\n {6}→ a\(1\)/,
  ],
  [SessionError.outside(site), SessionError, "session", /withSession\(id, \(\) => …\);/],
  [SessionError.badId(5), SessionError, "session", /got 5/],
  [new ContractError(site, 2, 1), ContractError, "contract", /compiled for contract 2 .* speaks 1/],
  [ReplayError.unknown(site, "toast"), ReplayError, "replay", /export const toast = element\("toast", …\);/],
];

describe("an error of the runtime", () => {
  test.each(CASES.map(([error, type, code, words]) => ({ error, type, code, words })))(
    "$type.name says its kind, its code and the user's own function",
    ({ error, type, code, words }) => {
      expect(error).toBeInstanceOf(type);
      expect(error).toBeInstanceOf(KeptError);
      expect(error).toBeInstanceOf(Error);
      expect(error.code).toBe(code);
      expect(error.name).toBe(type.name);
      expect(Object.keys(error)).not.toContain("name");
      expect(error.message).toMatch(words);
      for (const [, other] of CASES) if (other !== type) expect(error).not.toBeInstanceOf(other);
    },
  );

  test("is known by another copy of the package, kind by kind", () => {
    const { outputFiles } = buildSync({
      entryPoints: [new URL("./errors.ts", import.meta.url).pathname],
      bundle: true,
      format: "cjs",
      platform: "node",
      write: false,
    });
    const module = { exports: {} as typeof errors };
    new Function("module", "require", outputFiles[0]!.text)(module, createRequire(import.meta.url));
    const theirs = module.exports;
    expect(theirs.KeptError).not.toBe(KeptError);
    expect(unhashable).toBeInstanceOf(theirs.KeptError);
    expect(unhashable).toBeInstanceOf(theirs.UnhashableArgumentError);
    expect(unhashable).not.toBeInstanceOf(theirs.SessionError);
    expect(new theirs.SessionError("x")).toBeInstanceOf(SessionError);
    expect(new Error("x")).not.toBeInstanceOf(theirs.KeptError);
    expect({ name: "SessionError" }).not.toBeInstanceOf(SessionError);
    class Own extends SessionError {}
    expect(new SessionError("x")).not.toBeInstanceOf(Own);
    expect(new Own("x")).toBeInstanceOf(Own);
  });

  test("shows a long or strange value in brief", () => {
    expect(errors.notCached("clear", "x".repeat(500)).message.length).toBeLessThan(300);
    expect(errors.notCached("clear", () => 1).message).toContain("a function");
    expect(errors.notCached("clear", Symbol("s")).message).toContain("Symbol(s)");
  });
});
