/** The source around a place, marked. What draws it is loaded when there is something to draw: few builds have anything. */
import { createRequire } from "node:module";
import type { Position } from "./diagnostics.ts";

export function frameOf(source: string, start: Position, end: Position): string {
  return codeFrame().codeFrameColumns(source, locationOf(start, end), { linesAbove: 2, linesBelow: 1 });
}

/** A mark over several lines hides what it marks: only the first line's is shown then. */
function locationOf(start: Position, end: Position) {
  const from = { line: start.line, column: start.column + 1 };
  return end.line === start.line ? { start: from, end: { line: end.line, column: end.column + 1 } } : { start: from };
}

const codeFrame = (): typeof import("@babel/code-frame") => createRequire(import.meta.url)("@babel/code-frame");
