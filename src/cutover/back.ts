import { EtcdClient } from "../client/etcd-client.js";
import { OutcomeUnknownError } from "../errors/cluster-errors.js";
import { CutoverError } from "../errors/cutover-error.js";
import { GuardLostError } from "../etcd3/guarded-v3-api.js";
import { readIndex } from "../key-space/shared/read-state.js";
import { linkSignals } from "../time/link-signals.js";
import type { MigrateOptions } from "../transfer/migrate/migrate-options.js";
import { type Handover, Migration } from "../transfer/migrate/migration.js";
import type { MigrationProgress } from "../transfer/migrate/migration-progress.js";
import { RECORD_KEY } from "../transfer/migrate/migration-record.js";
import { preflight } from "../transfer/migrate/preflight.js";
import type { TreeEntry } from "../transfer/source/tree-entry.js";
import { orChanged, undo, untilAcknowledged, wrongPhase } from "./arm.js";
import { CopyReport } from "./copy-report.js";
import { checkSameUsers } from "./copy-users.js";
import type { RegisteredGateway } from "./cutover-records.js";
import type { StoredState } from "./cutover-state.js";
import {
  checkCluster,
  checkGateways,
  extraTtlOf,
  removeOldIndexes,
  untilHiddenKnown,
  withAsked,
} from "./flip.js";
import { GivenTtlCollector } from "./given-ttl-collector.js";
import { hiddenKeys } from "./hidden-keys.js";
import { Hold } from "./hold.js";
import { IndexKeeper } from "./index-keeper.js";
import { INDEX_KEY, IndexRaiser, permitGuests } from "./index-raiser.js";
import type { CutoverTarget } from "./open-target.js";
import { ReturnAttempt } from "./return-attempt.js";
import { SeenPasswords } from "./seen-passwords.js";
import { TrackedWrites } from "./tracked-writes.js";
import type { MemberAt } from "./users.js";

/** Options of {@link back}. */
export type BackOptions = Pick<
  MigrateOptions,
  "rate" | "lossy" | "onLoss" | "onProgress" | "signal"
> & {
  /** Milliseconds after which no write arrives at v2 that was sent before. @default 300_000 */
  readonly late?: number | undefined;
  /** Called when the gateways begin to hold requests. */
  readonly onHold?: (() => void) | undefined;
  /** Opens a client of one member of v2. Needed while v2 auth is on. */
  readonly memberAt?: MemberAt | undefined;
  /** A client of v2 without credentials, with which many writes take less time while v2 auth is on. */
  readonly guest?: EtcdClient | undefined;
  /** Users whose passwords on v2 are those on v3, although they were changed on v3. */
  readonly passwordsSet?: readonly string[] | undefined;
};

/** A return to v2 that has succeeded. */
export interface Returned {
  /** Index of v3 up to which its changes count. */
  readonly end: number;
  /** Milliseconds for which requests were held. */
  readonly pause: number;
  readonly copied: MigrationProgress;
}

/** Milliseconds after which no write arrives at v2, if the caller does not say. */
export const DEFAULT_LATE_MS = 300_000;
/** How errors begin. */
const FAILURE = "not returned";

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
  options: BackOptions,
): Promise<Returned> {
  const { records, clock } = target;
  await using attempt = await ReturnAttempt.begin(records, clock, options.late ?? DEFAULT_LATE_MS);
  // Until the first write.
  attempt.isClean = true;
  return await untilHiddenKnown(() => tryBack(source, target, options, attempt));
}

