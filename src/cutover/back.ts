import { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import { readIndex } from "../key-space/shared/read-state.js";
import { isReachable } from "../key-space/v3/schema/key-schema.js";
import type { MigrateOptions } from "../transfer/migrate/migrate-options.js";
import { type Handover, Migration } from "../transfer/migrate/migration.js";
import type { MigrationProgress } from "../transfer/migrate/migration-progress.js";
import { RECORD_KEY } from "../transfer/migrate/migration-record.js";
import { preflight } from "../transfer/migrate/preflight.js";
import { forEachConcurrent } from "../transfer/source/for-each-concurrent.js";
import { withRetries } from "../transfer/source/key-space-with-retries.js";
import { undo, untilAcknowledged, wrongPhase } from "./arm.js";
import { checkCluster, extraTtlOf } from "./flip.js";
import { GivenTtlCollector } from "./given-ttl-collector.js";
import { hiddenPrefixes } from "./hidden-prefixes.js";
import { Hold } from "./hold.js";
import type { CutoverTarget } from "./open-target.js";
import { ReturnAttempt } from "./return-attempt.js";
import { TrackedWrites } from "./tracked-writes.js";

/** Options of {@link back}. */
export type BackOptions = Pick<
  MigrateOptions,
  "rate" | "lossy" | "onLoss" | "onProgress" | "signal"
> & {
  /** Called when the gateways begin to hold requests. */
  readonly onHold?: (() => void) | undefined;
};

/** A return to v2 that has succeeded. */
export interface Returned {
  /** Index of v3 up to which its changes count. */
  readonly end: number;
  /** Milliseconds for which requests were held. */
  readonly pause: number;
  readonly copied: MigrationProgress;
}

/** Written only to make the index of v2 greater. */
const INDEX_KEY = "/_etcdnet_index";
const CONCURRENT_WRITES = 64;
/** Changes of which v2 keeps the history: after so many, it has forgotten all that were before. */
const HISTORY = 1_000;
/** Changes of v3 from the last look at its index to its end. */
const SLACK = 2_000;

/**
 * Copies v3 back to the v2 cluster of before, and lets all gateways serve from it again. They hold requests meanwhile.
 * Indexes go on to increase. It can be interrupted at any time, and be started again.
 *
 * @throws CutoverError, and the errors of `migrate`: the gateways serve from v3 then
 * @throws OutcomeUnknownError when it is unknown whether they have changed; read the state
 */
export async function back(
  source: EtcdClient,
  target: CutoverTarget,
  { onHold, ...copyOptions }: BackOptions,
): Promise<Returned> {
  const { records, reader, clock } = target;
  const state = await records.read();
  if (state?.phase !== "target") throw wrongPhase(state, "target");
  await checkCluster(source, state);
  if ((await target.isAuthOn()) || (await source.auth.isEnabled())) {
    throw new CutoverError(
      `${FAILURE}: v2 auth is on, and users and roles are not copied; disable it first`,
    );
  }
  await untilAcknowledged(target, state, await records.gateways(), FAILURE);
  await using attempt = await ReturnAttempt.begin(records, clock);
  await using given = new GivenTtlCollector(records, clock);
  const writes = new TrackedWrites(source.keySpace);
  const to = new EtcdClient({ keySpace: writes, clock });
  const hidden = await hiddenKeys(target);
  const options = { ...copyOptions, from: new EtcdClient({ keySpace: reader, clock }), to, hidden };
  const hold = new Hold(target, state, { given, failure: FAILURE, onHold, check: () => {} });
  const returning = new Returning(source, target, hold, given);
  try {
    const checked = await preflight({ ...options, overwrite: true });
    const copied = await new Migration(checked, options, returning).run();
    if (writes.uncertain !== undefined) throw mayArrive(writes.uncertain);
    const pause = await hold.decide("returned", returning.last);
    attempt.isClean = true;
    for (const key of [RECORD_KEY, INDEX_KEY]) await undo(() => to.deleteNode(key));
    return { end: returning.last, pause, copied };
  } catch (error) {
    attempt.isClean = writes.uncertain === undefined;
    await hold.abort();
    throw error;
  }
}

const FAILURE = "not returned";

function mayArrive(write: string): CutoverError {
  return new CutoverError(
    `${FAILURE}: v2 has not responded to a write (${write}), which may still arrive; run it again`,
  );
}

/** All hidden keys of v3, and those of v2 that were removed since, so that they are removed there too. */
async function hiddenKeys({ reader, kept, records }: CutoverTarget): Promise<readonly string[]> {
  const hidden = new Set<string>();
  for await (const path of reader.paths())
    for (const each of hiddenPrefixes(path)) hidden.add(each);
  for (const path of (await kept.below("", undefined)).keys()) {
    for (const each of hiddenPrefixes(path)) hidden.add(each);
  }
  for (const gateway of await records.gateways())
    for (const each of gateway.hidden) hidden.add(each);
  for (const key of [RECORD_KEY, INDEX_KEY]) hidden.delete(key);
  return [...hidden].filter(isReachable);
}

/** What happens from the moment at which gateways hold until the decision. */
class Returning implements Handover {
  readonly #source: EtcdClient;
  readonly #target: CutoverTarget;
  readonly #hold: Hold;
  readonly #given: GivenTtlCollector;
  /** Index of v3 up to which its changes count. */
  last = 0;

  constructor(source: EtcdClient, target: CutoverTarget, hold: Hold, given: GivenTtlCollector) {
    this.#source = source;
    this.#target = target;
    this.#hold = hold;
    this.#given = given;
  }

  get extraTtl(): number {
    return extraTtlOf(this.#hold);
  }

  /** Makes the index of v2 greater than every index of v3, and lets the gateways hold. */
  async end(): Promise<number> {
    await this.#raise((await this.#index()) + SLACK);
    await this.#hold.begin("returning");
    await this.#hold.acknowledged();
    this.last = await this.#index();
    await this.#raise(this.last);
    return this.last;
  }

  givenTtls(): readonly string[] {
    return this.#given.keys;
  }

  leased(): void {}

  async #index(): Promise<number> {
    return (await readIndex(this.#target.reader, {})).index;
  }

  /** So far that v2 has forgotten all changes before: a watch from an index of v3 then learns that it must read again. */
  async #raise(index: number): Promise<void> {
    const { keySpace } = this.#source;
    const { clock } = this.#target;
    let reached = (await readIndex(keySpace, {})).index;
    const write = { action: "set", key: INDEX_KEY, value: "", noValueOnSuccess: true } as const;
    const workers = Array.from({ length: CONCURRENT_WRITES }, (_, at) => at);
    await forEachConcurrent(workers, CONCURRENT_WRITES, async () => {
      while (reached <= index + HISTORY) {
        const { etcdIndex } = await withRetries(clock, undefined, () => keySpace.execute(write));
        reached = Math.max(reached, etcdIndex);
      }
    });
  }
}
