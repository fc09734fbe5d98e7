import type { Command } from "commander";

/** The program with one command loaded. */
export type ProgramFor = (called: string | undefined) => Promise<Command>;
