/**
 * Facts of which units are made when somebody asks for them, and which hold on to no tree: of a file that is only reached,
 * most units are never asked for, and the text of all would be most of what its facts cost.
 */
import type { ModuleFacts, Unit } from "./facts.ts";

/** As they are kept: what has not been made is `null`. Plain data. */
export type PartialFacts = Omit<ModuleFacts, "units" | "specifiers"> & {
  readonly units: readonly (Unit | null)[];
  readonly specifiers: readonly string[] | null;
};

/**
 * @param all gives the facts with everything that can be asked for; they are asked again each time, and not held
 * @param onMade called when something is there that had not been made before
 */
export function completed(facts: PartialFacts, all: () => ModuleFacts, onMade: () => void): ModuleFacts {
  const units: Unit[] = [];
  for (const [index, unit] of facts.units.entries()) {
    if (unit) units[index] = unit;
    else lazily(units, index, () => all().units[index], onMade);
  }
  const made = { ...facts, units };
  if (facts.specifiers === null) lazily(made, "specifiers", () => all().specifiers, onMade);
  return made as ModuleFacts;
}

/** What has been made of them. */
export function madeOf(facts: ModuleFacts): PartialFacts {
  const units = Array.from({ length: facts.units.length }, (_, index) =>
    isMade(facts.units, index) ? (facts.units[index] ?? null) : null,
  );
  return { ...cheapOf(facts), units, specifiers: isMade(facts, "specifiers") ? facts.specifiers : null };
}

/** Of facts that have just been read. */
export const noneMadeOf = (facts: ModuleFacts): PartialFacts => ({
  ...cheapOf(facts),
  units: new Array(facts.units.length).fill(null),
  specifiers: null,
});

/** All that is there from the start. */
function cheapOf(facts: ModuleFacts): Omit<ModuleFacts, "units" | "specifiers"> {
  const { bindings, exports, stars, imported, residue, effects, places, commonjs } = facts;
  return { bindings, exports, stars, imported, residue, effects, places, commonjs };
}

const isMade = (list: object, key: PropertyKey): boolean => !Object.getOwnPropertyDescriptor(list, key)?.get;

function lazily(owner: object, key: PropertyKey, make: () => unknown, onMade: () => void): void {
  Object.defineProperty(owner, key, {
    get() {
      const value = make();
      Object.defineProperty(owner, key, { value, enumerable: true });
      onMade();
      return value;
    },
    enumerable: true,
    configurable: true,
  });
}
