import { EventIndexClearedError } from "../../../errors/event-errors.js";
import type { WatchRequest } from "../../../model/key-request.js";
import type { EtcdResponse } from "../../../model/response.js";
import { firstOf } from "../../../stream/first-of.js";
import { linkSignals } from "../../../time/link-signals.js";
import { sleep } from "../../../time/sleep.js";
import type { KeyWatch } from "../../key-space.js";
import { isRetryable } from "../../shared/is-retryable.js";
import { WatchDecorator } from "../../shared/watch-decorator.js";
import type { SessionContext } from "./session-context.js";

/** Milliseconds between two scans of history while a poll is open, because its connection may be dead. */
const SCAN_INTERVAL_MS = 30_000;
/** Random share of this interval, so that many polls do not scan at the same time. */
const JITTER = 0.2;

/** Abort reason of scans after the poll has ended. */
const POLL_ENDED = new Error("the poll has ended");

/**
 * A long poll that scans history from time to time for an event that was sent into a dead connection. Its events
 * end with the errors of the poll, and with errors of scans that time cannot repair.
 */
export class CheckedPoll extends WatchDecorator {
  readonly #request: WatchRequest;
  readonly #context: SessionContext;
  readonly #signal: AbortSignal | undefined;
  #provenIndex: number;

  constructor(
    poll: KeyWatch,
    request: WatchRequest,
    context: SessionContext,
    signal: AbortSignal | undefined,
  ) {
    super(poll);
    this.#request = request;
    this.#context = context;
    this.#signal = signal;
    this.#provenIndex = poll.provenIndex;
  }

  override get provenIndex(): number {
    return this.#provenIndex;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EtcdResponse, undefined, undefined> {
    const linked = linkSignals(this.#signal);
    const found = this.#scanRepeatedly(linked.signal);
    found.catch(() => {});
    try {
      const event = await Promise.race([firstOf(this.watch), found]);
      if (event !== undefined) yield event;
      return undefined;
    } finally {
      linked.abort(POLL_ENDED);
      this.close();
    }
  }

  /** Scans until history has an event. Stays pending after an abort, which the poll reports. */
  async #scanRepeatedly(signal: AbortSignal): Promise<EtcdResponse> {
    for (;;) {
      try {
        const interval = SCAN_INTERVAL_MS * (1 - JITTER * Math.random());
        await sleep(interval, this.#context.clock, signal);
        const event = await this.#scan(signal);
        if (event !== undefined) return event;
      } catch (error) {
        if (signal.aborted) return await new Promise(() => {});
        // Only history is of no use; the connection may still be alive.
        if (!isRetryable(error) && !(error instanceof EventIndexClearedError)) throw error;
      }
    }
  }

  async #scan(signal: AbortSignal): Promise<EtcdResponse | undefined> {
    const { key, recursive = false } = this.#request;
    const request = { key, recursive, since: this.#provenIndex + 1 };
    const scan = await this.#context.reads.scan(request, signal);
    if (scan.etcdClusterId !== this.watch.etcdClusterId) return undefined;
    const [event] = scan.events;
    if (event === undefined) this.#provenIndex = Math.max(this.#provenIndex, scan.provenIndex ?? 0);
    return event;
  }
}
