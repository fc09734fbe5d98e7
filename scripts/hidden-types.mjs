// @ts-check
// Finds what users of the package see in its declarations but cannot name or must not use.
import { join, relative } from "node:path";
import ts from "typescript";

/** The declarations that package.json exports. @param {string} folder of the package's declarations */
export function publicEntries(folder) {
  return ["index.d.ts", "server/index.d.ts", "testing/index.d.ts"].map((path) =>
    join(folder, path),
  );
}

/**
 * The program of the package's declarations, as a strict consumer compiles them.
 *
 * @param {readonly string[]} entries files
 */
export function declarationProgram(entries) {
  return ts.createProgram(entries, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    types: ["node"],
  });
}

/**
 * The package's own files that its entries reach, directly or through others.
 *
 * @param {ts.Program} program
 * @param {string} folder of the package's declarations
 */
export function ownFiles(program, folder) {
  return program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${folder}/`));
}

/**
 * The leaks of the declarations: types that an exported one refers to and that no entry exports, and
 * declarations marked `@internal`.
 *
 * @param {ts.Program} program
 * @param {readonly string[]} entries
 * @param {string} folder of the package's declarations
 * @returns {string[]} one line for each
 */
export function leaksOf(program, entries, folder) {
  const checker = program.getTypeChecker();
  const own = new Set(ownFiles(program, folder));
  const visible = new Set(entries.flatMap(exportsOf));
  /** @type {Set<string>} */
  const leaks = new Set();

  for (const file of own) {
    for (const { index } of file.text.matchAll(/@internal\b/g)) {
      leaks.add(`${placeOf(file, index)}: is marked @internal`);
    }
  }
  // Visits more symbols while it runs: those that the visited ones refer to.
  for (const symbol of visible) {
    for (const declaration of declarationsOf(symbol)) visit(declaration);
  }
  return [...leaks];

  /** @param {ts.Node} node */
  function visit(node) {
    if (ts.isIdentifier(node)) checkReference(node);
    node.forEachChild(visit);
  }

  /** @param {ts.Identifier} name */
  function checkReference(name) {
    const found = checker.getSymbolAtLocation(name);
    const symbol = found && withoutAlias(found);
    if (symbol === undefined || visible.has(symbol) || !declarationsOf(symbol).some(isTopLevel)) {
      return;
    }
    visible.add(symbol);
    const place = placeOf(name.getSourceFile(), name.getStart());
    leaks.add(`${place}: refers to ${symbol.name}, which no entry exports`);
  }

  /** @param {string} entry */
  function exportsOf(entry) {
    const file = program.getSourceFile(entry);
    const symbol = file && checker.getSymbolAtLocation(file);
    if (symbol === undefined) throw new Error(`${entry}: is missing; build first`);
    return checker.getExportsOfModule(symbol).map(withoutAlias);
  }

  /** @param {ts.Symbol} symbol */
  function withoutAlias(symbol) {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  /** The package's own declarations. @param {ts.Symbol} symbol */
  function declarationsOf(symbol) {
    return (symbol.declarations ?? []).filter((node) => own.has(node.getSourceFile()));
  }

  /** @param {ts.SourceFile} file @param {number} position */
  function placeOf(file, position) {
    const { line } = file.getLineAndCharacterOfPosition(position);
    return `${relative(folder, file.fileName)}:${line + 1}`;
  }
}

/** Whether a declaration belongs to a module, and not to another declaration. @param {ts.Node} node */
function isTopLevel(node) {
  const owner = ts.isVariableDeclaration(node) ? node.parent.parent.parent : node.parent;
  return ts.isSourceFile(owner);
}
