import type { Command } from "commander";
import { expect, it } from "vitest";
import { wholeProgram } from "../../src/cli/program.js";

const HEAD = `# Reference of the command line

Every command as \`etcdnet COMMAND --help\` shows it. [cli.md](cli.md) is the guide.
This file is written by \`npx vitest run test/cli/reference.test.ts -u\`.
`;

it("docs/cli-reference.md is the help of the program", async () => {
  const program = await wholeProgram();
  const sections = [program, ...below(program)].map(
    (command) => `## ${nameOf(command)}\n\n\`\`\`\n${helpOf(command)}\`\`\`\n`,
  );
  await expect([HEAD, ...sections].join("\n")).toMatchFileSnapshot("../../docs/cli-reference.md");
});

function below(command: Command): readonly Command[] {
  const commands = command.commands.filter((child) => child.name() !== "help");
  return commands.flatMap((child) => [child, ...below(child)]);
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}
