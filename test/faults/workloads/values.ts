import type { WorkloadContext } from "../workload.js";

/** Values that no other client of the workload writes. */
export class UniqueValues {
  readonly #client: number;
  #count = 0;

  constructor({ client }: Pick<WorkloadContext, "client">) {
    this.#client = client;
  }

  next(): string {
    return `${this.#client}-${this.#count++}`;
  }
}

/** A whole number below the limit. */
export function below(limit: number, context: Pick<WorkloadContext, "random">): number {
  return Math.floor(context.random() * limit);
}
