/** Imports and exports, and the declarations of TypeScript that run. */
import type {
  EnumMember,
  ExportSpecifier,
  Expression,
  Identifier,
  ImportAttribute,
  ImportEquals,
  ImportSpecifier,
  Namespace,
  Span,
  Statement,
} from "../core/ir.ts";
import { readIdentifier } from "./read-patterns.ts";
import type { Raw, Reader } from "./reader.ts";

export function readModuleItem(r: Reader, raw: Raw): Statement | null {
  switch (raw.type) {
    case "ImportDeclaration":
      return readImport(r, raw);
    case "ExportNamedDeclaration":
      return readExport(r, raw);
    case "ExportDefaultDeclaration":
      return readExportDefault(r, raw);
    case "ExportAllDeclaration":
      if (raw.exportKind === "type") return null;
      return r.make("ExportAll", raw, { exported: null, source: raw.source.value, attributes: readAttributes(r, raw) });
    case "TSImportEqualsDeclaration":
      return readImportEquals(r, raw, Boolean(raw.isExport));
    case "TSExportAssignment":
      return r.make("ExportAssignment", raw, { expression: r.expression(raw.expression) });
    case "TSNamespaceExportDeclaration":
      return null;
    case "TSEnumDeclaration":
      return r.make("Enum", raw, {
        isConst: Boolean(raw.const),
        id: readIdentifier(r, raw.id),
        members: (raw.body?.members ?? raw.members).map((each: Raw) => readEnumMember(r, each)),
      });
    case "TSModuleDeclaration":
      return readNamespace(r, raw);
    default:
      throw r.unknown(raw);
  }
}

function readImport(r: Reader, raw: Raw): Statement | null {
  if (isTypeOnly(raw.importKind)) return null;
  const specifiers: ImportSpecifier[] = raw.specifiers
    .filter((each: Raw) => !isTypeOnly(each.importKind))
    .map((each: Raw) => readImportSpecifier(r, each));
  if (raw.specifiers.length > 0 && specifiers.length === 0) return null;
  const { value: source } = raw.source;
  return r.make("Import", raw, { source, phase: raw.phase ?? null, specifiers, attributes: readAttributes(r, raw) });
}

function readImportSpecifier(r: Reader, raw: Raw): ImportSpecifier {
  const local = readIdentifier(r, raw.local);
  switch (raw.type) {
    case "ImportSpecifier":
      return r.make("ImportSpecifier", raw, { imported: exportedName(raw.imported), local });
    case "ImportDefaultSpecifier":
      return r.make("ImportSpecifier", raw, { imported: "default", local });
    case "ImportNamespaceSpecifier":
      return r.make("ImportSpecifier", raw, { imported: null, local });
    default:
      throw r.unknown(raw);
  }
}

function readExport(r: Reader, raw: Raw): Statement | null {
  if (raw.exportKind === "type") return null;
  const source: string | null = raw.source?.value ?? null;
  const attributes = readAttributes(r, raw);
  if (raw.declaration) {
    const inner: Raw = raw.declaration;
    // Babel 8 wraps `export import a = b`, Babel 7 has it as a flag.
    if (inner.type === "TSImportEqualsDeclaration") return readImportEquals(r, inner, true, raw);
    const [declaration] = r.statements([inner]);
    if (!declaration) return null;
    return r.make("ExportNamed", raw, { declaration: declaration as never, specifiers: [], source, attributes });
  }
  const [first] = raw.specifiers;
  if (source !== null && raw.specifiers.length === 1 && first.type === "ExportNamespaceSpecifier")
    return r.make("ExportAll", raw, { exported: exportedName(first.exported), source, attributes });
  const specifiers = raw.specifiers
    .filter((each: Raw) => each.exportKind !== "type")
    .map((each: Raw) => readExportSpecifier(r, each, source !== null));
  if (raw.specifiers.length > 0 && specifiers.length === 0) return null;
  return r.make("ExportNamed", raw, { declaration: null, specifiers, source, attributes });
}

