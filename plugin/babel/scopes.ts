/**
 * Babel's record of scopes, brought up to date where the tree was edited: what each plugin behind us believes about a
 * binding. To make it all anew (`scope.crawl()` of the program) would take as long as Babel itself took the first time.
 */
import type { BabelNode } from "./emitted.ts";

/** What is used of Babel's paths and scopes; they are the same in 7.29 and 8. */
interface Path {
  readonly node: BabelNode;
  readonly parentPath: Path | null;
  readonly scope: Scope;
  get(key: string): any;
}
interface Scope {
  crawling: boolean;
  readonly parent: Scope | undefined;
  readonly bindings: Readonly<Record<string, Binding>>;
  crawl(): void;
  getBinding(name: string): Binding | undefined;
  registerDeclaration(path: Path): void;
  removeBinding(name: string): void;
}
interface Binding {
  readonly path: Path;
  referencePaths: Path[];
  referenced: boolean;
  references: number;
  constantViolations: Path[];
  constant: boolean;
  reference(path: Path): void;
}
export interface BabelFile {
  readonly path: Path;
  readonly scope: Scope;
}
type VisitorKeys = Readonly<Record<string, readonly string[]>>;

/** What it did. */
export interface Edited {
  /** Statements that are new at the top of the program. */
  readonly added: readonly BabelNode[];
  /** Names of imports that are gone. */
  readonly removed: readonly string[];
  /** True where statements were added elsewhere too. */
  readonly elsewhere: boolean;
}

/**
 * Runs an edit of the tree, and tells Babel's scopes of it.
 *
 * @param wrapped the functions whose bodies are going to be wrapped
 */
export function editWithScopes(
  file: BabelFile,
  keys: VisitorKeys,
  wrapped: readonly BabelNode[],
  edit: () => Edited,
): void {
  const functions = wrapped.map((node) => pathOf(node, file.path, keys));
  // Of one function in another, the outer one covers both.
  const outer = functions.filter(
    (path) => !functions.some((each) => each && path && each !== path && isInside(path, each)),
  );
  for (const path of outer) if (path) forget(path);
  const edited = edit();
  if (edited.elsewhere || !areKnown(outer)) {
    file.scope.crawl();
    return;
  }
  for (const name of edited.removed) {
    const statement = file.scope.getBinding(name)?.path.parentPath;
    file.scope.removeBinding(name);
    // Those behind it have moved up.
    statement?.get("specifiers");
  }
  register(file, new Set(edited.added));
  for (const path of outer) path.scope.crawl();
}

const areKnown = (paths: (Path | undefined)[]): paths is Path[] => !paths.includes(undefined);

/** The path of a node that its author wrote: down from the program by position. */
function pathOf(node: BabelNode, program: Path, keys: VisitorKeys): Path | undefined {
  const holds = (each: BabelNode | null | undefined): boolean =>
    each != null && each.start <= node.start && node.end <= each.end;
  let path = program;
  while (path.node !== node) {
    const { node: parent } = path;
    const key = keys[parent.type]?.find((field) => {
      const value = parent[field];
      return Array.isArray(value) ? value.some(holds) : holds(value);
    });
    if (key === undefined) return undefined;
    const value = parent[key];
    path = Array.isArray(value) ? path.get(key)[value.findIndex(holds)] : path.get(key);
  }
  return path;
}

function isInside(path: Path, ancestor: Path): boolean {
  for (let at: Path | null = path; at; at = at.parentPath) if (at === ancestor) return true;
  return false;
}

/** Takes back what a function does to the variables around it: looked at again, it would count twice. */
function forget(fn: Path): void {
  const isElsewhere = (path: Path): boolean => !isInside(path, fn);
  for (let scope = fn.scope.parent; scope; scope = scope.parent)
    for (const binding of Object.values(scope.bindings)) {
      binding.referencePaths = binding.referencePaths.filter(isElsewhere);
      binding.references = binding.referencePaths.length;
      binding.referenced = binding.references > 0;
      binding.constantViolations = binding.constantViolations.filter(isElsewhere);
      binding.constant = binding.constantViolations.length === 0;
    }
}

/** New statements of the program: first the names, then what refers to them. */
function register({ path: program, scope }: BabelFile, added: ReadonlySet<BabelNode>): void {
  // A new function would look for its names as soon as it has a path.
  scope.crawling = true;
  const paths: Path[] = program.get("body").filter((each: Path) => added.has(each.node));
  scope.crawling = false;
  for (const path of paths) scope.registerDeclaration(path);
  for (const path of paths) {
    if (path.node.type === "FunctionDeclaration") path.scope.crawl();
    else if (path.node.type === "VariableDeclaration")
      for (const declarator of path.get("declarations")) {
        const callee: Path = declarator.get("init.callee");
        scope.getBinding(callee.node.name)?.reference(callee);
      }
  }
}
