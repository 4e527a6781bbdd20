/** Next.js has a `"use cache"` of its own. In a project that has Next.js, that is what it means. */
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Diagnostic } from "./core/diagnostics.ts";

const known = new Map<string, boolean>();

/** The diagnostics without the question which directive `"use cache"` was meant to be, where Next.js answers it. */
export function besideNext(diagnostics: readonly Diagnostic[], root: string): readonly Diagnostic[] {
  const isAsked = diagnostics.some(({ code }) => code === "ambiguous-directive");
  return isAsked && hasNext(root) ? diagnostics.filter(({ code }) => code !== "ambiguous-directive") : diagnostics;
}

function hasNext(root: string): boolean {
  let has = known.get(root);
  if (has === undefined) known.set(root, (has = canResolve("next/package.json", root)));
  return has;
}

function canResolve(specifier: string, root: string): boolean {
  try {
    createRequire(join(root, "package.json")).resolve(specifier);
    return true;
  } catch {
    return false;
  }
}
