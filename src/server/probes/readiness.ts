import { traceServerState } from "../../diagnostics/server-channels.js";
import type { Clock } from "../../time/clock.js";
import { type MemberState, problemOf } from "./member-state.js";

/** Reads from every member at the same time. */
export interface MemberProbe {
  /**
   * Calls `onServed` when the first member has served the read. Resolves when every member has responded, or
   * when `signal` has aborted.
   *
   * @throws Error when the endpoints are not known
   */
  read(onServed: () => void, signal: AbortSignal): Promise<readonly MemberState[]>;
}

/** Time that a check waits for a member. Kubernetes gives a probe one second by default. */
const CHECK_TIMEOUT_MS = 500;

/** Time that a member has to serve a read. */
const PROBE_TIMEOUT_MS = 2_000;

/** Time for which a result is reused, so that a flood of checks costs etcd one read per member and second. */
const REUSE_MS = 1_000;

/** Time for which failing reads are tolerated. The election of a new leader takes less. */
export const TOLERANCE_MS = 10_000;

/**
 * Whether the reads of clients can be served. The first successful read makes a server ready. It stays ready
 * until reads have failed for {@link TOLERANCE_MS}. Without a check, no member is asked.
 */
export class Readiness {
  readonly #probe: MemberProbe;
  readonly #clock: Clock;
  #running: Promise<void> | undefined;
  /** Monotonic time at which the last probe ended. */
  #probedAt = Number.NEGATIVE_INFINITY;
  /** Monotonic time since which no read succeeds; undefined after a success. */
  #failingSince: number | undefined = Number.NEGATIVE_INFINITY;
  #problem = "no member has responded yet";
  #members: readonly MemberState[] = [];
  /** Whether the last state that was published is ready. */
  #wasReady: boolean | undefined;

  constructor(probe: MemberProbe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** The members as the last probe found them; empty before. */
  get members(): readonly MemberState[] {
    return this.#members;
  }

  /** Why reads cannot be served, in one line; undefined if they can. Takes at most about half a second. */
  async check(): Promise<string | undefined> {
    if (this.#clock.monotonic() - this.#probedAt >= REUSE_MS) this.#running ??= this.#start();
    await this.#running;
    return this.#current;
  }

  get #current(): string | undefined {
    const now = this.#clock.monotonic();
    return now - (this.#failingSince ?? now) < TOLERANCE_MS ? undefined : this.#problem;
  }

  /** Starts a probe. Resolves when a member has served the read, or when a check must not wait longer. */
  #start(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(CHECK_TIMEOUT_MS, resolve);
      void this.#run(() => {
        cancel();
        resolve();
      }).finally(() => {
        this.#running = undefined;
      });
    });
  }

  async #run(onResult: () => void): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const late = new AbortController();
    const cancel = this.#clock.after(PROBE_TIMEOUT_MS, () => late.abort());
    let isServed = false;
    const onServed = (): void => {
      isServed = true;
      this.#failingSince = undefined;
      onResult();
    };
    try {
      this.#members = await this.#probe.read(onServed, late.signal);
      this.#problem = problemOf(this.#members);
    } catch {
      this.#members = [];
      this.#problem = "the members are not known";
    }
    cancel();
    this.#probedAt = this.#clock.monotonic();
    if (!isServed) this.#failingSince ??= startedAt;
    onResult();
    this.#publish();
  }

  #publish(): void {
    for (const { endpoint, error, raftTerm } of this.#members)
      traceServerState({ kind: "member", endpoint, error, raftTerm });
    const problem = this.#current;
    if (this.#wasReady === (problem === undefined)) return;
    this.#wasReady = problem === undefined;
    traceServerState({ kind: "ready", problem });
  }
}
