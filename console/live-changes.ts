import type { ChangeEvent, StreamEvent } from "../src/console/model/page-types.js";
import { type Api, ApiError, messageOf } from "./api.js";
import { Emitter } from "./emitter.js";

const RETRY_MS = [500, 1_000, 2_000, 5_000];

export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "etcd away"; readonly message: string }
  | { readonly state: "console away" }
  | { readonly state: "no watch"; readonly message: string };

/** What takes the changes. */
export interface ChangeTarget {
  onChanges(changes: readonly ChangeEvent[]): void;
  /** What was read before may be old. */
  onGap(reason: string): void;
}

/** The stream of changes of the page. It continues after each interruption, and says when changes were missed. */
export class LiveChanges extends Emitter {
  readonly #api: Api;
  readonly #target: ChangeTarget;
  #ending = new AbortController();
  #index = 0;
  #clusterId: string | undefined;
  connection: Connection = { state: "connecting" };

  constructor(api: Api, target: ChangeTarget) {
    super();
    this.#api = api;
    this.#target = target;
  }

  /**
   * Resolves when the watch is open, so that what is read from then on stays up to date. Continues after the last change
   * of an earlier start, also in another session.
   */
  start(): Promise<void> {
    this.#ending = new AbortController();
    return new Promise((resolve) => void this.#run(resolve, this.#ending.signal));
  }

  stop(): void {
    this.#ending.abort();
  }

  async #run(onOpen: () => void, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const from = this.#index > 0 ? this.#index + 1 : undefined;
        const query = { key: "/", from, clusterId: from && this.#clusterId };
        for await (const event of this.#api.events("events", query, signal)) {
          failures = 0;
          if (this.#take(event) === "ended") return onOpen();
          if (event.type === "open" || event.type === "disconnected") onOpen();
        }
      } catch (error) {
        if (signal.aborted) return;
        // The session has ended, and another one starts it again.
        if (error instanceof ApiError && error.status === 401) return onOpen();
        if (error instanceof ApiError) this.#show({ state: "no watch", message: messageOf(error) });
      }
      if (signal.aborted) return;
      this.#show({ state: "console away" });
      onOpen();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[failures] ?? 5_000));
    }
  }

  #take(event: StreamEvent): "ended" | "continues" {
    switch (event.type) {
      case "open":
        if (this.#index === 0) this.#index = event.index;
        this.#clusterId = event.clusterId;
        this.#show({ state: "live" });
        break;
      case "changes":
        this.#index = event.changes.at(-1)?.index ?? this.#index;
        this.#target.onChanges(event.changes);
        break;
      case "gap":
        this.#index = event.index;
        this.#clusterId = event.clusterId;
        this.#target.onGap(event.reason);
        break;
      case "connected":
        this.#show({ state: "live" });
        break;
      case "disconnected":
        this.#show({ state: "etcd away", message: event.message });
        break;
      case "failed":
        this.#show({ state: "no watch", message: event.failure.message });
        return "ended";
    }
    return "continues";
  }

  #show(connection: Connection): void {
    this.connection = connection;
    this.emit();
  }
}
