import type { EtcdClientOptions } from "../../../src/index.js";

/** One client of a worker. */
export interface ClientSettings {
  /** Number of the client, unique in the run. */
  readonly number: number;
  /** Without functions, because it is sent as JSON. */
  readonly options: EtcdClientOptions;
}

/** What a worker process is started with, as JSON. */
export interface WorkerSettings {
  readonly clients: readonly ClientSettings[];
  /** Number of clients of all workers. */
  readonly allClients: number;
  /** File that the worker writes its operations to. */
  readonly history: string;
  readonly seed: number;
  /** Time between two turns of one client in one workload, in ms. */
  readonly turnMs: number;
}

/** What the rig asks a worker to do. */
export type WorkerOrder =
  /** Starts the workloads. */
  | { readonly kind: "begin" }
  /** Sets the wall clock of a client to this many ms after the real one. */
  | { readonly kind: "shift-clock"; readonly client: number; readonly ms: number }
  /** Responds with the heap in use after a garbage collection, in bytes. */
  | { readonly kind: "measure-heap" }
  /** Ends the workloads. Responds when the last one has ended. */
  | { readonly kind: "end" }
  /** Reads the final state of each workload. */
  | { readonly kind: "finish" }
  /** Closes the clients. Responds with the resources that are left, as Node names them. */
  | { readonly kind: "close" };
