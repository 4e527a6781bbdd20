/** What others on the same machine may try with the folder of the disk store. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { testWhere } from "../../fixtures/where.ts";
import { diskStore } from "./disk.ts";
import { suspicionOf } from "./disk-trust.ts";
import type { Store } from "./store.ts";

const top = mkdtempSync(join(tmpdir(), "kept-trust-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let made = 0;
function folder(mode: number): string {
  const path = join(top, `${++made}`);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}
const isRoot = process.getuid?.() === 0;
const STRANGER = 12_345;
const asRoot = testWhere("folders of another user", isRoot ? undefined : "only root can make them");
const onPosix = process.platform === "win32" ? test.skip : test;

const A = { site: "src/a.ts#f", code: "h1:1", key: "n1" };
const ABOUT = { began: 0, until: Number.POSITIVE_INFINITY, tags: ["t"], maxEntries: undefined };
const put = (store: Store, key = "n1") => store.set({ ...A, key }, [Uint8Array.of(1, 2, 3)], ABOUT);

const warnings: string[] = [];
/** They would write at the end of the process, when their folders are gone. */
const open: Store[] = [];
beforeEach(() => {
  jest.spyOn(process, "emitWarning").mockImplementation(((text: string) => void warnings.push(text)) as never);
});
afterEach(() => {
  for (const store of open.splice(0)) store.close();
  jest.restoreAllMocks();
  warnings.length = 0;
});

onPosix("folders and files are for their user alone, whatever the umask allows", () => {
  const dir = join(folder(0o755), "a/b");
  const mask = process.umask(0);
  try {
    const store = diskStore({ dir });
    put(store);
    store.flush();
    store.remove({ tag: "t" });
    store.close();
  } finally {
    process.umask(mask);
  }
  const all = (readdirSync(join(dir, ".."), { recursive: true, encoding: "utf8" }) as string[]).map((path) =>
    join(dir, "..", path),
  );
  expect(all.length).toBeGreaterThan(4);
  for (const path of [join(dir, ".."), ...all]) {
    expect([path, (statSync(path).mode & 0o777).toString(8)]).toEqual([path, statSync(path).isFile() ? "600" : "700"]);
  }
});

describe("a folder that others can fill", () => {
  onPosix("is not used where everybody may write, unless all is sealed; and that is said once", () => {
    const dir = folder(0o777);
    expect(suspicionOf(dir)).toContain("Everybody may write to");
    expect(suspicionOf(join(dir, "not/yet"))).toContain("Everybody may write to");
    const faults: unknown[] = [];
    const store = diskStore({ dir, onFault: (error) => faults.push(error) });
    for (let i = 0; i < 3; i++) {
      put(store);
      expect(store.get(A)).toBeUndefined();
    }
    store.flush();
    expect(readdirSync(dir)).toEqual([]);
    expect(faults).toHaveLength(1);
    expect(warnings).toEqual([expect.stringContaining("configure({ secret })")]);
    const sealed = diskStore({ dir, sealed: true });
    put(sealed);
    expect(sealed.get(A)).toBeDefined();
    sealed.close();
  });

  onPosix("is made at once in a shared one, before others can make it", () => {
    const shared = folder(0o1777);
    const dir = join(shared, "kept/app");
    diskStore({ dir }).close();
    expect((lstatSync(join(shared, "kept")).mode & 0o777).toString(8)).toBe("700");
    expect(suspicionOf(dir)).toBeUndefined();
    // Elsewhere it is made when something is written.
    const own = join(folder(0o755), "kept");
    diskStore({ dir: own }).close();
    expect(existsSync(own)).toBe(false);
  });

  asRoot("is not used if another user has made it in a shared one, or a part of the way, or a link", () => {
    const shared = folder(0o1777);
    const strange = join(shared, "strange");
    mkdirSync(join(strange, "app"), { recursive: true });
    chownSync(strange, STRANGER, STRANGER);
    expect(suspicionOf(strange)).toContain("belongs to another user");
    expect(suspicionOf(join(strange, "app"))).toContain("belongs to another user");
    const mine = folder(0o700);
    execFileSync("ln", ["-s", mine, join(shared, "link")]);
    execFileSync("chown", ["-h", `${STRANGER}`, join(shared, "link")]);
    expect(suspicionOf(join(shared, "link"))).toContain("belongs to another user");
    expect(suspicionOf(mine)).toBeUndefined();
  });

  onPosix("may be reached by a link of one's own; what it leads to is looked at", () => {
    const [good, bad] = [folder(0o700), folder(0o777)];
    const links = folder(0o700);
    symlinkSync(good, join(links, "good"));
    symlinkSync(bad, join(links, "bad"));
    expect(suspicionOf(join(links, "good"))).toBeUndefined();
    expect(suspicionOf(join(links, "bad/x"))).toContain("Everybody may write");
  });

  asRoot("belongs to whom it likes where not everybody may write", () => {
    const dir = folder(0o755);
    chownSync(dir, STRANGER, STRANGER);
    expect(suspicionOf(dir)).toBeUndefined();
  });
});

describe("in a folder where others write, nothing leads out of it", () => {
  const planted = () => {
    const dir = folder(0o755);
    const store = diskStore({ dir });
    open.push(store);
    put(store);
    store.flush();
    const [site] = readdirSync(join(dir, "1")).filter((name) => name.length === 32);
    const place = join(dir, "1", site as string);
    const [file] = readdirSync(place);
    return { dir, store, place, file: join(place, file as string) };
  };
  const attempt = (act: () => unknown) => {
    try {
      return act();
    } catch {
      return undefined;
    }
  };

  onPosix("no link in the place of an entry is followed, to read or to write", () => {
    const { store, file } = planted();
    const secret = join(folder(0o700), "secret");
    writeFileSync(secret, "untouched");
    rmSync(file);
    symlinkSync(secret, file);
    expect(attempt(() => store.get(A))).toBeUndefined();
    put(store);
    store.flush();
    expect(lstatSync(file).isFile()).toBe(true);
    expect(statSync(secret).size).toBe("untouched".length);
  });

  onPosix("nobody waits for a pipe: that would be for ever", () => {
    const { store, file } = planted();
    rmSync(file);
    execFileSync("mkfifo", [file]);
    expect(attempt(() => store.get(A))).toBeUndefined();
  });

  onPosix("no sweep and no clear goes through a link", () => {
    const { dir, store } = planted();
    store.close();
    const elsewhere = folder(0o700);
    const precious = join(elsewhere, "thesis.txt");
    writeFileSync(precious, "x");
    utimesSync(precious, 1, 1);
    symlinkSync(elsewhere, join(dir, "1", "0".repeat(32)));
    rmSync(join(dir, "1", "swept"), { force: true });
    const again = diskStore({ dir, unusedFor: 1000, maxBytes: 1 });
    open.push(again);
    put(again, "n2");
    again.close();
    expect(existsSync(precious)).toBe(true);
    again.remove({});
    expect(existsSync(precious)).toBe(true);
  });
});
