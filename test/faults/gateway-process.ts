import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { freePort } from "../../scripts/etcd-process.mjs";
import { hasRunningThread } from "../../scripts/process-threads.mjs";
import type { HostNames } from "./host-names.js";

const SHIFTED_DATE = pathToFileURL(join(import.meta.dirname, "gateway/shifted-date.mjs")).href;

/** The cluster before which a gateway is; with `source`, it is before that one until it is switched. */
export interface GatewayClusters {
  readonly etcd: { readonly urls: readonly string[] };
  readonly source?: { readonly urls: readonly string[] };
}

/** A gateway in a process of its own, which can be killed and started again at the same URL. */
export class GatewayProcess {
  readonly name: string;
  readonly url: string;
  readonly #program: string;
  readonly #port: number;
  readonly #clusters: GatewayClusters;
  readonly #names: HostNames;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #stderr = "";

  static async start(
    name: string,
    program: string,
    clusters: GatewayClusters,
    names: HostNames,
  ): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(name, program, await freePort(), clusters, names);
    await gateway.start();
    return gateway;
  }

  private constructor(
    name: string,
    program: string,
    port: number,
    clusters: GatewayClusters,
    names: HostNames,
  ) {
    this.name = name;
    this.url = `http://127.0.0.1:${port}`;
    this.#program = program;
    this.#port = port;
    this.#clusters = clusters;
    this.#names = names;
  }

  async start(): Promise<void> {
    const child = fork(this.#program, [String(this.#port), JSON.stringify(this.#clusters)], {
      execArgv: ["--enable-source-maps", "--import", SHIFTED_DATE, ...this.#names.nodeArgs],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#child = child;
    this.#ended = once(child, "close").then(() => {
      this.#child = undefined;
    });
    const listening = once(child, "message").then(() => true);
    if (await Promise.race([listening, this.#ended.then(() => false)])) return;
    throw new Error(`the gateway ${this.name} ended at its start: ${this.#stderr}`);
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** What it wrote to its standard error: a gateway writes nothing unless it fails. */
  get stderr(): string {
    return this.#stderr;
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** SIGSTOP: connections stay open, and no request is processed. */
  pause(): void {
    const pid = this.#child?.pid;
    this.#child?.kill("SIGSTOP");
    while (pid !== undefined && this.isRunning && hasRunningThread(pid));
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Sets its wall clock to this many ms after the real one. */
  shiftClock(ms: number): void {
    this.#child?.send({ shiftMs: ms });
  }
}
