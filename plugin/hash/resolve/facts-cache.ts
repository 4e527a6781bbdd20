/** Facts that outlive the process, by content. */
import { join } from "node:path";
import { versionOfKept } from "../../own-package.ts";
import { FACTS_VERSION } from "../facts.ts";
import type { FactsStore } from "../modules.ts";
import type { PartialFacts } from "../partial-facts.ts";
import { Disk } from "./disk.ts";

/** At some 2 kB each, 20 MB. */
const MOST = 10_000;

export class FactsCache implements FactsStore {
  readonly #disk: Disk;

  /** @param onPending see {@link Disk} */
  constructor(folder: string, onPending?: () => void) {
    // Another version may read the same source another way.
    this.#disk = new Disk(join(folder, `facts-${FACTS_VERSION}-${versionOfKept()}`), MOST, onPending);
  }

  get(key: string): PartialFacts | undefined {
    const content = this.#disk.get(key);
    return content === undefined ? undefined : JSON.parse(content);
  }

  set(key: string, facts: PartialFacts): void {
    this.#disk.set(key, () => JSON.stringify(facts));
  }

  flush(): void {
    this.#disk.flush();
  }
}
