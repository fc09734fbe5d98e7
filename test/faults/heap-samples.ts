import { setTimeout } from "node:timers/promises";
import type { WorkerProcess } from "./worker-process.js";

const SAMPLES = 10;
/** The heap of a worker may be this much larger in the second half of a run than in the first. */
const GROWTH_BYTES = 16 * 1024 ** 2;

/** The heap of each worker after garbage collections, in the course of a run. */
export class HeapSamples {
  readonly #workers: readonly WorkerProcess[];
  readonly #samples: (readonly number[])[] = [];

  constructor(workers: readonly WorkerProcess[]) {
    this.#workers = workers;
  }

  async take(durationMs: number, ended: AbortSignal): Promise<void> {
    for (let count = 0; count < SAMPLES; count++) {
      await setTimeout(durationMs / SAMPLES, undefined, { signal: ended });
      const sample = this.#workers.map((worker) => worker.order({ kind: "measure-heap" }));
      this.#samples.push((await Promise.all(sample)) as number[]);
    }
  }

  /** Compares the smallest sample of each half: at some times, many requests are pending. */
  problems(): readonly string[] {
    return this.#workers.flatMap((worker, index) => {
      const sizes = this.#samples.map((sample) => sample[index] ?? 0);
      const first = Math.min(...sizes.slice(0, SAMPLES / 2));
      const second = Math.min(...sizes.slice(SAMPLES / 2));
      if (second - first <= GROWTH_BYTES) return [];
      const shown = sizes.map((size) => (size / 1024 ** 2).toFixed(1)).join(", ");
      return [`the heap of the worker of clients ${worker.names} grows: ${shown} MiB`];
    });
  }
}
