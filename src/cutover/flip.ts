import { EtcdClient } from "../client/etcd-client.js";
import { OutcomeUnknownError } from "../errors/cluster-errors.js";
import { CutoverError } from "../errors/cutover-error.js";
import { GuardLostError } from "../etcd3/guarded-v3-api.js";
import { isRetryable } from "../key-space/shared/is-retryable.js";
import { readIndex } from "../key-space/shared/read-state.js";
import { isReachable } from "../key-space/v3/schema/key-schema.js";
import { sleep } from "../time/sleep.js";
import type { MigrateOptions } from "../transfer/migrate/migrate-options.js";
import { Migration } from "../transfer/migrate/migration.js";
import type { MigrationProgress } from "../transfer/migrate/migration-progress.js";
import { RECORD_KEY } from "../transfer/migrate/migration-record.js";
import { preflight } from "../transfer/migrate/preflight.js";
import type { TreeEntry } from "../transfer/source/tree-entry.js";
import {
  notAcknowledged,
  orChanged,
  problemOf,
  undo,
  untilAcknowledged,
  wrongPhase,
} from "./arm.js";
import { type RegisteredGateway, StateChangedError } from "./cutover-records.js";
import type { StoredState } from "./cutover-state.js";
import { GivenTtlCollector } from "./given-ttl-collector.js";
import { IndexKeeper } from "./index-keeper.js";
import type { CutoverTarget } from "./open-target.js";

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
};

/** A switch that has succeeded. */
export interface Flipped {
  /** Index of v2 up to which its changes count. In a rehearsal, up to which they were copied. */
  readonly end: number;
  /** Milliseconds for which requests were held. */
  readonly pause: number;
  readonly copied: MigrationProgress;
}

const POLL_MS = 20;

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
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryFlip(source, target, options);
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
  const hidden = withAsked(options.hidden ?? [], gateways);
  if (gateways.length === 0) throw new CutoverError("no gateway is registered");
  // After an attempt that was undone, they follow the state before.
  await untilAcknowledged(target, armed, gateways, "not switched");
  checkGateways(gateways, hidden);
  await checkCluster(source, armed);
  await guard.take(armed);
  const { onHold, rehearse = false, ...copyOptions } = options;
  const to = new EtcdClient({ keySpace, clock });
  const migrateOptions = { ...copyOptions, hidden, from: source, to };
  const tops = ["/", ...hidden];
  await using keeper = new IndexKeeper(source, target.kept, tops, options.signal);
  // Before anything is compared.
  await using given = new GivenTtlCollector(records, clock);
  const switching = new Switch(source, target, armed, { hidden, keeper, given, onHold });
  try {
    const checked = await preflight(migrateOptions);
    await keeper.start();
    const copied = await new Migration(checked, migrateOptions, switching).run();
    await keeper.finish();
    if (rehearse) return { ...(await switching.release()), copied };
    const { end, pause } = await switching.decide();
    // Nobody must copy v2 again over newer data.
    await undo(() => to.deleteNode(RECORD_KEY));
    return { end, pause, copied };
  } catch (error) {
    await switching.abort();
    throw error instanceof GuardLostError ? await whyLost(target, error) : error;
  }
}

/** Why nothing could be written any more. */
async function whyLost({ records }: CutoverTarget, cause: Error): Promise<Error> {
  const state = await records.read();
  return state?.phase === "armed" ? tookTooLong() : new CutoverError(cause.message, { cause });
}

function tookTooLong(): CutoverError {
  return new CutoverError(
    "not switched: the last changes and TTLs took longer than the hold; run it again, or choose a longer hold",
  );
}

/** Ends a hold whose process has stopped. @throws CutoverError */
export async function abort({ records }: CutoverTarget): Promise<void> {
  const state = await records.read();
  if (state?.phase !== "holding") throw wrongPhase(state, "holding");
  await orChanged(records.change(state, { ...state, phase: "armed" }));
}

