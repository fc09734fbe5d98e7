import type { Command } from "commander";

/** More commands than these are not named. */
const MAX_NAMES = 5;

/** Text about the commands that have an option, to follow a message; empty if none has it. */
export function ownersText(flag: string, program: Command): string {
  const has = (command: Command): boolean =>
    command.options.some((option) => !option.hidden && [option.long, option.short].includes(flag));
  if (has(program)) return `; ${flag} is a global option, for commands that use a cluster`;
  const owners = below(program, "").filter(({ command }) => has(command));
  if (owners.length === 0) return "";
  const names = owners.slice(0, MAX_NAMES).map(({ path }) => path);
  const more = owners.length > MAX_NAMES ? ", …" : "";
  return `; it is an option of etcdnet ${names.join(", ")}${more}`;
}

interface NamedCommand {
  readonly path: string;
  readonly command: Command;
}

function below(command: Command, path: string): readonly NamedCommand[] {
  return command.commands.flatMap((child) => {
    const own = `${path} ${child.name()}`.trim();
    return [{ path: own, command: child }, ...below(child, own)];
  });
}
