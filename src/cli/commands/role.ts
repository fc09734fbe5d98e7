import type { Command } from "commander";
import type { PermissionChange } from "../../key-space/auth-api.js";
import type { Role } from "../../model/auth.js";
import { keyOf } from "../options/key-argument.js";
import { printRecords } from "../output/print-records.js";
import { CommandError } from "../process/command-error.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { commandGroup } from "./command-group.js";
import { type Session, withSession } from "./session.js";

export function roleCommand(): Command {
  return commandGroup("role", "List, add, change and remove roles of etcd's v2 auth.", [
    listCommand(),
    getCommand(),
    addCommand(),
    removeCommand(),
    changeCommand("grant"),
    changeCommand("revoke"),
  ]);
}

function listCommand(): Command {
  return clientCommand("list", "List all roles.", "etcdnet role list").action(
    (_flags: object, command: Command) =>
      withSession(command, async ({ etcd, format }) => {
        const roles = await etcd.auth.roles.list();
        printRecords(roles, format, { ...ROLE_TABLE, line: ({ role }) => role });
      }),
  );
}

function getCommand(): Command {
  return namedCommand(
    "get",
    "Show the permissions of a role.",
    "etcdnet role get dev",
    async (session, name) => {
      const { etcd, format } = session;
      const role = await etcd.auth.roles.get(name);
      printRecords([role], format, { ...ROLE_TABLE, line: roleText });
    },
  );
}

const ROLE_TABLE = {
  head: ["ROLE", "READ", "WRITE"],
  row: ({ role, permissions: { kv } }: Role) => [
    ...[role, (kv.read ?? []).join(" "), (kv.write ?? []).join(" ")],
  ],
};

function roleText({ role, permissions: { kv } }: Role): string {
  const patterns = (list: readonly string[] | null): string[] =>
    (list ?? []).map((pattern) => `\t${pattern}`);
  return [
    `Role: ${role}`,
    "KV Read:",
    ...patterns(kv.read),
    "KV Write:",
    ...patterns(kv.write),
  ].join("\n");
}

function addCommand(): Command {
  return namedCommand("add", "Add a role.", "etcdnet role add dev", async ({ etcd }, name) => {
    await etcd.auth.roles.create(name, {});
    print(`Role ${name} created`);
  });
}

function removeCommand(): Command {
  const example = "etcdnet role remove dev";
  return namedCommand("remove", "Remove a role.", example, async ({ etcd }, name) => {
    await etcd.auth.roles.remove(name);
    print(`Role ${name} removed`);
  });
}

interface ChangeFlags {
  readonly path: string;
  readonly read?: boolean;
  readonly write?: boolean;
  readonly readwrite?: boolean;
  readonly rw?: boolean;
}

function changeCommand(change: "grant" | "revoke"): Command {
  const description =
    change === "grant" ? "Grant permissions to a role." : "Revoke permissions of a role.";
  return clientCommand(
    change,
    description,
    `etcdnet role ${change} dev --path '/dev/*' --readwrite`,
  )
    .argument("<role>")
    .requiredOption("--path <pattern>", "key; with * at the end: all keys with this prefix")
    .option("--read", "permission to read")
    .option("--write", "permission to write")
    .option("--readwrite", "permission to read and write")
    .option("--rw", "same as --readwrite")
    .action((role: string, flags: ChangeFlags, command: Command) =>
      withSession(command, async ({ etcd }) => {
        await etcd.auth.roles.update(role, { [change]: permissionsOf(flags) });
        print(`Role ${role} updated`);
      }),
    );
}

function permissionsOf({ path, ...flags }: ChangeFlags): PermissionChange {
  if (keyOf(path) !== path) {
    throw new CommandError(`Not canonical path; please use \`--path=${keyOf(path)}\``);
  }
  const { read = false, write = false, readwrite = false, rw = false } = flags;
  if ([read, write, readwrite || rw].filter(Boolean).length !== 1) {
    throw new CommandError("Please specify exactly one of --read, --write or --readwrite");
  }
  return { ...(!write && { read: [path] }), ...(!read && { write: [path] }) };
}

function namedCommand(
  name: string,
  description: string,
  example: string,
  run: (session: Session, role: string) => Promise<void>,
): Command {
  return clientCommand(name, description, example)
    .argument("<role>")
    .action((role: string, _flags: object, command: Command) =>
      withSession(command, (session) => run(session, role)),
    );
}