/** @throws CutoverError when a gateway cannot switch, or has seen a hidden key that is not copied */
function checkGateways(gateways: readonly RegisteredGateway[], hidden: readonly string[]): void {
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
async function checkCluster(source: EtcdClient, { clusterId }: StoredState): Promise<number> {
  const { index, etcdClusterId } = await readIndex(source.keySpace, {});
  if (etcdClusterId === clusterId) return index;
  throw new CutoverError(
    `the v2 cluster has the ID ${etcdClusterId}, but gateways serve the one with the ID ${clusterId}`,
  );
}

/** What happens while the gateways hold. */
interface HoldSettings {
  readonly hidden: readonly string[];
  readonly keeper: IndexKeeper;
  readonly given: GivenTtlCollector;
  readonly onHold: (() => void) | undefined;
}

/** From the moment at which gateways hold until the decision. */
class Switch {
  readonly #source: EtcdClient;
  readonly #target: CutoverTarget;
  readonly #settings: HoldSettings;
  #state: StoredState;
  #end = 0;
  #heldAt = 0;

  constructor(
    source: EtcdClient,
    target: CutoverTarget,
    state: StoredState,
    settings: HoldSettings,
  ) {
    this.#source = source;
    this.#target = target;
    this.#state = state;
    this.#settings = settings;
  }

  /** A refresh may be held for the whole hold, and TTLs are rounded. */
  get extraTtl(): number {
    return Math.ceil(this.#state.hold / 1000) + 1;
  }

  /** Lets the gateways hold, and reads the index at which v2 ends for them. */
  async end(): Promise<number> {
    const { records, guard, clock } = this.#target;
    const { keeper } = this.#settings;
    const armed = this.#state;
    await keeper.hold();
    this.#heldAt = clock.monotonic();
    this.#state = await orChanged(records.change(armed, { ...armed, phase: "holding" }));
    guard.follow(this.#state);
    this.#settings.onHold?.();
    // Nobody else has copied meanwhile, and nobody can from now on.
    await orChanged(guard.voidSent());
    await this.#acknowledged();
    this.#end = await checkCluster(this.#source, this.#state);
    await keeper.endAt(this.#end);
    return this.#end;
  }

  givenTtls(): readonly string[] {
    return this.#settings.given.keys;
  }

  leased(entries: readonly TreeEntry[]): void {
    this.#settings.keeper.addLeased(entries);
  }

  /** @throws CutoverError */
  async #acknowledged(): Promise<void> {
    const { records, clock } = this.#target;
    const { given, hidden } = this.#settings;
    for (;;) {
      const readAt = clock.monotonic();
      const gateways = await records.gateways();
      given.take(gateways, readAt);
      const late = gateways.filter(({ acknowledged }) => acknowledged !== this.#state.revision);
      // By now they know all hidden keys of applications.
      if (late.length === 0) return checkGateways(gateways, hidden);
      if (clock.monotonic() - this.#heldAt > this.#state.hold) {
        throw new CutoverError(`not switched: ${notAcknowledged(late)} within the hold`);
      }
      await sleep(POLL_MS, clock, undefined);
    }
  }

  async decide(): Promise<{ readonly end: number; readonly pause: number }> {
    const { records, guard, clock } = this.#target;
    const end = this.#end;
    const holding = this.#state;
    const deadline = clock.monotonic() + holding.hold;
    for (;;) {
      try {
        this.#state = await records.change(holding, { ...holding, phase: "target", end });
        break;
      } catch (error) {
        if (error instanceof StateChangedError) {
          // An earlier attempt of this loop may have been carried out.
          const now = await records.read();
          if (now?.phase !== "target") throw tookTooLong();
          this.#state = now;
          break;
        }
        if (!(error instanceof OutcomeUnknownError) && !isRetryable(error)) throw error;
        if (clock.monotonic() > deadline) throw error;
        await sleep(POLL_MS, clock, undefined);
      }
    }
    guard.follow(this.#state);
    return { end, pause: clock.monotonic() - this.#heldAt };
  }

  /** Ends a rehearsal: the gateways go on with v2. @throws CutoverError when they have done so before */
  async release(): Promise<{ readonly end: number; readonly pause: number }> {
    const { records, clock } = this.#target;
    const holding = this.#state;
    try {
      this.#state = await records.change(holding, { ...holding, phase: "armed" });
    } catch (error) {
      throw error instanceof StateChangedError ? tookTooLong() : error;
    }
    return { end: this.#end, pause: clock.monotonic() - this.#heldAt };
  }

  /** Lets the gateways go on with v2. They do so themselves at the end of the hold. */
  async abort(): Promise<void> {
    const state = this.#state;
    if (state.phase !== "holding") return;
    await undo(() => this.#target.records.change(state, { ...state, phase: "armed" }));
  }
}
