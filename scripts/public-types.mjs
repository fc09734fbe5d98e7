// @ts-check
// Checks the types that the package shows to its users, in the declarations that were built.
import { join } from "node:path";
import ts from "typescript";
import { declarationProgram, leaksOf, publicEntries } from "./hidden-types.mjs";
import { root } from "./project.mjs";

const folder = join(root, "dist");
const entries = publicEntries(folder);
const program = declarationProgram(entries);
const checker = program.getTypeChecker();

/** Where each problem is. */
const problems = new Set(leaksOf(program, entries, folder));

/** @param {ts.Node} node @param {string} problem */
function report(node, problem) {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  problems.add(`${file.fileName.slice(folder.length + 1)}:${line + 1}: ${problem}`);
}

/** @param {ts.Node} node */
function checkLiterals(node) {
  if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) {
    const { text } = node.literal;
    if (!/^[\w-]*$/.test(text)) report(node, `"${text}" must be an identifier, without spaces`);
  }
  node.forEachChild(checkLiterals);
}

/** Types that callers can give, but that come from etcd: a property is there, or absent. */
const FROM_ETCD = new Set(["EtcdNode", "RemovedNode", "Version", "StoreEvent"]);

/** Types that were walked as inputs. @type {Set<ts.Node>} */
const inputs = new Set();

/** Whoever passes options on may have `undefined` in them. @param {ts.Node} node a type that callers give */
function checkInput(node) {
  if (inputs.has(node) || ts.isFunctionTypeNode(node)) return;
  inputs.add(node);
  if (ts.isMethodSignature(node) || ts.isMethodDeclaration(node)) return;
  if (ts.isPropertySignature(node) && node.questionToken && !allowsUndefined(node.type)) {
    report(node, `${node.name.getText()}?: must allow undefined`);
  }
  if (ts.isTypeReferenceNode(node)) checkDeclarations(node.typeName);
  if (ts.isExpressionWithTypeArguments(node)) checkDeclarations(node.expression);
  node.forEachChild(checkInput);
}

/** @param {ts.Node} name of a type */
function checkDeclarations(name) {
  if (FROM_ETCD.has(name.getText())) return;
  for (const declaration of declarationsOf(checker.getSymbolAtLocation(name))) {
    if (ts.isInterfaceDeclaration(declaration) || ts.isTypeAliasDeclaration(declaration)) {
      checkInput(declaration);
    }
  }
}

/** @param {ts.TypeNode | undefined} type */
function allowsUndefined(type) {
  if (type === undefined || type.kind === ts.SyntaxKind.UndefinedKeyword) return true;
  return ts.isUnionTypeNode(type) && type.types.some(allowsUndefined);
}

/** The package's own declarations of a symbol. @param {ts.Symbol | undefined} symbol */
function declarationsOf(symbol) {
  if (symbol === undefined) return [];
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return (target.declarations ?? []).filter((declaration) =>
    declaration.getSourceFile().fileName.startsWith(join(root, "dist")),
  );
}

/** Checks what callers of an exported thing give. @param {ts.Node} node */
function checkParameters(node) {
  if (ts.isParameter(node) && node.type !== undefined) checkInput(node.type);
  node.forEachChild(checkParameters);
}

for (const entry of entries) {
  const file = program.getSourceFile(entry);
  const symbol = file && checker.getSymbolAtLocation(file);
  if (symbol === undefined) throw new Error(`${entry}: is missing; build first`);
  for (const exported of checker.getExportsOfModule(symbol)) {
    for (const declaration of declarationsOf(exported)) {
      checkLiterals(declaration);
      checkParameters(declaration);
    }
  }
}

for (const problem of problems) console.error(problem);
process.exit(problems.size === 0 ? 0 : 1);
