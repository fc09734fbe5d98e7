import type { Command, Option } from "commander";
import { switchOf } from "./switch.js";

const LONG = /^--?([a-z][a-z-]+)(?:=(.*))?$/s;

/**
 * Converts the notation of etcdctl: `-name` becomes `--name`, and a switch may have `=true` or `=false`.
 * Arguments after `--` are not changed.
 */
export function withoutGoNotation(argv: readonly string[], program: Command): string[] {
  const options = longOptions(program);
  const rest = argv[Symbol.iterator]();
  const plain: string[] = [];
  for (const argument of rest) {
    if (argument === "--") return [...plain, argument, ...rest];
    const [, name = "", value] = LONG.exec(argument) ?? [];
    const option = options.get(name);
    if (option === undefined) plain.push(argument);
    else if (!option.required) plain.push(...plainSwitch(argument, name, value));
    else if (value !== undefined) plain.push(`--${name}=${value}`);
    // The next argument is its value, even if it looks like an option.
    else plain.push(`--${name}`, ...take(rest));
  }
  return plain;
}

function plainSwitch(argument: string, name: string, value: string | undefined): string[] {
  const isOn = value === undefined ? true : switchOf(value);
  if (isOn === undefined) return [argument];
  return isOn ? [`--${name}`] : [];
}

function take(rest: Iterator<string>): string[] {
  const { done, value } = rest.next();
  return done === true ? [] : [value];
}

function longOptions(command: Command): ReadonlyMap<string, Option> {
  const own = command.options.flatMap((option) =>
    option.long === undefined ? [] : [[option.long.slice(2), option] as const],
  );
  const below = command.commands.flatMap((child) => [...longOptions(child)]);
  return new Map([...own, ...below]);
}
