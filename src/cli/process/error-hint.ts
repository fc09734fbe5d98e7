import { AdminError } from "../../errors/admin-error.js";
import { DirNotEmptyError, NotFileError, UnauthorizedError } from "../../errors/common-errors.js";
import { EventIndexClearedError } from "../../errors/event-errors.js";
import { refusalReasonOf } from "../../etcd3/error-messages.js";
import { CommandError } from "./command-error.js";
import type { FlagOf } from "./flag-names.js";

/** The command that failed. */
export interface FailedCommand {
  /** Name of the command, e.g. `rm`. */
  readonly name: string;
  /** Name of the user, without a password. */
  readonly user?: string | undefined;
  /** Writes the flags that concern the cluster. */
  readonly flag: FlagOf;
}

const UNAUTHORIZED = 401;

/** What to do about an error whose own message, which is etcd's, does not say it. */
export function hintOn(error: unknown, command: FailedCommand): string | undefined {
  if (error instanceof CommandError) return error.hint;
  const isRefusedUser = error instanceof AdminError && error.status === UNAUTHORIZED;
  if (isRefusedUser || error instanceof UnauthorizedError) return userHint(command);
  if (error instanceof NotFileError) return directoryHints(error.key)[command.name];
  if (error instanceof EventIndexClearedError && command.name !== "watch") {
    return "etcd has compacted that part of its history; the first number is the oldest index that it still has";
  }
  if (refusalReasonOf(error) === "too-large") {
    return "etcd accepts requests up to its --max-request-bytes, by default 1.5 MiB";
  }
  if (error instanceof DirNotEmptyError) {
    return `etcdnet rm --recursive ${error.key} removes it with everything in it`;
  }
  return undefined;
}

function userHint({ user, flag }: FailedCommand): string {
  const [username, file] = [flag("username"), flag("password-file")];
  return user === undefined
    ? `no user was given; name one with ${username} and ${file}`
    : `check the password of ${user} (${file}), and that a role of the user grants this access`;
}

/** What to use for a directory, by the command that needs a file. */
function directoryHints(key: string): Readonly<Record<string, string>> {
  const list = `it is a directory, which has no value; etcdnet ls ${key} shows what is in it`;
  return {
    rm: `it is a directory; etcdnet rm --dir ${key} removes it if it is empty, --recursive with everything in it`,
    set: list,
    update: list,
    setdir: "the directory exists already; etcdnet updatedir changes its TTL",
  };
}
