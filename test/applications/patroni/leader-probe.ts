import { setTimeout as delay } from "node:timers/promises";
import { SCOPE } from "./node.js";

const SAMPLE_EVERY_MS = 20;

/** Reads the leader's key at gateways all the time, as a client of the v2 API. */
export class LeaderProbe {
  /** What was read: names of leaders, and errors. */
  readonly answers = new Set<string>();
  samples = 0;
  readonly #stopped = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(gateways: readonly string[]) {
    this.#running = Promise.all(gateways.map((url) => this.#read(url)));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #read(gateway: string): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const path = `/v2/keys/service/${SCOPE}/leader?quorum=true`;
      const response = await fetch(gateway + path).catch(String);
      if (typeof response === "string") this.answers.add(response);
      else {
        const text = await response.text();
        this.answers.add(response.ok ? JSON.parse(text).node.value : text);
      }
      this.samples++;
      await delay(SAMPLE_EVERY_MS);
    }
  }
}
