import type { Worker } from "node:cluster";

/** An accepted connection, as the cluster module of Node passes it on. */
interface Handle {
  close(): void;
}

/** What the cluster module sends between a parent and its workers. */
interface ClusterMessage {
  readonly cmd?: string;
  readonly act?: string;
  readonly seq?: number;
  /** `seq` of the message that this one confirms. */
  readonly ack?: number;
  /** Whether the worker has room for the connection. */
  accepted?: boolean;
}

type Send = (message: ClusterMessage, handle?: Handle, ...more: readonly unknown[]) => boolean;

/**
 * Connections that workers have not confirmed yet. The cluster module waits for each confirmation, without end: when a worker
 * dies before, the client waits as long; when it has no file descriptor left, it also gets no other connection. And it offers
 * a connection again and again while all workers have as many as they may. Here, such a connection is closed, as one process does.
 */
export class HandedConnections {
  /** Number of workers that take connections. */
  readonly #workers: () => number;
  /** How often a connection was refused. */
  readonly #refusals = new WeakMap<Handle, number>();
  /** Workers that have refused their last connection. */
  readonly #full = new Set<Worker>();

  constructor(workers: () => number) {
    this.#workers = workers;
  }

  /** To be called when the worker was forked. */
  follow(worker: Worker): void {
    const child = worker.process;
    const unconfirmed = new Map<number, Handle>();
    const send = child.send.bind(child) as Send;
    const observed: Send = (message, handle, ...more) => {
      const { act, seq } = message;
      if (act !== "newconn" || seq === undefined || !handle) return send(message, handle, ...more);
      if (!worker.isDead()) {
        unconfirmed.set(seq, handle);
        return send(message, handle, ...more);
      }
      handle.close();
      return false;
    };
    Object.assign(child, { send: observed });
    // Before the cluster module reads it.
    child.prependListener("internalMessage", (message: ClusterMessage) => {
      const { ack = -1, accepted } = message;
      const handle = unconfirmed.get(ack);
      unconfirmed.delete(ack);
      if (handle === undefined) return;
      if (accepted) this.#full.delete(worker);
      // A confirmation: the cluster module closes its handle.
      else if (this.#isRefusedByAll(handle, worker)) message.accepted = true;
    });
    child.on("internalMessage", ({ cmd }: ClusterMessage) => {
      if (cmd !== "NODE_HANDLE_NACK") return;
      // Also offers the worker the next connection.
      for (const ack of unconfirmed.keys()) {
        child.emit("internalMessage", { cmd: "NODE_CLUSTER", ack, accepted: true });
      }
    });
    child.once("exit", () => {
      for (const handle of unconfirmed.values()) handle.close();
      unconfirmed.clear();
      this.#full.delete(worker);
    });
  }

  #isRefusedByAll(handle: Handle, worker: Worker): boolean {
    const refusals = (this.#refusals.get(handle) ?? 0) + 1;
    this.#refusals.set(handle, refusals);
    this.#full.add(worker);
    return Math.min(refusals, this.#full.size) >= this.#workers();
  }
}
