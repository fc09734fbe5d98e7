/** The shell commands of a document, and what it says that they print. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { root } from "../../scripts/project.mjs";
import { run } from "../foreign/run.js";

export interface ShellBlock {
  readonly command: string;
  /** What the following block of text shows. */
  readonly printed: string | undefined;
}

const BLOCK = /^```sh\n(.*?)^```(?:\n```text\n(.*?)^```)?/gms;

/** The blocks of each section (`## …`), by its heading; those before the first one have "". */
export function shellBlocks(file: string): ReadonlyMap<string, readonly ShellBlock[]> {
  const sections = readFileSync(join(root, file), "utf8").split(/^## /m);
  return new Map(
    sections.map((section, number) => {
      const heading = number === 0 ? "" : section.slice(0, section.indexOf("\n"));
      const blocks = [...section.matchAll(BLOCK)].map(([, command = "", printed]) => ({
        command,
        printed,
      }));
      return [heading, blocks] as const;
    }),
  );
}

/** Runs blocks one after the other. A test prepares the fault before a block, and repairs it after. */
export class ShellSession {
  readonly #blocks: readonly ShellBlock[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #cwd: string;
  #next = 0;

  constructor(blocks: readonly ShellBlock[], cwd: string, env: NodeJS.ProcessEnv) {
    this.#blocks = blocks;
    this.#cwd = cwd;
    this.#env = env;
  }

  /** Runs the next block. It must print what the document shows. */
  async next(): Promise<void> {
    const block = this.#blocks[this.#next++];
    if (block === undefined) throw new Error("the section has no further command");
    const printed = await this.#print(block.command);
    expect(printed, block.command).toMatch(patternOf(block.printed ?? ""));
  }

  /** Runs the next block until it prints what the document shows. */
  async untilNext(): Promise<void> {
    const block = this.#blocks[this.#next++];
    if (block === undefined) throw new Error("the section has no further command");
    const check = async (): Promise<void> => {
      expect(await this.#print(block.command), block.command).toMatch(
        patternOf(block.printed ?? ""),
      );
    };
    await vi.waitFor(check, { timeout: 60_000 });
  }

  get isComplete(): boolean {
    return this.#next === this.#blocks.length;
  }

  async #print(command: string): Promise<string> {
    const options = { cwd: this.#cwd, env: this.#env };
    const { stdout } = await run("sh", ["-c", `exec 2>&1\n${command}`], options);
    return stdout.replaceAll("\r", "");
  }
}

/** `…` stands for the rest of a line, or for any lines. */
function patternOf(printed: string): RegExp {
  const lines = printed.trimEnd().split("\n");
  const patterns = lines.map((line) =>
    line === "…" ? "[^]*" : line.split("…").map(escaped).join("[^\\n]*"),
  );
  return new RegExp(`^${patterns.join("\\n")}\\n?$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
