import type { V3Api } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import { Watermark } from "../../shared/watermark.js";
import type { KeySchema } from "../schema/key-schema.js";
import { FreshnessPoll } from "./freshness-poll.js";
import { writeHeartbeat } from "./heartbeat.js";

/** Settings of a {@link DeliveryProgress}. */
export interface ProgressSettings {
  readonly schema: KeySchema;
  readonly clock: Clock;
  /** Reads the current revision with a linearizable read. */
  readonly readRevision: (signal: AbortSignal) => Promise<number>;
}

/** Milliseconds to wait for events before a heartbeat proves that there are none. */
const EVENT_WAIT_MS = 1_000;

/**
 * How far the watch on etcd has delivered. Where nothing changes in its range, etcd reports progress
 * every ten minutes at most; a heartbeat makes the watch deliver something.
 */
export class DeliveryProgress {
  readonly #api: V3Api;
  readonly #settings: ProgressSettings;
  readonly #delivered = new Watermark();
  readonly #freshness: FreshnessPoll;
  #heartbeat: Promise<boolean> | undefined;
  /** Highest revision that callers of {@link proveQuiet} wait for. */
  #wantedRevision = 0;
  #cancelProof: (() => void) | undefined;

  /** `delivered`: revision up to which nothing has to be delivered. */
  constructor(api: V3Api, settings: ProgressSettings, delivered: number) {
    const revision = (): number => this.revision;
    this.#api = api;
    this.#settings = settings;
    this.#delivered.set(delivered);
    this.#freshness = new FreshnessPoll({
      clock: settings.clock,
      get delivered() {
        return revision();
      },
      read: settings.readRevision,
      prove: () => void this.writeHeartbeat(),
    });
  }

  /** Revision up to which everything was delivered. */
  get revision(): number {
    return this.#delivered.reached;
  }

  /** Monotonic time: everything committed before was delivered, as far as is proven. */
  get currentAt(): number | undefined {
    return this.#freshness.provenAt;
  }

  advanceTo(revision: number): void {
    this.#delivered.set(revision);
    this.#freshness.advanceTo(revision);
  }

  /** Keeps proving `currentAt`, with at most this lag in milliseconds. */
  keepCurrent(maxLag: number): void {
    this.#freshness.start(maxLag);
  }

  stopKeepingCurrent(): void {
    this.#freshness.stop();
  }

  /**
   * Calls back when everything up to a revision was delivered, and ensures that this happens soon.
   * The returned function cancels the call.
   */
  whenDelivered(revision: number, callback: () => void): () => void {
    this.proveQuiet(revision);
    return this.#delivered.whenReached(revision, callback);
  }

  /** Ensures that a revision is delivered soon, even if nothing changes in the range. */
  proveQuiet(revision: number): void {
    if (this.revision >= revision) return;
    this.#wantedRevision = Math.max(this.#wantedRevision, revision);
    this.#cancelProof ??= this.#settings.clock.after(EVENT_WAIT_MS, () => {
      this.#cancelProof = undefined;
      if (this.revision < this.#wantedRevision) void this.writeHeartbeat();
    });
  }

  /** Concurrent callers share one heartbeat. @returns whether it was written */
  writeHeartbeat(): Promise<boolean> {
    this.#heartbeat ??= writeHeartbeat(this.#api, this.#settings.schema).finally(() => {
      this.#heartbeat = undefined;
    });
    return this.#heartbeat;
  }

  /** Stops reads and heartbeats. */
  stop(): void {
    this.#cancelProof?.();
    this.#freshness.stop();
  }
}
