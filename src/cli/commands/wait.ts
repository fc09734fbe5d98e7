import { type Command, Option } from "commander";
import { type AnyNode, isPresent } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import type { WatchItem } from "../../model/watch-item.js";
import { clusterName } from "../options/client-settings.js";
import { parseDuration } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { printResponse } from "../output/print-response.js";
import { ExitCode } from "../process/exit-code.js";
import { errorLine, reportLine } from "../process/failure.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface WaitFlags {
  /** Milliseconds. */
  readonly waitTimeout?: number;
}

/** What to wait for: that the key exists, or that it has the value. */
interface Condition {
  readonly key: string;
  readonly value?: string;
}

/** The `--timeout` of this command. It limits the wait; the global option limits attempts. */
class WaitTimeout extends Option {
  override attributeName(): string {
    return "waitTimeout";
  }
}

export function waitCommand(): Command {
  return clientCommand(
    "wait",
    "Wait until a key exists or has a value, and print the value. It ends at once if that is so already. The " +
      "exit code is 4 if it is not so in time.",
    "etcdnet wait /config/ready=yes --timeout 30s",
    ["--timeout"],
  )
    .argument("<key[=value]>", "the key ends at the first =")
    .addOption(
      new WaitTimeout(
        "--timeout <duration>",
        "give up after this time, e.g. 30s (default: never); before the command, it is the global option",
      ).argParser(parseDuration),
    )
    .action((argument: string, flags: WaitFlags, command: Command) =>
      withSession(command, (session) => wait(session, conditionOf(argument), flags)),
    );
}

function conditionOf(argument: string): Condition {
  const end = argument.indexOf("=");
  if (end < 0) return { key: keyOf(argument) };
  return { key: keyOf(argument.slice(0, end)), value: argument.slice(end + 1) };
}

async function wait(session: Session, condition: Condition, flags: WaitFlags): Promise<void> {
  const { waitTimeout } = flags;
  const limit = new AbortController();
  const timer =
    waitTimeout === undefined ? undefined : setTimeout(() => limit.abort(), waitTimeout);
  let isKnown = false;
  const onState = (): void => {
    isKnown = true;
  };
  try {
    const response = await untilTrue(session, condition, onState, limit.signal);
    if (!response.node.dir || session.format !== "simple") printResponse(response, session.format);
  } catch (error) {
    if (!limit.signal.aborted) throw error;
    const time = `${waitTimeout} ms`;
    reportLine(
      errorLine(
        isKnown
          ? `${unmet(condition)} after ${time}`
          : `${condition.key}: no response within ${time} (${clusterName(session.options)})`,
      ),
    );
    process.exitCode = ExitCode.refused;
  } finally {
    clearTimeout(timer);
  }
}

function unmet({ key, value }: Condition): string {
  return `${key} ${value === undefined ? "does not exist" : `does not have the value ${value}`}`;
}

/**
 * The response that shows that the condition is true. `onState` is called when it is known whether it is. The
 * watch begins with a linearizable read and has every
 * change after it. It is recursive, because a key below it creates a directory without a change of it.
 */
async function untilTrue(
  { etcd }: Session,
  condition: Condition,
  onState: () => void,
  signal: AbortSignal,
): Promise<EtcdResponse> {
  await using watcher = etcd.watch(condition.key, { recursive: true, initial: true, signal });
  // A watch waits for a cluster that cannot be reached; this reports it.
  await etcd.version({ signal });
  for await (const item of watcher) {
    onState();
    if (item.response !== null && isTrue(condition, item)) return item.response;
  }
  throw signal.reason;
}

function isTrue({ key, value }: Condition, { response }: WatchItem): boolean {
  const node: AnyNode | undefined = response?.node;
  if (node === undefined || !isPresent(node)) return false;
  return value === undefined || (node.key === key && node.value === value);
}
