/** Which grammar a file is written in, by its name; both routes parse by this, so they accept the same files. */

export interface Language {
  readonly typescript: boolean;
  readonly jsx: boolean;
  /**
   * The goals to try, in order; the error shown is that of the first. A `.js` or `.ts` file may be either: the nearest
   * `package.json` or the bundler decides, and most CommonJS parses as a module as well. A `.cts` file may hold ES
   * imports, which TypeScript compiles away.
   */
  readonly goals: readonly Goal[];
}
export type Goal = "module" | "commonjs";

const EXTENSION = /\.([cm]?)([jt])s(x?)$/;

/** `?query` and `#hash`, which bundlers append, don't count. A name with no known extension is JavaScript. */
export function languageOf(filename: string): Language {
  const [, format = "", kind = "j", x = ""] = EXTENSION.exec(filename.replace(/[?#].*$/, "")) ?? [];
  const typescript = kind === "t";
  return {
    typescript,
    // In `.ts`, `<T>x` is a type assertion. JavaScript has no such clash, and `.js` files with JSX are common.
    jsx: typescript ? x === "x" : true,
    goals: format === "m" ? ["module"] : format === "c" && !typescript ? ["commonjs"] : ["module", "commonjs"],
  };
}
