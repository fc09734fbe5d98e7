// @ts-check
// Checks the types that the package shows to its users, in the declarations that were built.
import { join } from "node:path";
import ts from "typescript";
import { root } from "./project.mjs";

const entries = ["dist/index.d.ts", "dist/server/index.d.ts"].map((path) => join(root, path));
const program = ts.createProgram(entries, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  strict: true,
  types: ["node"],
});
const checker = program.getTypeChecker();

/** Where each problem is. */
const problems = new Set();

/** @param {ts.Node} node @param {string} problem */
function report(node, problem) {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  problems.add(`${file.fileName.slice(root.length + 1)}:${line + 1}: ${problem}`);
}

/** @param {ts.Node} node */
function checkLiterals(node) {
  if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) {
    const { text } = node.literal;
    if (!/^[\w-]*$/.test(text)) report(node, `"${text}" must be an identifier, without spaces`);
  }
  node.forEachChild(checkLiterals);
}

for (const entry of entries) {
  const file = program.getSourceFile(entry);
  const symbol = file && checker.getSymbolAtLocation(file);
  if (symbol === undefined) throw new Error(`${entry}: is missing; build first`);
  for (const exported of checker.getExportsOfModule(symbol)) {
    const target =
      exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    for (const declaration of target.declarations ?? []) checkLiterals(declaration);
  }
}

for (const problem of problems) console.error(problem);
process.exit(problems.size === 0 ? 0 : 1);
