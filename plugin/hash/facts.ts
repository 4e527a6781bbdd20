/**
 * The words of the code hash: what is known about one module from its source alone. Plain data, so that it can be kept
 * on disk by content; equal on both routes, since both read into one IR.
 */

/** Raised when facts of old can't be used any more. */
export const FACTS_VERSION = 4;

/** One top-level declarator, function, class, enum, namespace or statement. */
export interface Unit {
  /** Of its canonical text, in which the k-th distinct dependency is `@k`. */
  readonly digest: string;
  /** The dependencies, in that order. */
  readonly refs: readonly Ref[];
  /** What it declares; empty for an effect. */
  readonly names: readonly string[];
  /** 1-based, for people. */
  readonly line: number;
  /** What can't be followed: the bytes of the module's file closure are taken instead. */
  readonly unknowns: readonly Unknown[];
  /** Dotted paths from globals (`process.env.X`) that a build may replace by a value. */
  readonly globals: readonly string[];
}

export interface Unknown {
  readonly what: "eval" | "new Function" | "with" | "import()" | "require()" | "import.meta.glob()";
  readonly line: number;
}

/** Where a dependency leads. `names` is a path of exported names and members: `[]` is the whole namespace. */
export type Ref =
  | { readonly to: "binding"; readonly name: string }
  | { readonly to: "unit"; readonly index: number }
  | { readonly to: "module"; readonly from: string; readonly names: readonly string[]; readonly bytes?: true }
  /** What the module itself exports, by CommonJS: `exports.a` inside of a function. */
  | { readonly to: "exports"; readonly names: readonly string[] }
  | { readonly to: "asset"; readonly from: string }
  /** Every file that fits one of the patterns: `./locales/*.ts`. */
  | { readonly to: "files"; readonly patterns: readonly string[] }
  | { readonly to: "jsx"; readonly from: string | null };

/** A name of the module's top level. */
export interface BindingFacts {
  /** The units that declare it, and which of their names it is. */
  readonly declared: readonly (readonly [unit: number, index: number])[];
  /** Functions that assign it or change what it holds. Their order says nothing. */
  readonly contributors: readonly number[];
  /** Units that do so while the module is loaded, in that order. */
  readonly running: readonly number[];
}

export type ExportFacts =
  | { readonly binding: string }
  /** `name` null: the namespace. */
  | { readonly from: string; readonly name: string | null; readonly bytes?: true };

export interface ModuleFacts {
  readonly units: readonly Unit[];
  readonly bindings: Readonly<Record<string, BindingFacts>>;
  readonly exports: Readonly<Record<string, ExportFacts>>;
  /** `export * from`. */
  readonly stars: readonly string[];
  /** `import "./x"`. */
  readonly imported: readonly string[];
  /** Every specifier that is loaded at run time, for the file closure. */
  readonly specifiers: readonly string[];
  /** Effect statements that touch more than bindings of the module: every unit depends on them. */
  readonly residue: readonly number[];
  /** Whatever does more than make a value when the module is loaded. */
  readonly effects: readonly number[];
  /** By unit: how many of those that change what it reads or changes come before it. */
  readonly places: Readonly<Record<number, string>>;
  /** Exports by assignment: `named`, each can be told apart; `whole`, who imports one gets all. */
  readonly commonjs: "named" | "whole" | null;
}

/** The binding that stands for `export default <expression>`. */
export const DEFAULT = "*default*";
