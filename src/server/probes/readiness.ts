import { traceServerState } from "../../diagnostics/server-channels.js";
import type { Clock } from "../../time/clock.js";
import { type MemberState, problemOf } from "./member-state.js";

/** How members are asked whether they serve reads. */
export interface MemberProbe {
  /** URLs of the members. @throws Error when they are not known */
  endpoints(signal: AbortSignal): Promise<readonly string[]>;
  /** Reads from one member. Returns the term of raft, if it is known. @throws Error when it does not serve the read */
  readFrom(endpoint: string, signal: AbortSignal): Promise<number | undefined>;
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
      this.#members = await readFromEach(this.#probe, onServed, late.signal);
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

/** Reads from every member at the same time. Calls `onServed` when the first one has served the read. */
async function readFromEach(
  probe: MemberProbe,
  onServed: () => void,
  signal: AbortSignal,
): Promise<readonly MemberState[]> {
  const endpoints = await probe.endpoints(signal);
  return await Promise.all(
    endpoints.map(async (endpoint): Promise<MemberState> => {
      try {
        const raftTerm = await probe.readFrom(endpoint, signal);
        onServed();
        return { endpoint, raftTerm };
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        return { endpoint, error };
      }
    }),
  );
}
