/**
 * Writes `docs/diagnostics.md` from the catalogue of diagnostics and their fixtures, so that what a user reads there is
 * what the compiler says.
 *
 *     node scripts/docs.js [--check]
 *
 * `--check` writes nothing, and fails where the page is out of date.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadCompiler } from "./compiler.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, "docs/diagnostics.md");
const fixtures = join(root, "fixtures/refusals");

const { transform, TransformError, CATALOGUE } = await loadCompiler("plugin/index.ts", "plugin/core/diagnostics.ts");
const text = writePage();
if (!process.argv.includes("--check")) writeFileSync(page, text);
else if (!existsSync(page) || readFileSync(page, "utf8") !== text) {
  console.error("docs/diagnostics.md is out of date. Write it anew:\n\n  node scripts/docs.js");
  process.exitCode = 1;
}

/** @typedef {{ code: string, severity: string, message: string, frame: string, fix: string, loc: { file: string } }} Diagnostic */
/** @typedef {{ extension: string, source: string }} Fixed */

function writePage() {
  const codes = Object.keys(CATALOGUE).sort();
  const entries = codes.map((code) => ({ code, severity: CATALOGUE[code].severity, causes: causesOf(code) }));
  const rows = entries.map(({ code, severity, causes: [first] }) => {
    if (!first) throw new Error(`fixtures/refusals/${code}: no file earns this code`);
    return `| [\`${code}\`](#${code}) | ${severity} | ${cell(first.said.message)} |`;
  });
  return [
    "<!-- Written by scripts/docs.js from plugin/core/diagnostics.ts and fixtures/refusals/. -->",
    "",
    "# Diagnostics",
    "",
    "Everything that Kept's compiler says. An **error** stops the build: what it points at can't be cached, or would not be,",
    "without a word. Nothing of the file is changed then. A **warning** is printed, and the build goes on. Both hosts of the",
    "compiler, Babel and SWC, say the same at the same place; `TransformError.diagnostics` and the `diagnostics` of a",
    "`TransformResult` hold them as `{ code, severity, message, loc, frame, fix }`.",
    "",
    "| code | severity | for example |",
    "|---|---|---|",
    ...rows,
    "",
    ...entries.flatMap(({ code, severity, causes }) => [
      `## ${code}`,
      "",
      `*${severity}*`,
      "",
      ...causes.flatMap(({ said, fixed }, index) => [...section(said, causes[index - 1]?.said), ...after(fixed)]),
    ]),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

/**
 * One cause: what is said, where, and, unless the cause before it had the same, what to do.
 *
 * @param {Diagnostic} said
 * @param {Diagnostic | undefined} before
 */
function section(said, before) {
  return [
    `**${said.message.replace(/\*/g, "\\*")}**`,
    "",
    "```text",
    ...said.frame.split("\n").map((line) => line.trimEnd()),
    "```",
    "",
    ...(said.fix === before?.fix ? [] : [proseAndCode(said.fix), ""]),
  ];
}

/** @param {Fixed | undefined} fixed */
function after(fixed) {
  if (!fixed) return [];
  const { extension, source } = fixed;
  return [
    "<details><summary>The file with that done</summary>",
    "",
    `\`\`\`${extension}`,
    source.trimEnd(),
    "```",
    "",
    "</details>",
    "",
  ];
}

/**
 * Indented paragraphs are code.
 *
 * @param {string} fix
 */
function proseAndCode(fix) {
  return fix
    .split(/\n\n/)
    .map((part) => (part.startsWith("  ") ? `\`\`\`ts\n${part.replace(/^ {2}/gm, "")}\n\`\`\`` : part))
    .join("\n\n");
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll("|", "\\|");
}

/**
 * @param {string} code
 * @returns {{ said: Diagnostic, fixed?: Fixed }[]}
 */
function causesOf(code) {
  const folder = join(fixtures, code);
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  return files
    .filter((file) => !/\.fixed\.|\.txt$/.test(file))
    .map((file) => {
      const said = say(readFileSync(join(folder, file), "utf8"), file).find((each) => each.code === code);
      if (!said) throw new Error(`fixtures/refusals/${code}/${file} does not earn this code`);
      const extension = file.slice(file.lastIndexOf(".") + 1);
      const fixed = join(folder, file.replace(/\.(\w+)$/, ".fixed.$1"));
      if (!existsSync(fixed)) return { said };
      return { said, fixed: { extension, source: readFileSync(fixed, "utf8") } };
    });
}

/**
 * @param {string} source
 * @param {string} file
 * @returns {readonly Diagnostic[]}
 */
function say(source, file) {
  try {
    return transform(source, { filename: `/project/${file}`, root: "/project" })?.diagnostics ?? [];
  } catch (error) {
    if (error instanceof TransformError) return /** @type {any} */ (error).diagnostics;
    throw error;
  }
}
