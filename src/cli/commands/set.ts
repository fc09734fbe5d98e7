import type { Command } from "commander";
import type { KeyRequest } from "../../model/key-request.js";
import { parseSeconds } from "../options/duration.js";
import { keyOf } from "../options/key-argument.js";
import { lifetimeOf } from "../options/lifetime.js";
import { givenValue } from "../options/value-argument.js";
import { parseWholeNumber } from "../options/whole-number.js";
import { printResponse } from "../output/print-response.js";
import { clientCommand } from "./client-command.js";
import { type Session, withSession } from "./session.js";

interface SetFlags {
  readonly ttl?: number;
  readonly swapWithValue?: string;
  readonly swapWithIndex?: number;
}

export function setCommand(): Command {
  return clientCommand(
    "set",
    "Set the value of a key.",
    "etcdnet set /config/database db1 --ttl 60",
  )
    .argument("<key>")
    .argument("[value]", "default: standard input; put -- before a value that begins with -")
    .option("--ttl <duration>", "time until the key expires; 0: never", parseSeconds)
    .option("--swap-with-value <value>", "only if this is the current value")
    .option(
      "--swap-with-index <index>",
      "only if this is the current modified index",
      parseWholeNumber,
    )
    .action((key: string, value: string | undefined, flags: SetFlags, command: Command) =>
      withSession(command, (session) => set(session, keyOf(key), value, flags)),
    );
}

async function set(session: Session, key: string, argument: string | undefined, flags: SetFlags) {
  const value = await givenValue(argument, "etcdnet set KEY VALUE");
  printResponse(await session.etcd.execute(requestOf(key, value, flags)), session.format);
}

/** As in etcdctl, an empty value and index 0 set no condition. */
function requestOf(key: string, value: string, flags: SetFlags): KeyRequest {
  const { swapWithValue: prevValue = "", swapWithIndex: prevIndex = 0, ttl } = flags;
  const content = { key, value, ...lifetimeOf(ttl) };
  if (prevValue !== "") {
    const condition = prevIndex > 0 ? { prevValue, prevIndex } : { prevValue };
    return { action: "compareAndSwap", ...content, ...condition };
  }
  if (prevIndex > 0) return { action: "compareAndSwap", ...content, prevIndex };
  return { action: "set", ...content };
}
