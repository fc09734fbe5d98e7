import { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import { GuardLostError } from "../etcd3/guarded-v3-api.js";
import { readIndex } from "../key-space/shared/read-state.js";
import { isReachable } from "../key-space/v3/schema/key-schema.js";
import type { MigrateOptions } from "../transfer/migrate/migrate-options.js";
import { type Handover, Migration } from "../transfer/migrate/migration.js";
import type { MigrationProgress } from "../transfer/migrate/migration-progress.js";
import { RECORD_KEY } from "../transfer/migrate/migration-record.js";
import { preflight } from "../transfer/migrate/preflight.js";
import type { TreeEntry } from "../transfer/source/tree-entry.js";
import { orChanged, problemOf, undo, untilAcknowledged, wrongPhase } from "./arm.js";
import { CopyReport } from "./copy-report.js";
import { copyUsers } from "./copy-users.js";
import type { RegisteredGateway } from "./cutover-records.js";
import type { CutoverPhase, StoredState } from "./cutover-state.js";
import { GivenTtlCollector } from "./given-ttl-collector.js";
import { hiddenKeys } from "./hidden-keys.js";
import { Hold } from "./hold.js";
import { IndexKeeper } from "./index-keeper.js";
import type { CutoverTarget } from "./open-target.js";
import type { MemberAt } from "./users.js";

/** Options of {@link flip}. */
export type FlipOptions = Pick<
  MigrateOptions,
  "rate" | "overwrite" | "lossy" | "onLoss" | "onProgress" | "signal"
> & {
  /** Hidden keys that no application has used since the gateways were started. The others are known. */
  readonly hidden?: readonly string[] | undefined;
  /** Called when the gateways begin to hold requests. */
  readonly onHold?: (() => void) | undefined;
  /** Do everything but the decision: the gateways go on with v2. */
  readonly rehearse?: boolean | undefined;
  /** Opens a client of one member of v2. Needed while v2 auth is on. */
  readonly memberAt?: MemberAt | undefined;
  /** Users of v2 that are not copied. */
  readonly withoutUsers?: readonly string[] | undefined;
};

/** A switch that has succeeded. */
export interface Flipped {
  /** Index of v2 up to which its changes count. In a rehearsal, up to which they were copied. */
  readonly end: number;
  /** Milliseconds for which requests were held. */
  readonly pause: number;
  readonly copied: MigrationProgress;
}

/** So small that the index of v2 can follow on the way back. After more changes of v2, it is raised again. */
const INDEX_MARGIN = 1_000;

/** Attempts, as long as applications use new hidden keys meanwhile. */
const MAX_ATTEMPTS = 3;

/** Applications use hidden keys that were not copied. */
class MissingHiddenError extends CutoverError {}

/**
 * Copies v2 to v3 and switches all gateways, which hold requests meanwhile. Before it holds, everything is copied and
 * compared. It can be interrupted at any time, and be started again. A rehearsal ends as if the switch had failed at the
 * last moment.
 *
 * @throws CutoverError, and the errors of `migrate`: the gateways serve from v2 then
 * @throws OutcomeUnknownError when it is unknown whether they have switched; read the state
 */
export async function flip(
  source: EtcdClient,
  target: CutoverTarget,
  options: FlipOptions,
): Promise<Flipped> {
  return await untilHiddenKnown(() => tryFlip(source, target, options));
}

/** Attempts again when applications have used new hidden keys meanwhile. */
export async function untilHiddenKnown<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof MissingHiddenError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function tryFlip(
  source: EtcdClient,
  target: CutoverTarget,
  options: FlipOptions,
): Promise<Flipped> {
  const { records, keySpace, clock, guard } = target;
  const armed = await records.read();
  if (armed?.phase !== "armed") throw wrongPhase(armed, "armed");
  const gateways = await records.gateways();
  // After a return to v2, v3 may have keys from before that no application has used since.
  const before = armed.switches === 0 ? [] : await hiddenKeys(target, armed);
  const hidden = withAsked([...(options.hidden ?? []), ...before], gateways);
  if (gateways.length === 0) throw new CutoverError("no gateway is registered");
  // After an attempt that was undone, they follow the state before.
  await untilAcknowledged(target, armed, gateways, "not switched");
  checkGateways(gateways, hidden);
  await checkCluster(source, armed);
  await guard.take(armed);
  const { onHold, rehearse = false, memberAt, withoutUsers, ...copyOptions } = options;
  const to = new EtcdClient({ keySpace, clock });
  // After a return to v2, v3 still has what was copied from there.
  const overwrite = copyOptions.overwrite === true || armed.switches > 0;
  const users = { memberAt, withoutUsers, overwrite };
  const moveUsers = () => copyUsers(source, target, armed, users);
  await moveUsers();
  const onProgress = new CopyReport(records, clock, "v3").before(copyOptions.onProgress);
  const migrateOptions = { ...copyOptions, onProgress, overwrite, hidden, from: source, to };
  const tops = ["/", ...hidden];
  const { switches } = armed;
  const from = { source, tops, first: armed.returnedAt + 1, before: target.keptAt(switches) };
  await using keeper = new IndexKeeper(from, target.keptAt(switches + 1), options.signal);
  // Before anything is compared.
  await using given = new GivenTtlCollector(records, clock);
  // By the end of the hold, gateways know all hidden keys of applications.
  const check = (all: readonly RegisteredGateway[]): void => checkGateways(all, hidden);
  const hold = new Hold(target, armed, { given, failure: "not switched", onHold, check });
  const switching = new Switch(source, target, hold, { keeper, given, moveUsers });
  try {
    const checked = await preflight(migrateOptions);
    await keeper.start();
    const copied = await new Migration(checked, migrateOptions, switching).run();
    await keeper.finish();
    if (rehearse) return { ...(await switching.release()), copied };
    const { end, pause } = await switching.decide();
    // Nobody must copy v2 again over newer data.
    await undo(() => to.deleteNode(RECORD_KEY));
    await undo(() => removeOldIndexes(target, armed));
    return { end, pause, copied };
  } catch (error) {
    await hold.abort();
    throw error instanceof GuardLostError ? await hold.whyLost(error) : error;
  }
}

/** Removes indexes that no gateway shows any more. @param before the state before the switch */
export async function removeOldIndexes(
  { keptAt }: CutoverTarget,
  { switches }: StoredState,
): Promise<void> {
  if (switches > 1) await keptAt(switches - 1).remove(undefined);
}

/** Ends a hold whose process has stopped. @returns the state from now on @throws CutoverError */
export async function abort({ records }: CutoverTarget): Promise<CutoverPhase> {
  const state = await records.read();
  if (state?.phase !== "holding" && state?.phase !== "returning") {
    throw wrongPhase(state, "holding");
  }
  const phase = state.phase === "holding" ? "armed" : "target";
  await orChanged(records.change(state, { ...state, phase }));
  return phase;
}

/** @throws CutoverError when a gateway cannot switch, or has seen a hidden key that is not copied */
export function checkGateways(
  gateways: readonly RegisteredGateway[],
  hidden: readonly string[],
): void {
  const broken = gateways.find(({ problem }) => problem !== "");
  if (broken !== undefined) throw new CutoverError(problemOf(broken));
  const missing = missingHidden(gateways, hidden);
  if (missing.length === 0) return;
  throw new MissingHiddenError(
    `applications use hidden keys that were not copied: ${missing.join(", ")}; run it again`,
    {
      option: "hidden",
      hint: (name) => `if that does not help, name them with ${name("hidden")}`,
    },
  );
}

/** Hidden keys to copy: those that are named, and those that applications have used. */
export function withAsked(
  named: readonly string[],
  gateways: readonly RegisteredGateway[],
): readonly string[] {
  // A key that v3 does not accept must be named, so that it is an allowed loss.
  return [...named, ...missingHidden(gateways, named).filter(isReachable)];
}

/** Hidden keys that applications use, and that are not copied. */
function missingHidden(
  gateways: readonly RegisteredGateway[],
  hidden: readonly string[],
): readonly string[] {
  const asked = new Set(gateways.flatMap((gateway) => gateway.hidden));
  // Each cluster has its own record.
  asked.delete(RECORD_KEY);
  return [...asked].filter((key) => !hidden.some((each) => isCopiedWith(key, each)));
}

/** Listings leave out what is hidden below. */
function isCopiedWith(key: string, directory: string): boolean {
  if (key === directory) return true;
  return key.startsWith(`${directory}/`) && !key.slice(directory.length).includes("/_");
}

/** @throws CutoverError */
export async function checkCluster(
  source: EtcdClient,
  { clusterId }: StoredState,
): Promise<number> {
  const { index, etcdClusterId } = await readIndex(source.keySpace, {});
  if (etcdClusterId === clusterId) return index;
  throw new CutoverError(
    `the v2 cluster has the ID ${etcdClusterId}, but gateways serve the one with the ID ${clusterId}`,
  );
}

interface SwitchParts {
  readonly keeper: IndexKeeper;
  readonly given: GivenTtlCollector;
  /** Copies what has changed of users and roles. */
  moveUsers(): Promise<void>;
}

/** From the moment at which gateways hold until the decision. */
class Switch implements Handover {
  readonly #source: EtcdClient;
  readonly #target: CutoverTarget;
  readonly #hold: Hold;
  readonly #keeper: IndexKeeper;
  readonly #given: GivenTtlCollector;
  readonly #moveUsers: SwitchParts["moveUsers"];
  #end = 0;

  constructor(
    source: EtcdClient,
    target: CutoverTarget,
    hold: Hold,
    { keeper, given, moveUsers }: SwitchParts,
  ) {
    this.#moveUsers = moveUsers;
    this.#source = source;
    this.#target = target;
    this.#hold = hold;
    this.#keeper = keeper;
    this.#given = given;
  }

  get extraTtl(): number {
    return extraTtlOf(this.#hold);
  }

  readonly indexMargin = INDEX_MARGIN;

  /** Lets the gateways hold, and reads the index at which v2 ends for them. */
  async end(): Promise<number> {
    await this.#keeper.hold();
    await this.#hold.begin("holding");
    // Nobody else has copied meanwhile, and nobody can from now on.
    await orChanged(this.#target.guard.voidSent());
    await this.#hold.acknowledged();
    this.#end = await checkCluster(this.#source, this.#hold.state);
    await this.#moveUsers();
    await this.#keeper.endAt(this.#end);
    return this.#end;
  }

  givenTtls(): readonly string[] {
    return this.#given.keys;
  }

  leased(entries: readonly TreeEntry[]): void {
    this.#keeper.addLeased(entries);
  }

  async decide(): Promise<{ readonly end: number; readonly pause: number }> {
    return { end: this.#end, pause: await this.#hold.decide("target", this.#end) };
  }

  /** Ends a rehearsal: the gateways go on with v2. @throws CutoverError when they have done so before */
  async release(): Promise<{ readonly end: number; readonly pause: number }> {
    return { end: this.#end, pause: await this.#hold.release() };
  }
}

/** Seconds: a refresh may be held for the whole hold, and TTLs are rounded. */
export function extraTtlOf({ state }: Hold): number {
  return Math.ceil(state.hold / 1000) + 1;
}
