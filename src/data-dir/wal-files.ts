import { readdirSync } from "node:fs";
import { join } from "node:path";
import { MemberDataError } from "./member-data-error.js";

const WAL_NAME = /^([\da-f]+)-[\da-f]+\.wal$/;

/**
 * The paths of the newest write-ahead log files whose numbers are consecutive, oldest first.
 *
 * @throws MemberDataError when there are none
 */
export function walFiles(directory: string, onWarning: (text: string) => void): readonly string[] {
  const numbered = readdirSync(directory)
    .toSorted()
    .flatMap((name) => {
      const number = WAL_NAME.exec(name)?.[1];
      return number === undefined ? [] : [{ name, number: BigInt(`0x${number}`) }];
    });
  const last = numbered.at(-1);
  if (last === undefined)
    throw new MemberDataError(`${directory} has no file of a write-ahead log`);
  const first = numbered.findLastIndex(({ number }, position) => {
    const before = numbered[position - 1];
    return before === undefined || before.number !== number - 1n;
  });
  for (const { name } of numbered.slice(0, first)) {
    onWarning(`${join(directory, name)} is not used: the file after it is missing`);
  }
  return numbered.slice(first).map(({ name }) => join(directory, name));
}
