import { spawnSync } from "node:child_process";
import { type Started, start } from "../foreign/run.js";
import { MAIN } from "../support/cli-process.js";

/** `script` of util-linux gives a program a terminal. */
export const hasTerminal = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

/** Runs `etcdnet` on a terminal, which shows standard output and standard error alike. */
export function onTerminal(args: readonly string[], env: NodeJS.ProcessEnv): Terminal {
  const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(" ");
  const started = start("script", ["-qec", command, "/dev/null"], { env, keepInput: true });
  return {
    ...started,
    type: (text) => void started.child.stdin?.write(text),
  };
}

interface Terminal extends Started {
  /** Types text, as a person does. */
  type(text: string): void;
}
