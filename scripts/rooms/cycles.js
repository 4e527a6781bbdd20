/**
 * Finds the shortest way round every group of modules that load each other: whichever is loaded first sees the others
 * half made. Type-only imports load nothing, so what an entry holds may be described where it is made.
 *
 * @param {import("./imports.js").Module[]} modules
 * @returns {string[]} one message per group
 */
export function checkCycles(modules) {
  const targets = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports.flatMap(({ target, typeOnly }) => (target === null || typeOnly ? [] : [target])),
    ]),
  );
  const told = new Set();
  const messages = [];
  for (const path of [...targets.keys()].sort()) {
    if (told.has(path)) continue;
    const round = shortestRound(path, targets);
    if (!round) continue;
    for (const each of round) told.add(each);
    messages.push(`import cycle: ${[...round, path].join(" → ")}`);
  }
  return messages;
}

/**
 * @param {string} start
 * @param {Map<string, string[]>} targets
 * @returns {string[] | null} the modules of the round, `start` first
 */
function shortestRound(start, targets) {
  /** @type {Map<string, string | null>} */
  const reachedFrom = new Map([[start, null]]);
  for (const current of reachedFrom.keys()) {
    for (const target of targets.get(current) ?? []) {
      if (target === start) {
        const round = [];
        for (let each = /** @type {string | null | undefined} */ (current); each; each = reachedFrom.get(each))
          round.unshift(each);
        return round;
      }
      if (targets.has(target) && !reachedFrom.has(target)) reachedFrom.set(target, current);
    }
  }
  return null;
}
