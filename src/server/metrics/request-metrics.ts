import { Histogram } from "./histogram.js";
import type { MetricFamily } from "./prometheus-text.js";

/** How etcd counts a key request: by method, and quorum reads as `QGET`. */
export type CountedMethod = "GET" | "QGET" | "HEAD" | "PUT" | "POST" | "DELETE";

/** Bounds of etcd's histogram: 0.0005 × 2ⁿ, up to 2.048. */
const DURATION_BOUNDS_S = Array.from({ length: 13 }, (_, power) => 0.0005 * 2 ** power);

/**
 * Counts the key requests that are valid and allowed, and their outcomes. Watches are counted
 * separately, because they last until the next write.
 */
export class RequestMetrics {
  readonly #received = new Map<CountedMethod, number>();
  readonly #failed = new Map<string, number>();
  readonly #durations = new Map<CountedMethod, Histogram>();
  #watches = 0;

  /** Counts a watch request. */
  countWatch(): void {
    this.#watches++;
  }

  /** Counts a request, other than a watch, that passed the checks before the store. */
  countReceived(method: CountedMethod): void {
    this.#received.set(method, (this.#received.get(method) ?? 0) + 1);
  }

  /** Counts a received request that was refused with this HTTP status. */
  countFailure(method: CountedMethod, status: number): void {
    const id = `${status} ${method}`;
    this.#failed.set(id, (this.#failed.get(id) ?? 0) + 1);
  }

  /** Counts a received request that succeeded, with its duration. */
  countSuccess(method: CountedMethod, seconds: number): void {
    const histogram = this.#durations.get(method) ?? new Histogram(DURATION_BOUNDS_S);
    this.#durations.set(method, histogram);
    histogram.observe(seconds);
  }

  families(): readonly MetricFamily[] {
    return [
      {
        name: "etcd_debugging_store_watch_requests_total",
        type: "counter",
        help: "Watch requests; each long poll counts.",
        samples: [{ value: this.#watches }],
      },
      {
        name: "etcd_http_received_total",
        type: "counter",
        help: "Key requests, except watches, that were valid and allowed.",
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
        help: "Duration of the received requests that were not refused.",
        samples: [...this.#durations].flatMap(([method, histogram]) => histogram.show({ method })),
      },
    ];
  }
}
