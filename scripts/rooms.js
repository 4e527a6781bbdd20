/**
 * Checks that the sources keep to ARCHITECTURE.md: the import law, no cycles, a caption for every file.
 *
 *     node scripts/rooms.js
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { checkRooms } from "./rooms/check.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = readSources(["plugin", "runtime", "scripts"]);
const violations = checkRooms({
  sources,
  architecture: readFileSync(join(root, "ARCHITECTURE.md"), "utf8"),
  manifest: JSON.parse(readFileSync(join(root, "package.json"), "utf8")),
});
for (const violation of violations) console.error(violation);
console.log(`Rooms: ${Object.keys(sources).length} files, ${violations.length} violation(s).`);
if (violations.length > 0) process.exitCode = 1;

/**
 * @param {string[]} rooms
 * @returns {Record<string, string>}
 */
function readSources(rooms) {
  const paths = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.[cm]?[jt]sx?$/.test(name) && !/\.d\.[cm]?ts$/.test(name))
      .map((name) => [room, ...name.split(sep)].join("/")),
  );
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(root, path), "utf8")]));
}
