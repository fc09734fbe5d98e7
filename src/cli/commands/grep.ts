import type { Command } from "commander";
import type { EtcdNode } from "../../model/node.js";
import { LinearPattern } from "../grep/linear-pattern.js";
import { keyOf } from "../options/key-argument.js";
import { jsonText } from "../output/json-text.js";
import { printRecords } from "../output/print-records.js";
import { descendants, nodeRecord } from "../output/print-response.js";
import { ExitCode } from "../process/exit-code.js";
import { printLines } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { type AtFlag, atOption, sessionAt } from "./session-at.js";

/** Longer lines are cut. */
const MAX_LINE_LENGTH = 200;

interface GrepFlags extends AtFlag {
  readonly ignoreCase?: boolean;
  readonly fixedStrings?: boolean;
  readonly keys?: boolean;
  readonly values?: boolean;
  readonly list?: boolean;
  readonly quorum?: boolean;
}

/** A node that matches, with its matching lines by number; none if only the key matches. */
interface Match {
  readonly node: EtcdNode;
  readonly lines: readonly (readonly [number: number, line: string])[];
}

export function grepCommand(): Command {
  return clientCommand(
    "grep",
    "Search the keys and values of a tree (default: the root) for a regular expression, line by line. The exit " +
      "code is 1 if nothing is found.",
    "etcdnet grep -i 'smtp|mail' /config",
  )
    .argument("<pattern>", "without back references and lookaround, so that it takes linear time")
    .argument("[key]")
    .option("-i, --ignore-case", "ignore the case of letters")
    .option("-F, --fixed-strings", "the pattern is plain text")
    .option("--keys", "search only keys")
    .option("--values", "search only values")
    .option("-l, --list", "print only the keys")
    .option("-q, --quorum", "quorum read: never a stale tree")
    .addOption(atOption())
    .action((pattern: string, key: string | undefined, flags: GrepFlags, command: Command) =>
      withSession(command, (session) =>
        grep(sessionAt(session, flags), pattern, keyOf(key ?? "/"), flags),
      ),
    );
}

async function grep(session: Session, pattern: string, key: string, flags: GrepFlags) {
  const { etcd, format } = session;
  const { list = false, quorum = false } = flags;
  const test = testOf(pattern, flags);
  const { node } = await etcd.getNode(key, { recursive: true, sorted: true, quorum });
  const matches = [node, ...descendants(node)].flatMap((each) => matchOf(each, test, flags));
  if (matches.length === 0) process.exitCode = ExitCode.nothingFound;
  if (format === "simple" || format === "extended") {
    printLines(matches.flatMap((match) => (list ? shownKey(match.node) : linesOf(match))));
    return;
  }
  printRecords(
    matches.map(({ node }): { readonly key: string; readonly value?: string | undefined } =>
      list ? { key: node.key } : nodeRecord(node),
    ),
    format,
    {
      line: ({ key }) => key,
      head: ["KEY", "VALUE"],
      row: ({ key, value = "" }) => [escaped(key), escaped(value)],
    },
  );
}

function testOf(pattern: string, flags: GrepFlags): (text: string) => boolean {
  const { fixedStrings = false, ignoreCase = false } = flags;
  if (!fixedStrings) {
    const linear = new LinearPattern(pattern, ignoreCase);
    return (text) => linear.test(text);
  }
  if (!ignoreCase) return (text) => text.includes(pattern);
  const lower = pattern.toLowerCase();
  return (text) => text.toLowerCase().includes(lower);
}

function matchOf(
  node: EtcdNode,
  test: (text: string) => boolean,
  { keys = false, values = false }: GrepFlags,
): readonly Match[] {
  const all = node.value?.split("\n") ?? [];
  const lines =
    keys && !values ? [] : all.flatMap((line, at) => (test(line) ? [[at + 1, line] as const] : []));
  if (lines.length > 0) return [{ node, lines }];
  const isKeyFound = (keys || !values) && test(node.key);
  return isKeyFound ? [{ node, lines: [] }] : [];
}

function linesOf({ node, lines }: Match): readonly string[] {
  const key = shownKey(node);
  if (node.dir) return [key];
  const [first = "", ...others] = node.value.split("\n");
  if (lines.length === 0) return [`${key}: ${cut(first)}`];
  return lines.map(([number, line]) =>
    others.length === 0 ? `${key}: ${cut(line)}` : `${key}:${number}: ${cut(line)}`,
  );
}

function shownKey({ key, dir }: EtcdNode): string {
  return escaped(dir && key !== "/" ? `${key}/` : key);
}

function cut(line: string): string {
  if (line.length <= MAX_LINE_LENGTH) return escaped(line);
  return `${escaped(line.slice(0, MAX_LINE_LENGTH).toWellFormed())}…`;
}

function escaped(text: string): string {
  return jsonText(text).slice(1, -1).replaceAll('\\"', '"');
}
