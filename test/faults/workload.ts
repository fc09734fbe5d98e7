import type { EtcdClient } from "../../src/index.js";

/** How an operation ended, as its client knows it. */
export type Outcome =
  /** It took effect, or it read a value. */
  | "ok"
  /** It certainly took no effect. */
  | "failed"
  /** It may have taken effect. */
  | "unknown";

/** One operation of one client. A history is a file with one operation per line, as JSON. */
export interface Operation {
  readonly workload: string;
  /** Number of the client, unique in the run. */
  readonly client: number;
  /** What was done, e.g. `read`, `write`, `cas`, `acquire`. */
  readonly kind: string;
  readonly key: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly outcome: Outcome;
  /** Name and message of the error, for `failed` and `unknown`. */
  readonly error?: string;
  /** Nanoseconds of the machine's monotonic clock, which all processes share. */
  readonly invokedAt: number;
  readonly completedAt: number;
}

/** What a workload gets for one client. */
export interface WorkloadContext {
  readonly etcd: EtcdClient;
  readonly client: number;
  /** Number of clients of this workload in the run. */
  readonly clients: number;
  /** Directory of the workload, the same for all its clients. */
  readonly directory: string;
  /** Next number in [0, 1) of the client's sequence, which the seed determines. */
  random(): number;
  /** Runs an operation and records it with its outcome. Never throws errors of the client. */
  operate<T>(
    operation: Pick<Operation, "kind" | "key" | "input">,
    run: () => Promise<T>,
    output?: (result: T) => unknown,
  ): Promise<{ readonly outcome: Outcome; readonly result?: T }>;
  /** Records something that no request caused, e.g. an event of a watch. */
  observe(kind: string, key: string, output: unknown): void;
  /** Waits until the client's next turn, at the rate of the run. Rejects when the run is over. */
  turn(): Promise<void>;
  /** Aborted when the clients must stop. */
  readonly over: AbortSignal;
}

/** Rows of a report about one fault of the tested system. */
export interface Violation {
  readonly workload: string;
  readonly message: string;
  readonly operations: readonly Operation[];
  /** Nothing wrong was seen, but something took longer than it may. */
  readonly isDelay?: boolean;
}

export interface Workload {
  readonly name: string;
  /** Runs one client until the run is over. */
  run(context: WorkloadContext): Promise<void>;
  /** Reads the final state, after all faults have been healed. Called once. */
  finish?(context: WorkloadContext): Promise<void>;
  /** Judges the operations of all clients of this workload, ordered by `completedAt`. */
  check(history: readonly Operation[]): Violation[];
}
