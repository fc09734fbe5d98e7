import { AbortError } from "../../../errors/abort-error.js";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { onAbort } from "../../../stream/on-abort.js";
import { isTooLarge } from "./too-large.js";

/** One read that waits for its batch. */
interface Waiting<T> {
  readonly path: string;
  resolve(answer: T): void;
  reject(error: unknown): void;
}

/** While so many batches are under way, further reads wait. */
const MAX_CONCURRENT_BATCHES = 2;

/** Answers reads together, in the order of the paths. */
export type ReadTogether<T> = (paths: readonly string[]) => Promise<readonly T[]>;

/** How well reads are batched. */
export interface BatchFigures {
  /** Transactions made of reads. */
  readonly batches: number;
  /** Reads sent in them. */
  readonly batched: number;
}

/**
 * Reads that wait while others are under way go out together. Each is evaluated after it was asked
 * for, so nothing that was linearizable is so no longer.
 */
export class ReadBatcher<T> {
  #batches = 0;
  #reads = 0;
  readonly #readTogether: ReadTogether<T>;
  readonly #maxReads: () => number;
  #waiting: Waiting<T>[] = [];
  #underWay = 0;
  #scheduled = false;

  /** @param maxReads how many reads may go out together */
  constructor(readTogether: ReadTogether<T>, maxReads: () => number) {
    this.#readTogether = readTogether;
    this.#maxReads = maxReads;
  }

  /** What was sent until now. */
  get figures(): BatchFigures {
    return { batches: this.#batches, batched: this.#reads };
  }

  /** @throws AbortError; the batch goes on for the others */
  read(path: string, signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted) return Promise.reject(abortOf(path, signal));
    return new Promise((resolve, reject) => {
      const waiting =
        signal === undefined
          ? { path, resolve, reject }
          : abortable({ path, resolve, reject }, signal, this.#forget);
      this.#waiting.push(waiting);
      this.#schedule();
    });
  }

  /** Reads that are asked for in the same turn belong together. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay >= MAX_CONCURRENT_BATCHES) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#underWay < MAX_CONCURRENT_BATCHES) this.#start();
    });
  }

  #start(): void {
    const batch = this.#waiting.splice(0, this.#maxReads());
    this.#batches++;
    this.#reads += batch.length;
    this.#underWay++;
    this.#answer(batch).finally(() => {
      this.#underWay--;
      this.#schedule();
    });
  }

  async #answer(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const answers = await this.#readTogether(batch.map(({ path }) => path));
      for (const [at, waiting] of batch.entries()) {
        const answer = answers[at];
        if (answer !== undefined) waiting.resolve(answer);
      }
    } catch (error) {
      if (batch.length > 1 && mayConcernOne(error)) await this.#answerInHalves(batch);
      else for (const { reject } of batch) reject(error);
    }
  }

  async #answerInHalves(batch: readonly Waiting<T>[]): Promise<void> {
    const half = Math.ceil(batch.length / 2);
    await Promise.all([this.#answer(batch.slice(0, half)), this.#answer(batch.slice(half))]);
  }

  readonly #forget = (waiting: Waiting<T>): void => {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
  };
}

/** A forbidden key makes the whole batch fail, and large values a large answer. */
function mayConcernOne(error: unknown): boolean {
  return error instanceof UnauthorizedError || isTooLarge(error);
}

function abortable<T>(
  { path, resolve, reject }: Waiting<T>,
  signal: AbortSignal,
  forget: (waiting: Waiting<T>) => void,
): Waiting<T> {
  const abort = (): void => {
    forget(waiting);
    reject(abortOf(path, signal));
  };
  const settled = <V>(settle: (value: V) => void) => {
    return (value: V): void => {
      signal.removeEventListener("abort", abort);
      settle(value);
    };
  };
  const waiting = { path, resolve: settled(resolve), reject: settled(reject) };
  onAbort(signal, abort);
  return waiting;
}

function abortOf(path: string, signal: AbortSignal): AbortError {
  return new AbortError(`GET ${path || "/"}`, signal.reason, "none");
}
