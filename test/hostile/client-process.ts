import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/project.mjs";
import type { ExchangePlan } from "./exchange-plan.js";

/** Milliseconds: many times what the clients' own limits allow, also on a busy machine. */
const PATIENCE_MS = 20_000;
/** Maximum heap of the process in MiB. */
const HEAP_MIB = 192;

/** The result of an exchange. */
interface Outcome {
  readonly lane: number;
  /** Name of the error, `answered`, or what is wrong. */
  readonly outcome: string;
  /** Memory of the process after it, in bytes. */
  readonly memory: number;
}

/** The process of the clients, which do what they are told to do in `client-process.mjs`. */
export class ClientProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (outcome: string) => void>();
  readonly #exit: Promise<string>;
  /** Most memory that the process had after an exchange, in bytes. */
  maxMemory = 0;
  #stderr = "";

  /** `flags` are those of Node. */
  constructor(node = process.execPath, flags: readonly string[] = []) {
    const modules = ["dist/index.js", "dist/server/index.js"];
    const urls = modules.map((path) => pathToFileURL(join(root, path)).href);
    this.#child = fork(join(import.meta.dirname, "client-process.mjs"), urls, {
      execPath: node,
      execArgv: [`--max-old-space-size=${HEAP_MIB}`, ...flags],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#child.on("message", ({ lane, outcome, memory = 0 }: Outcome) => {
      this.maxMemory = Math.max(this.maxMemory, memory);
      this.#waiting.get(lane)?.(outcome);
    });
    this.#exit = once(this.#child, "close").then(([code, signal]) =>
      code === 0 ? "" : `died with ${code ?? signal}: ${this.#stderr}`,
    );
  }

  /** Makes an exchange. @returns how it ended */
  run(lane: number, plan: ExchangePlan): Promise<string> {
    const ended = new Promise<string>((resolve) => this.#waiting.set(lane, resolve));
    if (this.#child.connected) this.#child.send({ lane, plan });
    return Promise.race([ended, this.#exit, setTimeout(PATIENCE_MS, "hung", { ref: false })]);
  }

  /** Ends it. @returns what is wrong with its end */
  async end(): Promise<string | undefined> {
    if (this.#child.connected) this.#child.send({ end: true });
    const late = setTimeout(PATIENCE_MS, "hung: something is left that holds the process", {
      ref: false,
    });
    const end = await Promise.race([this.#exit, late]);
    this.#child.kill("SIGKILL");
    return end === "" ? undefined : end;
  }
}
