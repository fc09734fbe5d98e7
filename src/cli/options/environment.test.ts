import { Command, Option } from "commander";
import { describe, expect, it, test } from "vitest";
import { addVariables, givenOptions, unusedVariables, variablesOf } from "./environment.js";
import { parsePositive } from "./whole-number.js";

function commandWith(...args: readonly string[]): Command {
  const command = new Command("test")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .option("--size <number>", "size", parsePositive, 7)
    .option("--key <file>", "key of a server")
    .option("--fast", "be fast")
    .option("--check", "only check")
    .addOption(new Option("--kind <kind>", "kind").choices(["a", "b"]))
    .addOption(new Option("--old <x>", "former name").hideHelp());
  addVariables(command, { key: ["ETCDNET_LISTEN_KEY", "OLD_KEY"], check: [] });
  command.parse(args, { from: "user" });
  return command;
}

const optionsWith = (env: NodeJS.ProcessEnv, ...args: readonly string[]) =>
  givenOptions<object>(commandWith(...args), env).options;

test("the command line comes before the environment, and that before the default", () => {
  expect(optionsWith({})).toEqual({ size: 7 });
  expect(optionsWith({ ETCDNET_SIZE: "8" })).toEqual({ size: 8 });
  expect(optionsWith({ ETCDNET_SIZE: "8" }, "--size", "9")).toEqual({ size: 9 });
  // The command line replaces the variable, so that its value does not matter.
  expect(optionsWith({ ETCDNET_SIZE: "x" }, "--size", "7")).toEqual({ size: 7 });
});

test("an empty variable is not set", () => {
  expect(optionsWith({ ETCDNET_SIZE: "", ETCDNET_FAST: "" })).toEqual({ size: 7 });
  expect(optionsWith({ ETCDNET_LISTEN_KEY: "", OLD_KEY: "b" })).toEqual({ size: 7, key: "b" });
});

test("the first variable that is set counts", () => {
  const env = { OLD_KEY: "b", ETCDNET_LISTEN_KEY: "a", ETCDNET_KEY: "c" };
  expect(optionsWith(env)).toEqual({ size: 7, key: "a" });
});

test("hidden options and those without a variable are not set", () => {
  expect(optionsWith({ ETCDNET_OLD: "1", ETCDNET_CHECK: "true" })).toEqual({ size: 7 });
});

test.each([
  ["true", true],
  ["1", true],
  ["TRUE", true],
  ["false", false],
  ["0", false],
])("a switch can be %s", (text, fast) => {
  expect(optionsWith({ ETCDNET_FAST: text })).toEqual({ size: 7, fast });
});

test.each([
  [{ ETCDNET_SIZE: "0" }, "error: ETCDNET_SIZE is invalid. It must be 1 or more."],
  [{ ETCDNET_FAST: "yes" }, "error: ETCDNET_FAST is invalid. It must be true or false."],
  [{ ETCDNET_KIND: "c" }, "error: ETCDNET_KIND is invalid. Allowed choices are a, b."],
])("an invalid value names the variable: %j", (env, message) => {
  expect(() => optionsWith(env)).toThrow(message);
});

test("messages name an option by what has set it", () => {
  const { flag } = givenOptions<object>(commandWith("--size", "3"), {
    ETCDNET_SIZE: "4",
    OLD_KEY: "a",
  });
  expect([flag("size"), flag("key"), flag("kind")]).toEqual(["--size", "OLD_KEY", "--kind"]);
});

test("the help shows the variable of each visible option", () => {
  const help = commandWith().helpInformation();
  expect(help).toContain("size [$ETCDNET_SIZE] (default: 7)");
  expect(help).toContain("key of a server [$ETCDNET_LISTEN_KEY]");
  expect(help).toMatch(/only check$/m);
});

describe("variables that set nothing", () => {
  const used = variablesOf(commandWith());
  const unused = (env: NodeJS.ProcessEnv) => unusedVariables(used, env);

  it("are named with what was probably meant", () => {
    expect(unused({ ETCDNET_SIEZ: "1", ETCDNET_KEY: "a", ETCDNET_SEED: "1" })).toEqual([
      { name: "ETCDNET_SIEZ", meant: "ETCDNET_SIZE" },
      { name: "ETCDNET_KEY", meant: "ETCDNET_LISTEN_KEY" },
      { name: "ETCDNET_SEED", meant: undefined },
    ]);
    expect(unused({ ETCDNET_COLOUR_OF_MAGIC: "1" })).toEqual([
      { name: "ETCDNET_COLOUR_OF_MAGIC", meant: undefined },
    ]);
  });

  it("do not include empty ones and those of other programs", () => {
    expect(unused({ ETCDNET_OTHER: "", ETCD_NAME: "a", OLD_KEY: "a", ETCDNET_SIZE: "1" })).toEqual(
      [],
    );
  });

  it("do not include the service links of Kubernetes, which set no option either", () => {
    const links = {
      ETCDNET_SERVICE_HOST: "10.0.0.1",
      ETCDNET_SERVICE_PORT: "2379",
      ETCDNET_SERVICE_PORT_CLIENT: "2379",
      ETCDNET_SIZE: "tcp://10.0.0.1:2379",
      ETCDNET_PORT_2379_TCP: "tcp://10.0.0.1:2379",
      ETCDNET_PORT_2379_TCP_ADDR: "10.0.0.1",
      ETCDNET_GATEWAY_SERVICE_HOST: "10.0.0.2",
      ETCDNET_GATEWAY_PORT: "tcp://10.0.0.2:2379",
    };
    expect(unused(links)).toEqual([]);
    const command = addVariables(new Command("t").option("--port <n>", "port", parsePositive, 1));
    command.parse([], { from: "user" });
    const port = (text: string): object =>
      givenOptions<object>(command, { ...links, ETCDNET_PORT: text }).options;
    expect(port("tcp://10.0.0.1:2379")).toEqual({ port: 1 });
    expect(port("2379")).toEqual({ port: 2379 });
  });
});
