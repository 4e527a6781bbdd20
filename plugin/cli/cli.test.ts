/** `kept why` in ten edits of the fixture app's git history, and the commands as a user runs them. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Cause, compare } from "./compare.ts";
import { scan } from "./scan.ts";
import { checkOut } from "./states.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));
let root: string;

function git(...args: string[]): string {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...args], { cwd: root, encoding: "utf8" });
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "kept-cli-"));
  cpSync(join(repository, "fixtures/apps/hashing"), root, { recursive: true });
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-q", "-m", "The app");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const kept = (...args: string[]) => {
  const env = { ...process.env, NODE_OPTIONS: "" };
  return spawnSync(process.execPath, [join(repository, "dist/plugin/cli/index.js"), ...args], {
    cwd: root,
    encoding: "utf8",
    env,
  });
};

function edit(path: string, from: string, to: string): void {
  const file = join(root, path);
  const before = readFileSync(file, "utf8");
  if (!before.includes(from)) throw new Error(`${path} doesn't hold ${from}`);
  writeFileSync(file, before.replace(from, to));
}

interface Step {
  readonly name: string;
  readonly change: () => void;
  /** The functions that are invalidated, and for one of them the reason. */
  readonly invalidates: readonly string[];
  readonly cause?: Pick<Cause, "what" | "title" | "path">;
}

const STEPS: readonly Step[] = [
  {
    name: "a helper behind a barrel",
    change: () => edit("src/money/format.ts", "round(amount, 2)", "round(amount, 3)"),
    invalidates: ["src/cached/report.ts#report"],
    cause: {
      what: "changed",
      title: "src/money/format.ts#formatMoney",
      path: ["src/cached/report.ts#report", "src/money/format.ts#formatMoney"],
    },
  },
  {
    name: "an unrelated function of a file in use",
    change: () => edit("src/orders/filter.ts", "each.country === country", "each.country !== country"),
    invalidates: [],
  },
  {
    name: "a key of a JSON file",
    change: () => edit("data/rates.json", '"mid": 0.86', '"mid": 0.87'),
    invalidates: ["src/cached/prices.ts#grossPrice"],
    cause: {
      what: "changed",
      title: "data/rates.json#GBP.mid",
      path: [
        "src/cached/prices.ts#grossPrice",
        "src/money/convert.ts#convert",
        "src/money/convert.ts#rateOf",
        "data/rates.json#GBP.mid",
      ],
    },
  },
  {
    name: "a key that nobody reads",
    change: () => edit("data/rates.json", "2026-01-01", "2026-02-02"),
    invalidates: [],
  },
  {
    name: "a superclass",
    change: () => edit("src/search/store.ts", "known.push(at)", "known.unshift(at)"),
    invalidates: ["src/cached/search.ts#openIndex"],
    cause: {
      what: "changed",
      title: "src/search/store.ts#Store",
      path: ["src/cached/search.ts#openIndex", "src/search/index-file.ts#Index", "src/search/store.ts#Store"],
    },
  },
  {
    name: "a statement that fills a registry",
    change: () => edit("src/shipping/carriers.ts", '"north", "south"', '"north"'),
    invalidates: ["src/cached/shipping.ts#Shipping.static.quote"],
    cause: {
      what: "changed",
      title: "src/shipping/carriers.ts#line 5",
      path: [
        "src/cached/shipping.ts#Shipping.static.quote",
        "src/shipping/carriers.ts#carriers",
        "src/shipping/carriers.ts#line 5",
      ],
    },
  },
  {
    name: "the writer of a reassigned let",
    change: () => edit("src/infra/log.ts", "logger = next;", "logger = next ?? logger;"),
    invalidates: ["src/cached/orders.ts#loadOrders", "src/cached/orders.ts#countOrders", "src/cached/report.ts#report"],
    cause: {
      what: "changed",
      title: "src/infra/log.ts#setLogger",
      path: [
        "src/cached/orders.ts#loadOrders",
        "src/infra/source.ts#fetchOrders",
        "src/infra/retry.ts#retry",
        "src/infra/log.ts#log",
        "src/infra/log.ts#logger",
        "src/infra/log.ts#setLogger",
      ],
    },
  },
  {
    name: "a file moved, its importers adjusted, comments added",
    change: () => {
      renameSync(join(root, "src/infra/wait.ts"), join(root, "src/numbers/pause.ts"));
      edit("src/infra/retry.ts", "./wait.ts", "../numbers/pause.ts");
      edit("src/numbers/pause.ts", "export const wait", "// In ms.\nexport const wait");
    },
    invalidates: [],
  },
  {
    name: "what an import for its effect does",
    change: () => edit("src/infra/polyfill.ts", "this.toString()", "this.toString(10)"),
    invalidates: ["src/cached/report.ts#report", "src/cached/prices.ts#grossPrice", "src/cached/prices.ts#netPrice"],
    cause: {
      what: "changed",
      title: "src/infra/polyfill.ts#line 1",
      path: [
        "src/cached/prices.ts#netPrice",
        "src/tax/included.ts#includedVat",
        "src/geo/countries.ts#countryOf",
        "src/geo/countries.ts#residue",
        "src/infra/polyfill.ts#line 1",
      ],
    },
  },
  {
    name: "a member of an enum, and a new dependency",
    change: () => {
      edit("src/ui/theme.ts", "scale: 1.25", "scale: base * 1.25");
      edit("src/ui/theme.ts", "export const theme", "const base = 2;\nexport const theme");
    },
    invalidates: ["src/cached/labels.tsx#renderLabel"],
    cause: {
      what: "new",
      title: "src/ui/theme.ts#base",
      path: [
        "src/cached/labels.tsx#renderLabel",
        "src/ui/label.tsx#Label",
        "src/ui/theme.ts#theme",
        "src/ui/theme.ts#base",
      ],
    },
  },
];

