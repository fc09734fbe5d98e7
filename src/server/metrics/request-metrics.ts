import { Histogram } from "./histogram.js";
import type { MetricFamily } from "./prometheus-text.js";

/** A request for keys as etcd counts it: by method, and reads with quorum as `QGET`. */
export type CountedMethod = "GET" | "QGET" | "HEAD" | "PUT" | "POST" | "DELETE";

/** Seconds: 0.0005 × 2ⁿ up to 2.048, as etcd's. */
const DURATIONS = Array.from({ length: 13 }, (_, power) => 0.0005 * 2 ** power);

/**
 * Counts the requests for keys that were well-formed and allowed, and how they ended. Watches are
 * counted apart, as they last until somebody writes.
 */
export class RequestMetrics {
  readonly #received = new Map<CountedMethod, number>();
  readonly #failed = new Map<string, number>();
  readonly #durations = new Map<CountedMethod, Histogram>();
  #watches = 0;

  /** A watch was asked for. */
  countWatch(): void {
    this.#watches++;
  }

  /** A request other than a watch has passed the checks before the store. */
  countReceived(method: CountedMethod): void {
    this.#received.set(method, (this.#received.get(method) ?? 0) + 1);
  }

  /** A received request was refused with this HTTP status. */
  countFailure(method: CountedMethod, status: number): void {
    const id = `${status} ${method}`;
    this.#failed.set(id, (this.#failed.get(id) ?? 0) + 1);
  }

  /** A received request was answered after so many seconds. */
  countSuccess(method: CountedMethod, seconds: number): void {
    const histogram = this.#durations.get(method) ?? new Histogram(DURATIONS);
    this.#durations.set(method, histogram);
    histogram.observe(seconds);
  }

  /** What was counted. */
  families(): readonly MetricFamily[] {
    return [
      {
        name: "etcd_debugging_store_watch_requests_total",
        type: "counter",
        help: "Watches that were asked for, new and repeated ones.",
        samples: [{ value: this.#watches }],
      },
      {
        name: "etcd_http_received_total",
        type: "counter",
        help: "Requests for keys, without watches, that were well-formed and allowed.",
        samples: [...this.#received].map(([method, value]) => ({ labels: { method }, value })),
      },
      {
        name: "etcd_http_failed_total",
        type: "counter",
        help: "Received requests that were refused, by HTTP status.",
        samples: [...this.#failed].map(([id, value]) => {
          const [code = "", method = ""] = id.split(" ");
          return { labels: { code, method }, value };
        }),
      },
      {
        name: "etcd_http_successful_duration_seconds",
        type: "histogram",
        help: "How long it took to answer the received requests that were not refused.",
        samples: [...this.#durations].flatMap(([method, histogram]) => histogram.show({ method })),
      },
    ];
  }
}
