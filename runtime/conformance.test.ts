/**
 * What a user of Streamlit's caching expects, row by row: each row of the list is proved, or says why it means nothing
 * here. The counts are printed at the end.
 */
import { rmSync } from "node:fs";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { calls } from "../fixtures/conformance/calls.ts";
import type { Claim } from "../fixtures/conformance/claims.ts";
import { compiledFolder } from "../fixtures/conformance/compiled.ts";
import { flights } from "../fixtures/conformance/flights.ts";
import { hashing } from "../fixtures/conformance/hashing.ts";
import { knownWrong } from "../fixtures/conformance/known-wrong.ts";
import { lifetimes } from "../fixtures/conformance/lifetimes.ts";
import { stores } from "../fixtures/conformance/stores.ts";
import { ROWS } from "../fixtures/conformance/streamlit-rows.ts";
import { caches, configure } from "./index.ts";

const claims: readonly Claim[] = [...calls, ...hashing, ...lifetimes, ...flights, ...knownWrong, ...stores];
const proved = new Set<number>();

afterEach(async () => {
  await caches.close();
  configure({ now: undefined, maxRefreshes: undefined, refreshCooldown: undefined, maxBytes: undefined });
});

test("every row is answered once", () => {
  const answered = claims.flatMap(({ rows }) => rows).sort((a, b) => a - b);
  expect(answered).toEqual(ROWS.map(([number]) => number).sort((a, b) => a - b));
});

const groups = [...new Set(ROWS.map(([, group]) => group))].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
const groupOf = (claim: Claim) => ROWS.find(([number]) => number === claim.rows[0])?.[1];

describe.each(groups)("%s", (group) => {
  for (const claim of claims.filter((each) => groupOf(each) === group)) {
    const name = `${claim.rows.join(", ")}: ${claim.says}`;
    const { prove } = claim;
    if (prove === undefined) continue;
    test(name, async () => {
      await prove();
      for (const number of claim.rows) proved.add(number);
    });
  }
});

afterAll(() => {
  rmSync(compiledFolder, { recursive: true, force: true });
  const absent = claims.filter(({ prove }) => prove === undefined);
  const lines = ["Streamlit's behaviours", "", "group  rows  K proved  A proved  not here  failed"];
  const total = [0, 0, 0, 0, 0];
  for (const group of groups) {
    const rows = ROWS.filter(([, of]) => of === group);
    const notHere = rows.filter(([number]) => absent.some((claim) => claim.rows.includes(number))).length;
    const [k, a] = (["K", "A"] as const).map(
      (port) => rows.filter((row) => row[2] === port && proved.has(row[0])).length,
    );
    const counts = [
      rows.length,
      k as number,
      a as number,
      notHere,
      rows.length - notHere - (k as number) - (a as number),
    ];
    for (const [at, count] of counts.entries()) total[at] = (total[at] as number) + count;
    lines.push(line(group, counts));
  }
  lines.push(line("all", total), "", "Not here:");
  for (const { rows, says } of absent) lines.push(`  ${rows.join(", ")}: ${says}`);
  process.stdout.write(`${lines.join("\n")}\n`);
});

function line(group: string, counts: readonly number[]): string {
  const widths = [4, 8, 8, 8, 6];
  return `${group.padEnd(5)}  ${counts.map((count, at) => String(count).padStart(widths[at] as number)).join("  ")}`;
}
