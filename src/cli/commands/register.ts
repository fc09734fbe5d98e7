import { posix } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { Registry } from "../../recipes/registry/registry.js";
import { parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { untilInterrupted } from "../process/interrupt.js";
import { note, print } from "../process/print.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";
import { whileHeld } from "./while-held.js";

interface RegisterFlags {
  readonly ttl?: number;
  readonly metadata?: unknown;
}

export function registerCommand(): Command {
  return clientCommand(
    "register",
    "Register an instance of a service while a program runs, and exit with the program's exit code. " +
      "Without a program, print the instance's key and keep it registered until Ctrl-C.",
    "etcdnet register /services/mail m1 --metadata '{\"port\":25}' -- ./mail-server",
  )
    .argument("<service>", "directory of the service")
    .argument("<id>", "name of the instance in that directory")
    .argument("[program...]", "program with its arguments, after --")
    .option(
      "--ttl <duration>",
      "time after which a dead instance is removed (default: 10)",
      parseSeconds,
    )
    .option(
      "--metadata <json>",
      "metadata of the instance, for other clients (default: null)",
      parseJson,
    )
    .action(
      (service: string, id: string, program: string[], flags: RegisterFlags, command: Command) =>
        withSession(command, (session) => register(session, keyOf(service), id, program, flags)),
    );
}

async function register(
  { etcd }: Session,
  service: string,
  id: string,
  program: readonly string[],
  { ttl = 10, metadata = null }: RegisterFlags,
): Promise<void> {
  using interrupt = untilInterrupted("SIGINT", "SIGTERM", "SIGHUP");
  const registry = new Registry(etcd, posix.dirname(service));
  const instance = { id, metadata };
  await using registration = await registry.register(posix.basename(service), instance, { ttl });
  const { keepAlive } = registration;
  const taken = new AbortController();
  keepAlive.on("lost", (lost) => {
    if (lost.reason === "taken-over") taken.abort(lost);
    else note(`Warning:  ${lost.message}`);
  });
  keepAlive.on("recreated", () => note(`Warning:  ${keepAlive.key} is registered again`));
  if (program.length === 0) print(registration.key);
  await whileHeld(taken.signal, interrupt, program, { ETCD_REGISTER_KEY: registration.key });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError("It must be JSON, e.g. '{\"port\":25}'.");
  }
}
