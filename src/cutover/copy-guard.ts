import type { Guard } from "../etcd3/guarded-v3-api.js";
import type { Compare } from "../etcd3/rpcs.js";
import { isAbsent, isAtRevision, isPresent } from "../etcd3/transaction.js";
import type { KeySchema } from "../key-space/v3/schema/key-schema.js";
import { COPIER_KEY, type CutoverRecords, STATE_KEY } from "./cutover-records.js";
import type { StoredState } from "./cutover-state.js";

/** Nothing may be written. */
const IMPOSSIBLE: readonly Compare[] = [isPresent(STATE_KEY), isAbsent(STATE_KEY)];

/**
 * Permits one process to copy, as long as the state is the one that it knows. So a process that was stopped, or a
 * request that was held up, cannot overwrite newer data.
 */
export class CopyGuard implements Guard {
  readonly #records: CutoverRecords;
  readonly #schema: KeySchema;
  #conditions = IMPOSSIBLE;
  #state = 0;
  #copier = 0;
  #voiding: Promise<void> | undefined;

  /** @param schema of the records */
  constructor(records: CutoverRecords, schema: KeySchema) {
    this.#records = records;
    this.#schema = schema;
  }

  /** @throws the error of a pending {@link voidSent} */
  async conditions(): Promise<readonly Compare[]> {
    await this.#voiding;
    return this.#conditions;
  }

  /** Takes over from every process that has copied before. */
  async take({ revision }: StoredState): Promise<void> {
    this.#state = revision;
    this.#copier = await this.#records.takeCopier();
    this.#compose();
  }

  /** This process has changed the state. */
  follow({ revision }: StoredState): void {
    this.#state = revision;
    this.#compose();
  }

  /** If it fails, nothing can be written any more. @throws StateChangedError when another process has taken over */
  async voidSent(): Promise<void> {
    this.#voiding ??= this.#renew().finally(() => {
      this.#voiding = undefined;
    });
    await this.#voiding;
  }

  async #renew(): Promise<void> {
    this.#conditions = IMPOSSIBLE;
    this.#copier = await this.#records.renewCopier(this.#copier);
    this.#compose();
  }

  #compose(): void {
    const at = (key: string, revision: number) => isAtRevision(this.#schema.file(key), revision);
    this.#conditions = [at(STATE_KEY, this.#state), at(COPIER_KEY, this.#copier)];
  }
}
