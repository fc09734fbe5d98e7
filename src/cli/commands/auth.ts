import type { Command } from "commander";
import { print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { commandGroup } from "./command-group.js";
import { withSession } from "./session.js";

export function authCommand(): Command {
  return commandGroup("auth", "Enable and disable etcd's v2 auth.", [
    enableCommand(),
    disableCommand(),
  ]);
}

function enableCommand(): Command {
  const description =
    "Enable auth. The user root must exist. The role guest may use all keys until you restrict it.";
  return clientCommand("enable", description, "etcdnet auth enable").action(
    (_flags: object, command: Command) =>
      withSession(command, async ({ etcd }) => {
        await etcd.auth.enable();
        print("Authentication Enabled");
      }),
  );
}

function disableCommand(): Command {
  const example = "etcdnet auth disable --username root --password-file secret";
  return clientCommand("disable", "Disable auth.", example).action(
    (_flags: object, command: Command) =>
      withSession(command, async ({ etcd }) => {
        await etcd.auth.disable();
        print("Authentication Disabled");
      }),
  );
}
