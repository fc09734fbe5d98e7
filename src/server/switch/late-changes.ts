import { traceServerState } from "../../diagnostics/server-channels.js";
import type { KeySpace } from "../../key-space/key-space.js";
import type { Resync } from "../../key-space/subscription.js";
import type { EtcdResponse } from "../../model/response.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";

/** Milliseconds after which v2 is asked again that could not be reached. */
const RETRY_MS = 10_000;
/** Milliseconds between two reports. */
const REPORT_MS = 60_000;
/** Milliseconds after which it is proven that no change was missed. */
const POLL_INTERVAL_MS = 5_000;

/**
 * Changes of v2 after its end, except for keys that expire: somebody has written to v2 without a gateway, or a request
 * of a gateway was carried out late. They are not on v3.
 */
export class LateChanges {
  readonly #keySpace: Pick<KeySpace, "subscribe">;
  readonly #clock: Clock;
  #next: number;
  #count = 0;
  /** What has happened last. */
  #last = "";
  #reportedAt: number | undefined;

  /** @param end index of v2 up to which its changes count */
  constructor(keySpace: Pick<KeySpace, "subscribe">, end: number, clock: Clock) {
    this.#keySpace = keySpace;
    this.#next = end + 1;
    this.#clock = clock;
  }

  /** Number of changes that were seen. */
  get count(): number {
    return this.#count;
  }

  /** What has happened, as a clause; empty: nothing. */
  get text(): string {
    return this.#count === 0
      ? ""
      : `changes of v2 after its end: ${this.#count}; last: ${this.#last}`;
  }

  /** Watches v2 as long as it runs. Never resolves. @throws the abort reason */
  async watch(signal: AbortSignal): Promise<never> {
    for (;;) {
      const request = { key: "/", recursive: true, from: this.#next, state: "none" } as const;
      const limits = { bufferSize: 1_000, pollInterval: POLL_INTERVAL_MS };
      try {
        const changes = this.#keySpace.subscribe({ ...request, ...limits }, { signal });
        for await (const item of changes) {
          if (item.type === "changes") for (const change of item.changes) this.#take(change);
          else this.#skip(item);
        }
      } catch {
        // v2 may have been stopped for good.
      }
      await sleep(RETRY_MS, this.#clock, signal);
    }
  }

  #take({ action, node }: EtcdResponse): void {
    this.#next = node.modifiedIndex + 1;
    if (action !== "expire") this.#add(`${action} ${node.key} at index ${node.modifiedIndex}`);
  }

  /** v2 has discarded changes: nobody knows what they were. */
  #skip({ reason, index }: Resync): void {
    const from = this.#next;
    this.#next = index + 1;
    if (reason === "cluster-changed") this.#add("another v2 cluster responds");
    else if (index >= from) this.#add(`unknown, from index ${from} to ${index}`);
  }

  #add(text: string): void {
    this.#count++;
    this.#last = text;
    const now = this.#clock.monotonic();
    if (this.#reportedAt !== undefined && now < this.#reportedAt + REPORT_MS) return;
    this.#reportedAt = now;
    traceServerState({ kind: "cutover", event: "late-change", cause: new Error(this.text) });
  }
}
