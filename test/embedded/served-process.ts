import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/project.mjs";

/** A server in a separate process with a limited heap. */
export class ServedProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** `heap` is V8's limit in MiB. @throws Error when the server does not start */
  static async start(
    kind: "embedded" | "gateway",
    options: object,
    heap: number,
  ): Promise<ServedProcess> {
    const index = pathToFileURL(join(root, "dist/server/index.js")).href;
    const program = join(import.meta.dirname, "served-process.mjs");
    const child = fork(program, [index, kind, JSON.stringify(options)], {
      execArgv: [`--max-old-space-size=${heap}`],
    });
    const ended = once(child, "exit").then(() => Promise.reject(new Error(`${kind} has ended`)));
    const [{ url }] = await Promise.race([once(child, "message"), ended]);
    ended.catch(() => {});
    return new ServedProcess(child, url);
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The peak memory of the process so far, in MiB. */
  async maxRss(): Promise<number> {
    this.#child.send("usage");
    const [{ maxRss }] = await once(this.#child, "message");
    return maxRss / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isAlive) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
