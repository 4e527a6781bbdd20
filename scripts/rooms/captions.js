/**
 * @param {string} architecture the text of ARCHITECTURE.md
 * @param {string[]} paths every source file that needs a caption
 * @returns {string[]} one message per fault
 */
export function checkCaptions(architecture, paths) {
  const captions = readCaptions(architecture);
  const captioned = new Set(captions.map(({ path }) => path));
  const existing = new Set(paths);
  return [
    ...paths.filter((path) => !captioned.has(path)).map((path) => `ARCHITECTURE.md captions no ${path}`),
    ...captions
      .filter(({ path }) => !existing.has(path))
      .map(({ path }) => `ARCHITECTURE.md captions ${path}, which is gone`),
    ...captions
      .filter(({ words }) => words.length < 10)
      .map(({ path }) => `ARCHITECTURE.md says nothing about ${path}`),
    ...captions
      .filter(({ path }, index) => captions.findIndex((other) => other.path === path) !== index)
      .map(({ path }) => `ARCHITECTURE.md captions ${path} twice`),
  ];
}

/**
 * A caption is a list item: "- `runtime/key.ts` — what it does". An item without the dash is of another list.
 *
 * @param {string} architecture
 */
function readCaptions(architecture) {
  return [...architecture.matchAll(/^[-*] `((?:plugin|runtime|scripts)\/[^`\s]+\.[cm]?[jt]sx?)` —(.*)$/gm)].map(
    ([, path = "", rest = ""]) => ({ path, words: rest.trim() }),
  );
}
