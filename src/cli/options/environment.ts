import { type Command, InvalidArgumentError, type Option, type OptionValues } from "commander";
import { distanceOf } from "../../errors/similar-name.js";
import { type FlagOf, flagOf } from "../process/flag-names.js";
import { isServiceLink } from "./service-links.js";
import { parseSwitch } from "./switch.js";

const PREFIX = "ETCDNET_";

/**
 * Variables of options, by the name of the option, instead of the derived one. The first variable that
 * is set counts. An empty list: the option has none.
 */
export type VariableNames = Readonly<Record<string, readonly string[]>>;

/** Options, and how messages name them: by the flag, or by the variable that has set them. */
export interface GivenOptions<T> {
  readonly options: T;
  readonly flag: FlagOf;
}

/** The value of an option that a variable has set. */
interface VariableValue {
  readonly attribute: string;
  readonly variable: string;
  readonly value: unknown;
}

const variables = new WeakMap<Option, readonly string[]>();

/**
 * Gives each visible option of a command an environment variable: `--listen-cert` ETCDNET_LISTEN_CERT.
 * The help shows it.
 */
export function addVariables(command: Command, names: VariableNames = {}): Command {
  for (const option of command.options) {
    if (option.long === undefined || option.hidden) continue;
    const own = names[option.name()] ?? [variableFor(option.name())];
    const [first] = own;
    if (first === undefined) continue;
    variables.set(option, own);
    option.description += ` [$${first}]`;
  }
  return command;
}

/** The variables that a command reads. */
export function variablesOf(command: Command): readonly string[] {
  return command.options.flatMap((option) => variables.get(option) ?? []);
}

/** Whether a variable is set. An empty one counts as not set. */
function isSet(variable: string, env: NodeJS.ProcessEnv): boolean {
  const text = env[variable] ?? "";
  return text !== "" && !isServiceLink(variable, env);
}

/** The options of a command: the command line comes first, then the environment, then the defaults. */
export function givenOptions<T extends OptionValues>(
  command: Command,
  env = process.env,
): GivenOptions<T> {
  const isGiven = ({ attribute }: { readonly attribute: string }): boolean =>
    command.getOptionValueSource(attribute) === "cli";
  const values = variableValues(command, env, isGiven);
  return { options: { ...command.opts<T>(), ...optionsIn(values) }, flag: flagsFor(values) };
}

/**
 * The options that variables set, by the name of the option. An invalid value ends the process with a
 * message that names the variable, unless the option `isGiven` on the command line.
 */
export function variableValues(
  command: Command,
  env: NodeJS.ProcessEnv,
  isGiven: (option: { readonly attribute: string }) => boolean,
): ReadonlyMap<string, VariableValue> {
  const values = new Map<string, VariableValue>();
  for (const option of command.options) {
    const attribute = option.attributeName();
    const variable = variables.get(option)?.find((name) => isSet(name, env));
    if (variable === undefined || isGiven({ attribute })) continue;
    const value = parse(option, env[variable] ?? "", (problem) =>
      command.error(`error: ${variable} is invalid. ${problem}`),
    );
    values.set(option.name(), { attribute, variable, value });
  }
  return values;
}

/** The values as options of the command. */
export function optionsIn(values: ReadonlyMap<string, VariableValue>): object {
  return Object.fromEntries([...values.values()].map(({ attribute, value }) => [attribute, value]));
}

/** Names an option by the variable that has set it, else by its flag. */
export function flagsFor(values: ReadonlyMap<string, VariableValue>): FlagOf {
  return (name) => values.get(name)?.variable ?? flagOf(name);
}

function variableFor(name: string): string {
  return `${PREFIX}${name.toUpperCase().replaceAll("-", "_")}`;
}

function parse(option: Option, text: string, refuse: (problem: string) => never): unknown {
  try {
    if (!option.required && !option.optional) return parseSwitch(text);
    return option.parseArg === undefined ? text : option.parseArg<unknown>(text, undefined);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return refuse(error.message);
    throw error;
  }
}

/** A variable that no option reads, and the one that was probably meant. */
interface UnusedVariable {
  readonly name: string;
  readonly meant: string | undefined;
}

/** The variables with the prefix of this program that set none of the `used` ones. */
export function unusedVariables(
  used: readonly string[],
  env: NodeJS.ProcessEnv,
): readonly UnusedVariable[] {
  const names = Object.keys(env).filter(
    (name) => name.startsWith(PREFIX) && !used.includes(name) && isSet(name, env),
  );
  return names.map((name) => ({ name, meant: similar(name, used) }));
}

function similar(name: string, candidates: readonly string[]): string | undefined {
  const own = candidates.filter((candidate) => candidate.startsWith(PREFIX));
  const wordsOf = (variable: string) => variable.slice(PREFIX.length).split("_");
  const words = wordsOf(name);
  const longer = own.find((candidate) => {
    const parts = wordsOf(candidate);
    return words.every((word) => parts.includes(word));
  });
  if (longer !== undefined) return longer;
  const maxDistance = Math.min(3, Math.ceil((name.length - PREFIX.length) / 2));
  const ranked = own.map((candidate) => ({ candidate, distance: distanceOf(name, candidate) }));
  const [nearest] = ranked.sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= maxDistance ? nearest.candidate : undefined;
}
