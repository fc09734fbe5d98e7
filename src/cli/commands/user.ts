import type { Command } from "commander";
import type { User } from "../../model/auth.js";
import { askPassword } from "../options/password.js";
import { splitUser } from "../options/split-user.js";
import { printRecords } from "../output/print-records.js";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { commandGroup } from "./command-group.js";
import { type Session, withSession } from "./session.js";

export function userCommand(): Command {
  return commandGroup("user", "List, add, change and remove users of etcd's v2 auth.", [
    listCommand(),
    getCommand(),
    addCommand(),
    removeCommand(),
    rolesCommand("grant"),
    rolesCommand("revoke"),
    passwdCommand(),
  ]);
}

function listCommand(): Command {
  return clientCommand("list", "List all users.", "etcdnet user list").action(
    (_flags: object, command: Command) =>
      withSession(command, async ({ etcd, format }) => {
        printRecords(await etcd.auth.users.list(), format, {
          line: ({ user }) => user,
          head: ["USER", "ROLES"],
          row: (user) => [user.user, roleNames(user).join(" ")],
        });
      }),
  );
}

function getCommand(): Command {
  return namedCommand(
    "get",
    "Show a user's roles.",
    "etcdnet user get alice",
    async (session, name) => {
      const { etcd, format } = session;
      printRecords([await etcd.auth.users.get(name)], format, {
        line: userText,
        head: ["USER", "ROLES"],
        row: (user) => [user.user, roleNames(user).join(" ")],
      });
    },
  );
}

function addCommand(): Command {
  const description =
    "Add a user. The password comes from a prompt on a terminal, else from a line of standard input. " +
    "user:password also works, but other users can see it.";
  return namedCommand("add", description, "etcdnet user add alice", async ({ etcd }, given) => {
    const { user, password } = splitUser(given);
    await etcd.auth.users.create(user, {
      password: password ?? (await askPassword("New password: ")),
    });
    print(`User ${user} created`);
  });
}

function removeCommand(): Command {
  const example = "etcdnet user remove alice";
  return namedCommand("remove", "Remove a user.", example, async ({ etcd }, name) => {
    await etcd.auth.users.remove(name);
    print(`User ${name} removed`);
  });
}

function rolesCommand(change: "grant" | "revoke"): Command {
  const description = change === "grant" ? "Grant roles to a user." : "Revoke roles of a user.";
  return clientCommand(change, description, `etcdnet user ${change} alice --roles dev,ops`)
    .argument("<user>")
    .requiredOption("--roles <names>", "comma-separated; repeatable", appendNames)
    .action((name: string, { roles }: { readonly roles: string[] }, command: Command) =>
      withSession(command, async ({ etcd }) => {
        await etcd.auth.users.update(name, { [change]: roles });
        print(`User ${name} updated`);
      }),
    );
}

function passwdCommand(): Command {
  const description =
    "Change a user's password. It comes from a prompt on a terminal, else from a line of standard input.";
  return namedCommand(
    "passwd",
    description,
    "etcdnet user passwd alice",
    async ({ etcd }, name) => {
      await etcd.auth.users.update(name, { password: await askPassword("New password: ") });
      print("Password updated");
    },
  );
}

function namedCommand(
  name: string,
  description: string,
  example: string,
  run: (session: Session, user: string) => Promise<void>,
): Command {
  return clientCommand(name, description, example)
    .argument("<user>")
    .action((user: string, _flags: object, command: Command) =>
      withSession(command, (session) => run(session, user)),
    );
}

function appendNames(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",")];
}

/** Like etcdctl, with one more space for each role. */
function userText(user: User): string {
  const names = roleNames(user);
  return `User: ${user.user}\nRoles: ${" ".repeat(names.length)}${names.join(" ")}`;
}

function roleNames({ roles = [] }: User): readonly string[] {
  return roles.map(({ role }) => role);
}