function readExportSpecifier(r: Reader, raw: Raw, reexport: boolean): ExportSpecifier {
  if (raw.type !== "ExportSpecifier") throw r.unknown(raw);
  const local = reexport ? r.make("Name", raw.local, { name: exportedName(raw.local) }) : readIdentifier(r, raw.local);
  return r.make("ExportSpecifier", raw, { local, exported: exportedName(raw.exported) });
}

function readExportDefault(r: Reader, raw: Raw): Statement | null {
  const inner: Raw = raw.declaration;
  const isDeclaration = /Declaration$|^TSDeclareFunction$/.test(inner.type);
  const declaration = isDeclaration ? r.statements([inner])[0] : r.expression(inner);
  return declaration ? r.make("ExportDefault", raw, { declaration: declaration as Expression }) : null;
}

function readImportEquals(r: Reader, raw: Raw, isExport: boolean, whole: Span = raw): ImportEquals | null {
  if (isTypeOnly(raw.importKind)) return null;
  const { moduleReference } = raw;
  const external = moduleReference.type === "TSExternalModuleReference";
  return r.make(
    "ImportEquals",
    raw,
    {
      isExport,
      local: readIdentifier(r, raw.id),
      source: external ? moduleReference.expression.value : null,
      target: external ? null : readEntity(r, moduleReference),
    },
    whole,
  );
}

/** `A.B.C`, where a namespace or its member is meant, not a type. */
function readEntity(r: Reader, raw: Raw): Expression {
  if (raw.type === "Identifier") return readIdentifier(r, raw);
  if (raw.type !== "TSQualifiedName") throw r.unknown(raw);
  return r.make("Member", raw, {
    object: readEntity(r, raw.left),
    property: r.make("Name", raw.right, { name: raw.right.name }),
    computed: false,
    optional: false,
  });
}

function readEnumMember(r: Reader, raw: Raw): EnumMember {
  const { id } = raw;
  const isTemplate = id.type === "TemplateLiteral" && id.quasis.length === 1;
  const name: unknown = isTemplate ? id.quasis[0].value.cooked : (id.name ?? id.value);
  if (typeof name !== "string") throw r.unknown(id);
  return r.make("EnumMember", raw, { name, init: r.optional(raw.initializer) });
}

/** `null`: it holds only types. `namespace A.B {}` is nested in Babel 7, one with a qualified name in Babel 8. */
function readNamespace(r: Reader, raw: Raw): Namespace | null {
  if (raw.global || raw.kind === "global" || raw.id.type === "StringLiteral" || !raw.body) return null;
  return readNamespaceAt(r, raw, flatten(r, raw.id), raw);
}

function readNamespaceAt(r: Reader, raw: Raw, [id, ...rest]: Identifier[], span: Span): Namespace | null {
  let body: Statement[];
  if (rest.length > 0 || raw.body.type === "TSModuleDeclaration") {
    const inner = rest.length > 0 ? raw : (raw.body as Raw);
    const ids = rest.length > 0 ? rest : flatten(r, inner.id);
    const innerSpan = { start: ids[0]!.start, end: span.end };
    const declaration = readNamespaceAt(r, inner, ids, innerSpan);
    const fields = { declaration: declaration!, specifiers: [], source: null, attributes: [] };
    body = declaration ? [r.make("ExportNamed", inner, fields, innerSpan)] : [];
  } else body = r.statements(raw.body.body);
  return body.length > 0 ? r.make("Namespace", raw, { id: id!, body }, span) : null;
}

function flatten(r: Reader, raw: Raw): Identifier[] {
  return raw.type === "TSQualifiedName"
    ? [...flatten(r, raw.left), ...flatten(r, raw.right)]
    : [readIdentifier(r, raw)];
}

function readAttributes(r: Reader, raw: Raw): ImportAttribute[] {
  return (raw.attributes ?? raw.assertions ?? []).map((each: Raw) =>
    r.make("ImportAttribute", each, { key: exportedName(each.key), value: each.value.value }),
  );
}

/** An identifier or, since ES2022, a string. */
const exportedName = (raw: Raw): string => (raw.type === "StringLiteral" ? raw.value : raw.name);

const isTypeOnly = (kind: unknown): boolean => kind === "type" || kind === "typeof";
