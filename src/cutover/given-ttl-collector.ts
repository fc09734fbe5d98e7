import { CutoverError } from "../errors/cutover-error.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import type { CutoverRecords, RegisteredGateway } from "./cutover-records.js";

const READ_INTERVAL_MS = 5_000;
/** Gateways report each key for a minute, and register every few seconds. */
const MAX_INTERVAL_MS = 45_000;

/** Collects the keys to which refreshes give a TTL while v2 is copied. */
export class GivenTtlCollector implements AsyncDisposable {
  readonly #records: Pick<CutoverRecords, "gateways">;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #keys = new Set<string>();
  #readAt: number;
  #isIncomplete = false;
  readonly #reading: Promise<void>;

  /** Begins to collect. */
  constructor(records: Pick<CutoverRecords, "gateways">, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    this.#readAt = clock.monotonic();
    this.#reading = this.#read(this.#closing.signal).catch(() => {});
  }

  /** @param readAt monotonic time before they were read */
  take(gateways: readonly RegisteredGateway[], readAt: number): void {
    if (readAt - this.#readAt > MAX_INTERVAL_MS) this.#isIncomplete = true;
    this.#readAt = Math.max(this.#readAt, readAt);
    for (const { givenTtls } of gateways) for (const key of givenTtls) this.#keys.add(key);
  }

  /** @throws CutoverError when some may be missing */
  get keys(): readonly string[] {
    if (!this.#isIncomplete) return [...this.#keys];
    throw new CutoverError(
      "the gateways could not be asked for the TTLs that refreshes have given; run it again",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("they are not needed any more"));
    await this.#reading;
  }

  async #read(signal: AbortSignal): Promise<never> {
    for (;;) {
      const readAt = this.#clock.monotonic();
      const gateways = await this.#records.gateways({ signal }).catch(() => undefined);
      if (gateways !== undefined) this.take(gateways, readAt);
      await sleep(READ_INTERVAL_MS, this.#clock, signal);
    }
  }
}
