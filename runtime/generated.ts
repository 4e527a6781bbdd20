/**
 * `kept/runtime`: what generated code calls, and nobody else. See contract.ts.
 *
 * They are constants, not declarations: where modules import each other in a circle, generated code finds them missing
 * rather than half ready, and makes its site later.
 */
import { callOf } from "./cache.ts";
import type { MakeSite, Mark } from "./contract.ts";
import { connect, mark as markFunction, register } from "./registry.ts";
import { installSpinner } from "./spinner.ts";

installSpinner();

export const cacheData: MakeSite = (spec) => {
  const site = register("data", spec);
  return connect(callOf(site), site);
};

export const cacheResource: MakeSite = (spec) => {
  const site = register("resource", spec);
  return connect(callOf(site), site);
};

export const mark: Mark = markFunction;
