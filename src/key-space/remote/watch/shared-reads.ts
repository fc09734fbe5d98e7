import { EtcdServerError } from "../../../errors/server-error.js";
import type { ScanRequest, WatchRequest } from "../../../model/key-request.js";
import { offAbort, onAbort } from "../../../stream/on-abort.js";
import type { Clock } from "../../../time/clock.js";
import { Pacer } from "../../../time/pacer.js";
import { SharedScans } from "./shared-scans.js";
import type { Probe, Scan, WatchRequests } from "./watch-requests.js";

/** Milliseconds between two requests: at most 20 per second. */
const SPACING_MS = 50;

type Read = (signal: AbortSignal) => Promise<Probe>;

/** A read that has not started yet, and the number of its callers. */
interface PendingRead {
  readonly result: Promise<Probe>;
  readonly aborter: AbortController;
  callers: number;
}

/** The reads with which the watches of a client look for missing changes, at a limited rate. */
export class SharedReads {
  readonly #requests: WatchRequests;
  readonly #pacer: Pacer;
  readonly #scans: SharedScans;
  /** By URL of the endpoint. */
  readonly #probes = new Map<string, SharedProbe>();

  constructor(requests: WatchRequests, clock: Clock) {
    this.#requests = requests;
    this.#pacer = new Pacer(SPACING_MS, clock);
    this.#scans = new SharedScans(requests, clock, this.#pacer);
  }

  /**
   * Reads the index of the store, or shares the pending read of another watch of the same endpoint.
   */
  probe(endpoint: string, request: WatchRequest, signal: AbortSignal): Promise<Probe> {
    const shared = this.#probes.get(endpoint) ?? new SharedProbe(this.#pacer);
    this.#probes.set(endpoint, shared);
    return shared.probe((signal) => this.#requests.probe(endpoint, request, { signal }), signal);
  }

  /** Reads the key of this watch, without sharing. */
  async probeAlone(endpoint: string, request: WatchRequest, signal: AbortSignal): Promise<Probe> {
    await this.#pacer.turn(signal);
    return await this.#requests.probe(endpoint, request, { signal });
  }

  /** Scans history. The scan may be shared with other watches. */
  scan(request: ScanRequest, signal: AbortSignal): Promise<Scan> {
    return this.#scans.scan(request, signal);
  }
}

/**
 * Combines the probes of all watches at one endpoint. A read that starts after they were requested
 * is valid for all of them.
 */
export class SharedProbe {
  readonly #pacer: Pacer;
  #next: PendingRead | undefined;

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
  }

  /**
   * Reads, or shares a pending read. If etcd refused the shared read, reads alone: the rights
   * differ by key.
   */
  async probe(read: Read, signal: AbortSignal | undefined): Promise<Probe> {
    const isOwn = this.#next === undefined;
    this.#next ??= this.#open(read);
    try {
      const probe = await this.#join(this.#next, signal);
      // The read was for the key of another watch.
      return isOwn ? probe : { ...probe, fileIndex: undefined };
    } catch (error) {
      if (isOwn || !(error instanceof EtcdServerError)) throw error;
      return await read(signal ?? new AbortController().signal);
    }
  }

  #open(read: Read): PendingRead {
    const aborter = new AbortController();
    const start = async (): Promise<Probe> => {
      try {
        await this.#pacer.turn(aborter.signal);
      } finally {
        this.#next = undefined;
      }
      return await read(aborter.signal);
    };
    // Starts in a microtask, so that the caller can store the read before it runs.
    return { result: Promise.resolve().then(start), aborter, callers: 0 };
  }

  /** Waits for the read, and aborts it when its last caller leaves. */
  async #join(pending: PendingRead, signal: AbortSignal | undefined): Promise<Probe> {
    const leave = (): void => {
      pending.callers--;
      if (pending.callers === 0) pending.aborter.abort(signal?.reason);
    };
    pending.callers++;
    if (signal === undefined) return await pending.result;
    return await new Promise((resolve, reject) => {
      const onLeave = (): void => {
        leave();
        reject(signal.reason);
      };
      onAbort(signal, onLeave);
      const settled = (): void => offAbort(signal, onLeave);
      pending.result.finally(settled).then(resolve, reject);
      if (signal.aborted) onLeave();
    });
  }
}
