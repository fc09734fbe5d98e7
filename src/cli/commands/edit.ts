import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdNode } from "../../model/node.js";
import { isConflict, remainingLife } from "../apply/apply-changes.js";
import { keyOf } from "../options/key-argument.js";
import { printResponse } from "../output/print-response.js";
import { runChild } from "../process/child.js";
import { CommandError } from "../process/command-error.js";
import { note } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

const OURS = "<<<<<<< your text";
const SEPARATOR = "=======";
const THEIRS = ">>>>>>> the value in etcd";

export function editCommand(): Command {
  return clientCommand(
    "edit",
    "Edit the value of a key in the program that $VISUAL or $EDITOR names (default: vi). The value is saved by " +
      "compare-and-swap. If it has changed meanwhile, the editor opens both values. If anything fails, the text " +
      "stays in a file, which is named.",
    "etcdnet edit /config/motd",
  )
    .argument("<key>", "a key that does not exist is created")
    .action((key: string, _flags: object, command: Command) =>
      withSession(command, (session) => edit(session, keyOf(key))),
    );
}

async function edit({ etcd, format }: Session, key: string): Promise<void> {
  let before = await read(etcd, key);
  const folder = await mkdtemp(join(tmpdir(), "etcdnet-edit-"));
  const file = join(folder, "value");
  let isSafe = false;
  try {
    let text = before?.value ?? "";
    await writeFile(file, text, { mode: 0o600 });
    for (;;) {
      text = await edited(file, before?.value ?? "");
      if (text === (before?.value ?? "")) {
        note("nothing was changed");
        isSafe = true;
        return;
      }
      try {
        printResponse(await save(etcd, key, text, before), format);
        isSafe = true;
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      before = await read(etcd, key);
      note(`${key} has changed meanwhile: the editor opens your text and the value in etcd`);
      await writeFile(file, conflictText(text, before?.value ?? ""));
    }
  } finally {
    if (isSafe) await rm(folder, { recursive: true });
    else note(`the text is in ${file}`);
  }
}

/** @throws CommandError when it is a directory */
async function read(etcd: EtcdClient, key: string): Promise<EtcdNode | undefined> {
  const response = await etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true });
  if (response?.node.dir)
    throw new CommandError(`${key}: is a directory`, `etcdnet ls ${key} lists it`);
  return response?.node;
}

/** Runs the editor. @throws Error when it fails, or leaves a text that cannot be a value */
async function edited(file: string, before: string): Promise<string> {
  const { VISUAL: visual = "", EDITOR: editor = "" } = process.env;
  const program = visual || editor || "vi";
  // Ctrl-C is for the editor, which belongs to the same terminal.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  try {
    // As in git, the variable is a command line of the shell.
    const code = await runChild(["sh", "-c", `${program} "$@"`, program, file]).ended;
    if (code !== 0) throw new Error(`${program}: ended with exit code ${code}; nothing was saved`);
  } finally {
    process.off("SIGINT", ignore);
  }
  const text = utf8(await readFile(file));
  const lines = text.split("\n");
  if ([OURS, THEIRS].some((marker) => lines.includes(marker))) {
    throw new Error("the text has both values and the lines between them; nothing was saved");
  }
  // Editors end the last line, which a value need not do.
  return text.endsWith("\n") && !before.endsWith("\n") ? text.slice(0, -1) : text;
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error("the text is not UTF-8; nothing was saved", { cause });
  }
}

async function save(etcd: EtcdClient, key: string, value: string, before: EtcdNode | undefined) {
  if (before === undefined) return etcd.execute({ action: "create", key, value });
  const { modifiedIndex: prevIndex } = before;
  // The TTL has run on while the editor was open.
  const now = before.ttl === undefined ? before : await read(etcd, key);
  const life = remainingLife(now?.ttl);
  return etcd.execute({ action: "compareAndSwap", key, value, prevIndex, ...life });
}

function conflictText(ours: string, theirs: string): string {
  const line = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
  return `${OURS}\n${line(ours)}${SEPARATOR}\n${line(theirs)}${THEIRS}\n`;
}
