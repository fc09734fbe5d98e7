import { freePort } from "../../scripts/etcd-process.mjs";
import { Cli } from "../support/cli-process.js";

/**
 * Two gateways in processes of their own, before one cluster. Both advertise both URLs, for clients
 * that replace their endpoints with those of `/v2/machines` or `/v2/members`.
 */
export class TwoGateways implements AsyncDisposable {
  readonly urls: readonly [string, string];
  readonly #clusters: readonly string[];
  readonly #running = new Map<string, Cli>();

  /** @param clusters options that name the clusters of the gateways */
  static async start(clusters: readonly string[]): Promise<TwoGateways> {
    const gateways = new TwoGateways(clusters, [await freePort(), await freePort()]);
    await Promise.all(gateways.urls.map((url) => gateways.start(url)));
    return gateways;
  }

  private constructor(clusters: readonly string[], [first, second]: readonly [number, number]) {
    this.#clusters = clusters;
    this.urls = [`http://127.0.0.1:${first}`, `http://127.0.0.1:${second}`];
  }

  /**
   * Kills each gateway once, so that the one that the application uses is among them, and starts it
   * again after `goesOn`: the application must go on with the other gateway alone.
   */
  async killInTurn(goesOn: () => Promise<void>): Promise<void> {
    for (const url of this.urls) {
      await this.kill(url);
      await goesOn();
      await this.start(url);
    }
  }

  async kill(url: string): Promise<void> {
    await this.#running.get(url)?.[Symbol.asyncDispose]();
    this.#running.delete(url);
  }

  async start(url: string): Promise<void> {
    const advertise = ["--advertise", this.urls.join(",")];
    const port = ["--port", new URL(url).port];
    const gateway = new Cli("gateway", ...port, ...this.#clusters, ...advertise);
    this.#running.set(url, gateway);
    await gateway.url();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.urls.map((url) => this.kill(url)));
  }
}