describe("kept why, commit by commit", () => {
  test.each(STEPS)(
    "$name",
    ({ name, change, invalidates, cause }) => {
      change();
      git("add", "-A");
      git("commit", "-q", "-m", name);
      for (const route of ["swc", "babel"] as const) {
        const before = checkOut(root, "HEAD~1");
        const after = checkOut(root, "HEAD");
        try {
          const { changed, compared } = compare(scan({ root: before.root, route }), scan({ root: after.root, route }));
          expect(compared).toBe(12);
          expect(changed.map(({ id }) => id).sort()).toEqual([...invalidates].sort());
          if (!cause) continue;
          const { causes } = changed.find(({ id }) => id === cause.path[0])!;
          expect(causes).toContainEqual(expect.objectContaining(cause));
        } finally {
          before.remove();
          after.remove();
        }
      }
      // The same, as a user asks for it.
      const diff = kept("diff", "HEAD~1", "HEAD", "--fail-on-change", "--json");
      expect(diff.status).toBe(invalidates.length > 0 ? 1 : 0);
      const found: { changed: readonly { id: string; causes: readonly Cause[] }[] } = JSON.parse(diff.stdout);
      expect(found.changed.map(({ id }) => id).sort()).toEqual([...invalidates].sort());
      const asked = cause?.path[0] ?? "src/cached/report.ts#report";
      const why = kept("why", asked, "--since", "HEAD~1");
      expect(why.status).toBe(0);
      if (!cause) expect(why.stdout).toBe(`${asked}: the same code as at HEAD~1.\n`);
      else {
        // A line a step, each further in than the one before.
        const way = cause.path
          .map((title, depth) => `${"  ".repeat(depth + 1)}${depth > 0 ? "→ " : ""}${title}\n`)
          .join("");
        expect(`${why.stdout}\n`).toContain(way);
        const words = cause.what === "new" ? "is reached now" : "changed";
        const title = cause.title.replace(/[.*#]/g, "\\$&");
        expect(why.stdout).toMatch(new RegExp(`^${title}(?: \\(line \\d+\\))? ${words}$`, "m"));
      }
    },
    60_000,
  );
});

describe("the command", () => {
  test("explain prints keys, options and the tree with its reasons", () => {
    const { stdout, status } = kept("explain", "src/cached/report.ts#report");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^src\/cached\/report\.ts#report {2}"use cache data"\n {2}hash {6}h1:[\da-f]{32}\n {2}keyed {5}year\n/,
    );
    expect(stdout).toContain('options   {"ttl":3600000}');
    expect(stdout).toContain("src/money/format.ts#formatMoney  (used)");
    expect(stdout).toContain("src/infra/log.ts#setLogger  (assigns it or changes it)");
    expect(stdout).not.toContain("reportTitle");
    const { sites } = JSON.parse(kept("explain", "src/cached/report.ts", "--json").stdout);
    expect(sites.map((site: { id: string }) => site.id)).toEqual([
      "src/cached/report.ts#report",
      "src/cached/report.ts#reportTitle",
    ]);
  });

  test("why says what changed since a commit, and diff what is invalidated, also of uncommitted changes", () => {
    edit("src/numbers/sum.ts", "total += value", "total -= value");
    const { stdout } = kept("why", "report", "--since", "HEAD");
    expect(stdout).toContain(
      "src/numbers/sum.ts#sum (line 1) changed\n  src/cached/report.ts#report\n    → src/orders/sum.ts#sumOrders\n      → src/numbers/sum.ts#sum",
    );
    const diff = kept("diff", "HEAD", "--fail-on-change");
    expect(diff.status).toBe(1);
    expect(diff.stdout).toMatch(
      /^\*\*This change invalidates 2 of 12 cached functions\*\*, because:\n\n- `src\/numbers\/sum\.ts#sum` changed: /,
    );
    git("checkout", "-q", "--", ".");
    const none = kept("diff", "HEAD", "--fail-on-change");
    expect(none.stdout.trim()).toBe("**This change invalidates none of 12 cached functions.**");
    expect(none.status).toBe(0);
    expect(JSON.parse(kept("diff", "HEAD~1", "HEAD", "--json").stdout).changed).toHaveLength(1);
  });

  test("refuses what it does not know, with a suggestion", () => {
    expect(kept("explian", "x").stderr).toContain("Did you mean `explain`?");
    expect(kept("explain", "src/cached/report.ts#reprot").stderr).toContain("Did you mean `report`?");
    expect(kept("why", "reprot", "--since", "HEAD").stderr).toContain("Did you mean `report`?");
    expect(kept("diff", "nowhere").status).toBe(2);
    expect(kept("why", "report").stderr).toContain("--since");
  });
});
