import { AbortError } from "../../../errors/abort-error.js";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { offAbort, onAbort } from "../../../stream/on-abort.js";
import { microtask } from "../../../time/event-loop.js";
import { isTooLarge } from "./too-large.js";

/** One read that waits for its batch. */
interface Waiting<T> {
  readonly path: string;
  /** Nobody waits any more. It stays in the queue until its turn: thousands can be aborted at once. */
  isAborted: boolean;
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** Maximum number of concurrent batches; further reads wait. */
const MAX_CONCURRENT_BATCHES = 2;

/** Reads several paths together; results in the order of the paths. */
export type ReadTogether<T> = (paths: readonly string[]) => Promise<readonly T[]>;

/** Metrics of batches. */
export interface BatchMetrics {
  /** Number of transactions for reads. */
  readonly batches: number;
  /** Number of reads in them. */
  readonly batched: number;
}

/**
 * Combines reads that wait while others are running. Each is executed after it was requested, so
 * linearizable reads stay linearizable.
 */
export class ReadBatcher<T> {
  #batches = 0;
  #reads = 0;
  readonly #readTogether: ReadTogether<T>;
  readonly #maxReads: () => number;
  readonly #waiting: Waiting<T>[] = [];
  #running = 0;
  #scheduled = false;

  /** @param maxReads maximum number of reads in a batch */
  constructor(readTogether: ReadTogether<T>, maxReads: () => number) {
    this.#readTogether = readTogether;
    this.#maxReads = maxReads;
  }

  get metrics(): BatchMetrics {
    return { batches: this.#batches, batched: this.#reads };
  }

  /** @throws AbortError; the batch continues for the others */
  read(path: string, signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted) return Promise.reject(abortOf(path, signal));
    return new Promise((resolve, reject) => {
      const waiting = { path, isAborted: false, resolve, reject };
      this.#waiting.push(signal === undefined ? waiting : abortable(waiting, signal));
      this.#schedule();
    });
  }

  /** Reads of the same turn of the event loop are combined. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= MAX_CONCURRENT_BATCHES) return;
    this.#scheduled = true;
    microtask(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#running < MAX_CONCURRENT_BATCHES) this.#start();
    });
  }

  #start(): void {
    const batch = this.#waiting.splice(0, this.#maxReads()).filter(({ isAborted }) => !isAborted);
    if (batch.length === 0) return;
    this.#batches++;
    this.#reads += batch.length;
    this.#running++;
    this.#execute(batch).finally(() => {
      this.#running--;
      this.#schedule();
    });
  }

  async #execute(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const results = await this.#readTogether(batch.map(({ path }) => path));
      for (const [at, waiting] of batch.entries()) {
        const result = results[at];
        if (result !== undefined) waiting.resolve(result);
      }
    } catch (error) {
      if (batch.length > 1 && mayBeCausedByOne(error)) await this.#executeHalves(batch);
      else for (const { reject } of batch) reject(error);
    }
  }

  async #executeHalves(batch: readonly Waiting<T>[]): Promise<void> {
    const half = Math.ceil(batch.length / 2);
    await Promise.all([this.#execute(batch.slice(0, half)), this.#execute(batch.slice(half))]);
  }
}

/** A single forbidden key, or a few large values, can make the complete batch fail. */
function mayBeCausedByOne(error: unknown): boolean {
  return error instanceof UnauthorizedError || isTooLarge(error);
}

function abortable<T>({ path, resolve, reject }: Waiting<T>, signal: AbortSignal): Waiting<T> {
  const abort = (): void => {
    waiting.isAborted = true;
    reject(abortOf(path, signal));
  };
  const settled = <V>(settle: (value: V) => void) => {
    return (value: V): void => {
      offAbort(signal, abort);
      settle(value);
    };
  };
  const waiting = { path, isAborted: false, resolve: settled(resolve), reject: settled(reject) };
  onAbort(signal, abort);
  return waiting;
}

function abortOf(path: string, signal: AbortSignal): AbortError {
  return new AbortError(`GET ${path || "/"}`, signal.reason, "none");
}
