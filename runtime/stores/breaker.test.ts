import { describe, expect, test } from "@jest/globals";
import { Breaker } from "./breaker.ts";

const settings = { failures: 3, within: 1000, pause: 100, maxPause: 400 };
function make() {
  const clock = { at: 0 };
  const breaker = new Breaker(
    settings,
    () => clock.at,
    () => 0.5,
  );
  const fail = (times: number) => Array.from({ length: times }, () => breaker.failed());
  return { clock, breaker, fail };
}

describe("a breaker opens", () => {
  test("at the failures that are too many, and says so once", () => {
    const { breaker, fail } = make();
    expect(fail(4)).toEqual([false, false, true, false]);
    expect(breaker.state).toBe("open");
  });

  test("not while most answers are good", () => {
    const { breaker, fail } = make();
    for (let i = 0; i < 10; i++) breaker.answered();
    expect(fail(9)).not.toContain(true);
    expect(fail(1)).toEqual([true]);
  });

  test("not for failures of long ago", () => {
    const { clock, breaker, fail } = make();
    fail(2);
    clock.at = 1001;
    expect(fail(2)).not.toContain(true);
    clock.at = 1400;
    expect(breaker.failed()).toBe(true);
  });

  test("at once, if told to", () => {
    const { breaker } = make();
    expect([breaker.open(), breaker.open()]).toEqual([true, false]);
  });
});

describe("it is tried again", () => {
  test("after the pause, by one call at a time", () => {
    const { clock, breaker } = make();
    breaker.open();
    clock.at = 99;
    expect(breaker.mayProbe()).toBe(false);
    clock.at = 100;
    expect([breaker.mayProbe(), breaker.mayProbe(), breaker.state]).toEqual([true, false, "probing"]);
    breaker.probed(true);
    expect(breaker.state).toBe("closed");
  });

  test("later and later, up to a bound", () => {
    const { clock, breaker } = make();
    breaker.open();
    const pauses: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      const began = clock.at;
      while (!breaker.mayProbe()) clock.at++;
      pauses.push(clock.at - began);
      breaker.probed(false);
    }
    expect(pauses).toEqual([100, 200, 400, 400, 400]);
  });

  test("later, too, when it has been back for a moment only", () => {
    const { clock, breaker } = make();
    const pause = () => {
      breaker.open();
      const began = clock.at;
      while (!breaker.mayProbe()) clock.at++;
      breaker.probed(true);
      return clock.at - began;
    };
    expect([pause(), pause(), pause()]).toEqual([100, 200, 400]);
    clock.at += 1000;
    expect(pause()).toBe(100);
  });

  test("not by all processes at one time", () => {
    const pauses = [0, 1].map((random) => {
      let at = 0;
      const breaker = new Breaker(
        settings,
        () => at,
        () => random,
      );
      breaker.open();
      while (!breaker.mayProbe()) at++;
      return at;
    });
    expect(pauses).toEqual([75, 125]);
  });

  test("at once, where the program is about to end", () => {
    const { breaker } = make();
    expect(breaker.mayProbe(true)).toBe(false);
    breaker.open();
    expect(breaker.mayProbe(true)).toBe(true);
  });
});
