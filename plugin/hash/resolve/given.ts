/** Source that hosts handed over, which need not be what is on disk: it holds until the file changes. */
import { digest } from "../digest.ts";
import type { Files } from "./files.ts";

interface Handed {
  readonly source: string;
  readonly digest: string;
  /** Of what was on disk then. */
  readonly disk: string;
}

export class Given {
  readonly #files: Files;
  readonly #handed = new Map<string, Handed>();

  constructor(files: Files) {
    this.#files = files;
  }

  /** Gives the digest of the source. */
  set(path: string, source: string): string {
    const before = this.#handed.get(path);
    const content = before?.source === source ? before.digest : digest(source);
    this.#handed.set(path, { source, digest: content, disk: this.#files.read(path).digest });
    return content;
  }

  get(path: string): Handed | undefined {
    return this.#handed.get(path);
  }

  /** Of what stands for the file: what was given, or else what is on disk. */
  digestOf(path: string): string {
    return this.#handed.get(path)?.digest ?? this.#files.read(path).digest;
  }

  /** The file may be another now. */
  review(path: string): void {
    const handed = this.#handed.get(path);
    if (handed && handed.disk !== this.#files.read(path).digest) this.#handed.delete(path);
  }
}
