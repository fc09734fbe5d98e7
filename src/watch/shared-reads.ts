import { EtcdServerError } from "../errors/server-error.js";
import type { KeySpace, KeyWatch, Probe, Scan } from "../key-space/key-space.js";
import type { ScanRequest } from "../model/key-request.js";
import { onAbort } from "../stream/on-abort.js";
import type { Clock } from "../time/clock.js";
import { Pacer } from "../time/pacer.js";
import { SharedScans } from "./shared-scans.js";

/** Milliseconds between two requests: never more than 20 a second. */
const SPACING_MS = 50;

type Read = (signal: AbortSignal) => Promise<Probe>;

/** A read that has not begun yet, and for how many. */
interface Round {
  readonly answer: Promise<Probe>;
  readonly abandon: AbortController;
  callers: number;
}

/** The requests by which the watches of a client find out what is pending, at a bounded pace. */
export class SharedReads {
  readonly #pacer: Pacer;
  readonly #scans: SharedScans;
  /** By URL of the endpoint. */
  readonly #probes = new Map<string, SharedProbe>();

  constructor(keySpace: KeySpace, clock: Clock) {
    this.#pacer = new Pacer(SPACING_MS, clock);
    this.#scans = new SharedScans(keySpace, clock, this.#pacer);
  }

  /** Reads the index of the store, or waits for the read of another watch at the same endpoint. */
  probe(watch: KeyWatch, signal: AbortSignal): Promise<Probe> {
    const shared = this.#probes.get(watch.etcdServer) ?? new SharedProbe(this.#pacer);
    this.#probes.set(watch.etcdServer, shared);
    return shared.ask((signal) => watch.probe({ signal }), signal);
  }

  /** Reads the key of this watch. */
  async probeAlone(watch: KeyWatch, signal: AbortSignal): Promise<Probe> {
    await this.#pacer.turn(signal);
    return await watch.probe({ signal });
  }

  /** Scans history, perhaps together with other watches. */
  scan(request: ScanRequest, signal: AbortSignal): Promise<Scan> {
    return this.#scans.scan(request, signal);
  }
}

/**
 * The probes of all watches at one endpoint, as one read for all that wait: what begins after they
 * asked answers all of them.
 */
export class SharedProbe {
  readonly #pacer: Pacer;
  #next: Round | undefined;

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
  }

  /** Reads, or waits for the read of another, unless etcd refused that one. */
  async ask(read: Read, signal: AbortSignal | undefined): Promise<Probe> {
    const isMine = this.#next === undefined;
    this.#next ??= this.#open(read);
    try {
      const probe = await this.#join(this.#next, signal);
      // Another watch has another key.
      return isMine ? probe : { ...probe, fileIndex: undefined };
    } catch (error) {
      if (isMine || !(error instanceof EtcdServerError)) throw error;
      return await read(signal ?? new AbortController().signal);
    }
  }

  #open(read: Read): Round {
    const abandon = new AbortController();
    const begin = async (): Promise<Probe> => {
      try {
        await this.#pacer.turn(abandon.signal);
      } finally {
        this.#next = undefined;
      }
      return await read(abandon.signal);
    };
    // Begun in a moment, so that it is there to be joined.
    return { answer: Promise.resolve().then(begin), abandon, callers: 0 };
  }

  /** Gives the read up with the last one that waits for it. */
  async #join(round: Round, signal: AbortSignal | undefined): Promise<Probe> {
    const leave = (): void => {
      round.callers--;
      if (round.callers === 0) round.abandon.abort(signal?.reason);
    };
    round.callers++;
    if (signal === undefined) return await round.answer;
    return await new Promise((resolve, reject) => {
      const onLeave = (): void => {
        leave();
        reject(signal.reason);
      };
      onAbort(signal, onLeave);
      const settled = (): void => signal.removeEventListener("abort", onLeave);
      round.answer.finally(settled).then(resolve, reject);
      if (signal.aborted) onLeave();
    });
  }
}
