import { isMissing, skipVisibly } from "../foreign/missing.js";
import type { Application, Gateways, RunningApplication } from "./application.js";
import { confd } from "./confd.js";
import { conftool } from "./conftool.js";
import { etcdctlScripts } from "./etcdctl.js";
import { goFollower } from "./go-follower.js";
import { pyconfd } from "./pyconfd.js";
import { pythonLock } from "./python-lock.js";

const APPLICATIONS: readonly Application[] = [
  pythonLock,
  goFollower,
  etcdctlScripts,
  confd,
  pyconfd,
  conftool,
];

/** One application among the others: its failure must not stop them. */
export class Participant {
  readonly name: string;
  readonly #start: (gateways: Gateways) => Promise<RunningApplication>;
  #running: RunningApplication | undefined;
  #failure: unknown;

  constructor(name: string, start: (gateways: Gateways) => Promise<RunningApplication>) {
    this.name = name;
    this.#start = start;
  }

  start(gateways: Gateways): Promise<void> {
    return this.#try(async () => {
      this.#running = await this.#start(gateways);
      await this.#running.goesOn();
    });
  }

  goesOn(): Promise<void> {
    return this.#try(() => this.#running?.goesOn());
  }

  /** @throws Error of the first step that failed */
  async finish(): Promise<void> {
    await this.#try(() => this.#running?.finish());
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #try(step: () => Promise<void> | undefined): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** All applications that can be installed here; the others are tests that are skipped. */
export function participants(): readonly Participant[] {
  return APPLICATIONS.flatMap(({ name, install }) => {
    const start = install();
    if (!isMissing(start)) return [new Participant(name, start)];
    skipVisibly(name, start.missing);
    return [];
  });
}
