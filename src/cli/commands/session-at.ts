import { Option } from "commander";
import { parsePositive } from "../options/whole-number.js";
import { CommandError } from "../process/command-error.js";
import type { Session } from "./session.js";

export interface AtFlag {
  readonly at?: number;
}

export function atOption(): Option {
  return new Option(
    "--at <index>",
    "with --api v3: as it was after the change with this index",
  ).argParser(parsePositive);
}

/** The session as of the index that was given. @throws CommandError for the v2 API */
export function sessionAt(session: Session, { at }: AtFlag): Session {
  if (at === undefined) return session;
  requirePast(session, "--at");
  return { ...session, etcd: session.etcd.at(at) };
}

/** @throws CommandError for the v2 API, which says what to use there */
export function requirePast({ options }: Session, what: string): void {
  if (options.api === "v3") return;
  throw new CommandError(
    `Error:  ${what} needs --api v3: etcd's v2 API keeps no earlier values`,
    "etcdnet watch --forever --recursive --timestamps -o jsonl / records the changes from now on; with " +
      "--after-index, also those of the last 1000 of all keys",
  );
}
