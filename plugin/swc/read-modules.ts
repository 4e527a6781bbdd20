/** Imports and exports, and the declarations of TypeScript that run. */
import type {
  EnumMember,
  ExportSpecifier,
  Expression,
  ImportAttribute,
  ImportEquals,
  ImportSpecifier,
  Namespace,
  Statement,
} from "../core/ir.ts";
import { cookString } from "../core/literals.ts";
import { readClass, readFunction } from "./read-functions.ts";
import { readIdentifier, stringOf } from "./read-patterns.ts";
import type { Raw, Reader } from "./reader.ts";

export function readModuleItem(r: Reader, raw: Raw): Statement | null {
  switch (raw.type) {
    case "ImportDeclaration":
      return readImport(r, raw);
    case "ExportDeclaration":
      return readExportedDeclaration(r, raw);
    case "ExportNamedDeclaration":
      return readExport(r, raw);
    case "ExportDefaultDeclaration":
      return readExportDefault(r, raw);
    case "ExportDefaultExpression":
      return r.make("ExportDefault", raw, { declaration: r.expression(raw.expression) });
    case "ExportAllDeclaration":
      if (raw.typeOnly) return null;
      return r.make("ExportAll", raw, {
        exported: null,
        source: stringOf(r, raw.source),
        attributes: readAttributes(r, raw),
      });
    case "TsImportEqualsDeclaration":
      return readImportEquals(r, raw);
    case "TsExportAssignment":
      return r.make("ExportAssignment", raw, { expression: r.expression(raw.expression) });
    case "TsNamespaceExportDeclaration":
      return null;
    case "TsEnumDeclaration":
      return r.make("Enum", raw, {
        isConst: Boolean(raw.isConst),
        id: readIdentifier(r, raw.id),
        members: raw.members.map((each: Raw) => readEnumMember(r, each)),
      });
    case "TsModuleDeclaration":
      return raw.global || raw.id.type === "StringLiteral" ? null : readNamespace(r, raw);
    default:
      throw r.unknown(raw);
  }
}

function readImport(r: Reader, raw: Raw): Statement | null {
  if (raw.typeOnly) return null;
  const specifiers: ImportSpecifier[] = raw.specifiers
    .filter((each: Raw) => !each.isTypeOnly)
    .map((each: Raw) => readImportSpecifier(r, each));
  if (raw.specifiers.length > 0 && specifiers.length === 0) return null;
  return r.make("Import", raw, {
    source: stringOf(r, raw.source),
    phase: phaseOf(raw),
    specifiers,
    attributes: readAttributes(r, raw),
  });
}

export const phaseOf = (raw: Raw): "source" | "defer" | null =>
  raw.phase === "source" || raw.phase === "defer" ? raw.phase : null;

function readImportSpecifier(r: Reader, raw: Raw): ImportSpecifier {
  const local = readIdentifier(r, raw.local);
  switch (raw.type) {
    case "ImportSpecifier":
      return r.make("ImportSpecifier", raw, {
        imported: raw.imported ? exportedName(r, raw.imported) : local.name,
        local,
      });
    case "ImportDefaultSpecifier":
      return r.make("ImportSpecifier", raw, { imported: "default", local });
    case "ImportNamespaceSpecifier":
      return r.make("ImportSpecifier", raw, { imported: null, local });
    default:
      throw r.unknown(raw);
  }
}

/** A decorator before `export` belongs to the class, and the statement begins with it. */
function readExportedDeclaration(r: Reader, raw: Raw): Statement | null {
  const [declaration] = r.statements([raw.declaration]);
  if (!declaration) return null;
  const { start, end } = r.span(raw);
  const fields = { declaration: declaration as never, specifiers: [], source: null, attributes: [] };
  return r.make("ExportNamed", raw, fields, { start: Math.min(start, declaration.start), end });
}