async function tryBack(
  source: EtcdClient,
  target: CutoverTarget,
  { onHold, late: _, memberAt, passwordsSet, guest, ...copyOptions }: BackOptions,
  attempt: ReturnAttempt,
): Promise<Returned> {
  const { records, reader, clock, guard } = target;
  const state = await begun(source, target);
  const checkUsers = () => checkSameUsers(source, target, state, memberAt, passwordsSet);
  await checkUsers();
  await untilAcknowledged(target, state, await records.gateways(), FAILURE);
  // Those from before can have told of changes of v2.
  const gateways = await records.gateways();
  const hidden = withAsked(await hiddenKeys(target, state), gateways);
  checkGateways(gateways, hidden);
  // Only indexes are written to v3.
  await guard.take(state);
  await using given = new GivenTtlCollector(records, clock);
  const isByGuests = guest !== undefined && state.passwords !== "";
  await using _permit = isByGuests ? await permitGuests(source) : undefined;
  await using raiser = new IndexRaiser(source, reader, clock, isByGuests ? guest : undefined);
  const writes = new TrackedWrites(source.keySpace);
  const to = new EtcdClient({ keySpace: writes, clock });
  const from = new EtcdClient({ keySpace: reader, clock });
  const ending = linkSignals(copyOptions.signal, attempt.lost);
  const onProgress = new CopyReport(records, clock, "v2").before(copyOptions.onProgress);
  const options = { ...copyOptions, onProgress, from, to, hidden, signal: ending.signal };
  const { switches } = state;
  const first = (await reader.indexOf(state.switchedAt)) + 1;
  const kept = { source: from, tops: ["/", ...hidden], first, before: target.keptAt(switches) };
  await using keeper = new IndexKeeper(kept, target.keptAt(switches + 1), ending.signal);
  const check = (all: readonly RegisteredGateway[]): void => checkGateways(all, hidden);
  const hold = new Hold(target, state, { given, failure: FAILURE, onHold, check });
  const returning = new Returning(target, hold, { given, raiser, keeper, checkUsers });
  let isDeciding = false;
  try {
    // Before anything is written: no node may get an index that is smaller than the one it had on v3.
    await raiser.start();
    const checked = await preflight({ ...options, overwrite: true });
    await keeper.start();
    const copied = await new Migration(checked, options, returning).run();
    await keeper.finish();
    const returnedAt = await checkCluster(source, hold.state);
    attempt.lost.throwIfAborted();
    isDeciding = true;
    const pause = await hold.decide("returned", returning.last, returnedAt);
    for (const key of [RECORD_KEY, INDEX_KEY]) await undo(() => to.deleteNode(key));
    await undo(() => removeOldIndexes(target, state));
    return { end: returning.last, pause, copied };
  } catch (error) {
    await hold.abort();
    if (isDeciding && error instanceof OutcomeUnknownError) throw error;
    // It has aborted a request, whose error does not say why.
    attempt.lost.throwIfAborted();
    throw error instanceof GuardLostError ? await hold.whyLost(error) : error;
  } finally {
    ending.unlink();
    attempt.isClean &&= writes.isCertain;
  }
}

/**
 * Gives up the way back: gateways no longer look for changes of v2, which can be stopped.
 *
 * @throws CutoverError when gateways do not serve from v3, or when recorded passwords could not be removed
 */
export async function finish({ records }: CutoverTarget): Promise<void> {
  const state = await records.read();
  if (state?.phase !== "target") throw wrongPhase(state, "target");
  await orChanged(records.change(state, { ...withSwitchedAt(state), isFinished: true }));
  try {
    await SeenPasswords.removeOthers(records.keySpace);
  } catch (cause) {
    const problem =
      "the way back is given up, but the hashes of recorded passwords are still on v3";
    throw new CutoverError(`${problem}: run finish again`, { cause });
  }
}

/** With the revision of the switch, which the next write of the state would lose. */
function withSwitchedAt(state: StoredState): StoredState {
  return { ...state, switchedAt: state.switchedAt || state.revision };
}

/** The state from which gateways return. From now on, they do not take the changes of v2 for those of somebody else. */
async function begun(source: EtcdClient, target: CutoverTarget): Promise<StoredState> {
  const { records } = target;
  const state = await records.read();
  if (state?.phase !== "target") throw wrongPhase(state, "target");
  if (state.isFinished) {
    throw new CutoverError("the cut-over was finished, so there is no way back");
  }
  await checkCluster(source, state);
  if (state.switchedAt > 0) return state;
  return await orChanged(records.change(state, withSwitchedAt(state)));
}

interface ReturningParts {
  readonly given: GivenTtlCollector;
  readonly raiser: IndexRaiser;
  readonly keeper: IndexKeeper;
  /** @throws CutoverError when users were changed on v3 */
  checkUsers(): Promise<void>;
}

/** What happens from the moment at which gateways hold until the decision. */
class Returning implements Handover {
  readonly #target: CutoverTarget;
  readonly #hold: Hold;
  readonly #checkUsers: ReturningParts["checkUsers"];
  readonly #given: GivenTtlCollector;
  readonly #raiser: IndexRaiser;
  readonly #keeper: IndexKeeper;
  /** Index of v3 up to which its changes count. */
  last = 0;

  constructor(
    target: CutoverTarget,
    hold: Hold,
    { given, raiser, keeper, checkUsers }: ReturningParts,
  ) {
    this.#checkUsers = checkUsers;
    this.#target = target;
    this.#hold = hold;
    this.#given = given;
    this.#raiser = raiser;
    this.#keeper = keeper;
  }

  get extraTtl(): number {
    return extraTtlOf(this.#hold);
  }

  /** Lets the gateways hold, and reads the index at which v3 ends for them. */
  async end(): Promise<number> {
    await this.#keeper.hold();
    await this.#hold.begin("returning");
    await orChanged(this.#target.guard.voidSent());
    await this.#hold.acknowledged();
    await this.#checkUsers();
    await this.#raiser.stop();
    this.last = (await readIndex(this.#target.reader, {})).index;
    await this.#raiser.raiseAbove(this.last);
    await this.#keeper.endAt(this.last);
    return this.last;
  }

  givenTtls(): readonly string[] {
    return this.#given.keys;
  }

  leased(entries: readonly TreeEntry[]): void {
    this.#keeper.addLeased(entries);
  }
}
