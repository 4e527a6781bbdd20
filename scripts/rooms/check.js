import { checkCaptions } from "./captions.js";
import { checkCycles } from "./cycles.js";
import { readModule } from "./imports.js";
import { checkLaw, checkNames, checkPackages, checkTargets, isTest } from "./law.js";

/**
 * Everything that ARCHITECTURE.md promises and that can be read off the sources.
 *
 * @param {object} tree
 * @param {Record<string, string>} tree.sources path from the root → text, of plugin/, runtime/ and scripts/
 * @param {string} tree.architecture
 * @param {Parameters<typeof checkPackages>[1]} tree.manifest
 * @returns {string[]} one message per violation; none when all is well
 */
export function checkRooms({ sources, architecture, manifest }) {
  const modules = Object.entries(sources).map(([path, source]) => readModule(path, source));
  const untested = modules.filter(({ path }) => !isTest(path));
  return [
    ...checkLaw(modules),
    ...checkTargets(modules),
    ...checkPackages(modules, manifest),
    ...checkCycles(untested),
    ...checkNames(modules),
    ...checkCaptions(architecture, untested.map(({ path }) => path).sort()),
  ];
}