function readExport(r: Reader, raw: Raw): Statement | null {
  if (raw.typeOnly) return null;
  const source = raw.source ? stringOf(r, raw.source) : null;
  const attributes = readAttributes(r, raw);
  const [first] = raw.specifiers;
  if (source !== null && raw.specifiers.length === 1 && first.type === "ExportNamespaceSpecifier")
    return r.make("ExportAll", raw, { exported: exportedName(r, first.name), source, attributes });
  const specifiers = raw.specifiers
    .filter((each: Raw) => !each.isTypeOnly)
    .map((each: Raw) => readExportSpecifier(r, each, source !== null));
  if (raw.specifiers.length > 0 && specifiers.length === 0) return null;
  return r.make("ExportNamed", raw, { declaration: null, specifiers, source, attributes });
}

function readExportSpecifier(r: Reader, raw: Raw, reexport: boolean): ExportSpecifier {
  if (raw.type !== "ExportSpecifier") throw r.unknown(raw);
  const local = reexport ? r.make("Name", raw.orig, { name: exportedName(r, raw.orig) }) : readIdentifier(r, raw.orig);
  return r.make("ExportSpecifier", raw, { local, exported: exportedName(r, raw.exported ?? raw.orig) });
}

function readExportDefault(r: Reader, raw: Raw): Statement | null {
  const inner: Raw = raw.decl;
  switch (inner.type) {
    case "TsInterfaceDeclaration":
      return null;
    case "FunctionExpression":
      if (!inner.body) return null;
      return r.make("ExportDefault", raw, { declaration: readFunction(r, inner, "declaration") });
    case "ClassExpression": {
      const declaration = readClass(r, inner, "declaration");
      const { start, end } = r.span(raw);
      return r.make("ExportDefault", raw, { declaration }, { start: Math.min(start, declaration.start), end });
    }
    default:
      throw r.unknown(inner);
  }
}

function readImportEquals(r: Reader, raw: Raw): ImportEquals | null {
  if (raw.isTypeOnly) return null;
  const { moduleRef } = raw;
  const external = moduleRef.type === "TsExternalModuleReference";
  return r.make("ImportEquals", raw, {
    isExport: Boolean(raw.isExport),
    local: readIdentifier(r, raw.id),
    source: external ? stringOf(r, moduleRef.expression) : null,
    target: external ? null : readEntity(r, moduleRef),
  });
}

/** `A.B.C`, where a namespace or its member is meant, not a type. */
function readEntity(r: Reader, raw: Raw): Expression {
  if (raw.type === "Identifier") return readIdentifier(r, raw);
  if (raw.type !== "TsQualifiedName") throw r.unknown(raw);
  return r.make("Member", raw, {
    object: readEntity(r, raw.left),
    property: r.make("Name", raw.right, { name: raw.right.value }),
    computed: false,
    optional: false,
  });
}

function readEnumMember(r: Reader, raw: Raw): EnumMember {
  return r.make("EnumMember", raw, { name: exportedName(r, raw.id), init: r.optional(raw.init) });
}

/** `null`: it holds only types. Of `A.B`, the inner one begins at `B`. */
function readNamespace(r: Reader, raw: Raw): Namespace | null {
  const { body: block } = raw;
  if (!block) return null;
  let body: Statement[];
  if (block.type === "TsModuleBlock") body = r.statements(block.body);
  else {
    const declaration = readNamespace(r, block);
    const fields = { declaration: declaration!, specifiers: [], source: null, attributes: [] };
    body = declaration ? [r.make("ExportNamed", block, fields)] : [];
  }
  return body.length > 0 ? r.make("Namespace", raw, { id: readIdentifier(r, raw.id), body }) : null;
}

function readAttributes(r: Reader, raw: Raw): ImportAttribute[] {
  return ((raw.with ?? raw.asserts)?.properties ?? []).map((each: Raw) =>
    r.make("ImportAttribute", each, { key: exportedName(r, each.key), value: stringOf(r, each.value) }),
  );
}

/** An identifier or a string. */
const exportedName = (r: Reader, raw: Raw): string =>
  raw.type === "StringLiteral" ? cookString(r.text(raw).slice(1, -1)) : raw.value;
