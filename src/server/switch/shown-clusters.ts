import type { StoredState } from "../../cutover/cutover-state.js";
import type { KeptIndexes } from "../../cutover/kept-indexes.js";
import { AbortError } from "../../errors/abort-error.js";
import { notCompleted } from "../../errors/cluster-errors.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import { withTimeout } from "../../time/with-timeout.js";
import { ShownIndexes } from "./shown-indexes.js";
import { ShownKeys } from "./shown-keys.js";

const RETRY_MS = 200;
/** Time for the first response of v3. */
const FIRST_INDEX_MS = 10_000;

export interface ShownClustersSettings {
  /** The indexes from before a switch. @param switches number of the switch */
  keptAt(switches: number): Pick<KeptIndexes, "of" | "below">;
  /** The index of v3 at a revision. */
  indexOf(revision: number): Promise<number>;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}

/** How the keys of the cluster that serves are shown: clients know indexes from before the last switch. */
export class ShownClusters {
  readonly #settings: ShownClustersSettings;
  #indexes: ShownIndexes;
  /** How often the gateways have changed to the other cluster. */
  #switches = 0;
  /** Index of v2 at the return to it: smaller ones are of the copy of v3. 0: there was no return. */
  #returnedAt = 0;
  /** First index of v3 after the switch, by the revision of the switch. */
  #firstIndex: { readonly revision: number; readonly index: Promise<number> } | undefined;

  constructor(settings: ShownClustersSettings) {
    this.#settings = settings;
    this.#indexes = new ShownIndexes(settings.keptAt(0));
  }

  get switches(): number {
    return this.#switches;
  }

  /** How often the gateways have returned to v2. */
  get returns(): number {
    return Math.floor(this.#switches / 2);
  }

  get returnedAt(): number {
    return this.#returnedAt;
  }

  /** Called when gateways have changed to the other cluster, perhaps several times. */
  change({ switches, returnedAt }: StoredState): void {
    this.#switches = switches;
    this.#returnedAt = returnedAt;
    this.#indexes = new ShownIndexes(this.#settings.keptAt(switches));
    if (returnedAt > 0) void this.#load().catch(() => {});
  }

  /** The keys of v2. */
  onSource(): ShownKeys {
    return new ShownKeys(this.#indexes, this.#returnedAt + 1);
  }

  /** The keys of v3. Asks v3 until it responds. */
  async onTarget(state: StoredState): Promise<ShownKeys> {
    const first = await this.#firstIndexOf(state);
    const isLast = state.switches === this.#switches;
    const { keptAt } = this.#settings;
    return new ShownKeys(isLast ? this.#indexes : new ShownIndexes(keptAt(state.switches)), first);
  }

  /** Like {@link onTarget}, within ten seconds. @throws TimeoutError, AbortError */
  onTargetWithin(
    operation: string,
    state: StoredState,
    signal: AbortSignal | undefined,
  ): Promise<ShownKeys> {
    return withTimeout(this.onTarget(state), {
      milliseconds: FIRST_INDEX_MS,
      clock: this.#settings.clock,
      signal,
      onTimeout: () => notCompleted(operation, FIRST_INDEX_MS),
      onAbort: (reason) => new AbortError(operation, reason, "none"),
    });
  }

  /** v2 must not need v3, which may be stopped. */
  async #load(): Promise<void> {
    const { clock, closing } = this.#settings;
    const indexes = this.#indexes;
    while (this.#indexes === indexes) {
      try {
        return await indexes.loadAll(closing);
      } catch {
        await sleep(RETRY_MS, clock, closing);
      }
    }
  }

  #firstIndexOf({ revision, switchedAt }: StoredState): Promise<number> {
    const at = switchedAt || revision;
    if (this.#firstIndex?.revision !== at) {
      this.#firstIndex = { revision: at, index: this.#askFirstIndex(at) };
    }
    return this.#firstIndex.index;
  }

  async #askFirstIndex(revision: number): Promise<number> {
    const { indexOf, clock, closing } = this.#settings;
    for (;;) {
      closing.throwIfAborted();
      try {
        return (await indexOf(revision)) + 1;
      } catch {
        await sleep(RETRY_MS, clock, closing);
      }
    }
  }
}
