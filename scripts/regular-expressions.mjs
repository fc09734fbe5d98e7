// @ts-check
// Proves that every regular expression of src/ takes linear time, whatever text it is given.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { root } from "./project.mjs";

// The other backends of recheck are a native program and a Java program: this one runs anywhere.
process.env.RECHECK_BACKEND = "pure";
const { checkSync } = await import("recheck");

/** Milliseconds for one proof. The slowest one of src/ takes about 400 ms. */
const PROOF_TIMEOUT_MS = 20_000;

/** Methods of strings that make a regular expression of a string. */
const IMPLICIT = new Set(["match", "matchAll", "search"]);

/**
 * The regular expressions of a file that are not proven to take linear time, one line for each.
 *
 * @param {string} file name to show
 * @param {string} source TypeScript
 * @returns {string[]}
 */
export function unprovenExpressions(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  /** @type {string[]} */
  const found = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    const problem = problemOf(node);
    if (problem !== undefined) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${node.getText()}: ${problem}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** @param {ts.Node} node */
function problemOf(node) {
  if (ts.isRegularExpressionLiteral(node)) return problemOfLiteral(node.text);
  const isRegExp =
    (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
    node.expression.getText() === "RegExp";
  const isImplicit =
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    IMPLICIT.has(node.expression.name.text) &&
    node.arguments.some((each) => ts.isStringLiteralLike(each) || ts.isTemplateExpression(each));
  return isRegExp || isImplicit ? "write it as a literal, so that it can be checked" : undefined;
}

/** @param {string} literal with its slashes */
function problemOfLiteral(literal) {
  const end = literal.lastIndexOf("/");
  const result = checkSync(literal.slice(1, end), literal.slice(end + 1), {
    timeout: PROOF_TIMEOUT_MS,
  });
  if (result.status === "vulnerable") {
    return `takes ${result.complexity.summary} time, for example for ${result.attack.pattern}`;
  }
  if (result.status === "unknown") return `not proven to be linear: ${result.error.kind}`;
  // Attempts that found no slow text prove nothing. Lookbehind, back references and some kinds
  // of lookahead are beyond the proof.
  return result.checker === "automaton" ? undefined : "too difficult to prove linear; simplify it";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => join("src", file));
  const unproven = files.flatMap((file) =>
    unprovenExpressions(file, readFileSync(join(root, file), "utf8")),
  );
  for (const line of unproven) console.error(line);
  process.exit(unproven.length === 0 ? 0 : 1);
}
