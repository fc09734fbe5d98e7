import type { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import { readState } from "../key-space/shared/read-state.js";
import { sleep } from "../time/sleep.js";
import { type RegisteredGateway, StateChangedError } from "./cutover-records.js";
import type { StoredState } from "./cutover-state.js";
import type { CutoverTarget } from "./open-target.js";

/** Options of {@link arm}. */
export interface ArmOptions {
  /** Number of gateways that serve the applications. All of them must take part. */
  readonly gateways: number;
  /** Milliseconds for which requests may be held. */
  readonly hold: number;
}

/** Time for gateways to acknowledge a state. */
const ACKNOWLEDGE_MS = 10_000;
const POLL_MS = 50;

/**
 * Prepares gateways in front of v2 for the switch to v3: from now on they serve only while they are registered on v3.
 *
 * @throws CutoverError when a gateway is missing or cannot take part; then nothing has changed
 */
export async function arm(
  source: EtcdClient,
  target: CutoverTarget,
  { gateways, hold }: ArmOptions,
): Promise<void> {
  const { records, clock } = target;
  const known = await records.read();
  if (known !== undefined) throw new CutoverError(`the cut-over is already ${known.phase}`);
  if (await source.auth.isEnabled()) {
    throw new CutoverError(
      "v2 auth is on, and users and roles are not copied yet; disable it first",
    );
  }
  await registeredGateways(target, gateways);
  const { etcdClusterId: clusterId } = await readState(source.keySpace, WHOLE_STORE, {});
  const state = await records.create({ phase: "armed", clusterId, gateways, hold, end: 0 });
  const deadline = clock.monotonic() + ACKNOWLEDGE_MS;
  for (;;) {
    const registered = await records.gateways();
    const late = registered.filter(({ acknowledged }) => acknowledged !== state.revision);
    if (late.length === 0 && registered.length >= gateways) return;
    if (clock.monotonic() > deadline) {
      await undo(() => records.remove(state));
      checkNumber(registered, gateways);
      throw new CutoverError(`not armed: ${notAcknowledged(late)}`);
    }
    await sleep(POLL_MS, clock, undefined);
  }
}

/** Waits until every gateway can take part. @throws CutoverError */
async function registeredGateways(
  { records, clock }: CutoverTarget,
  gateways: number,
): Promise<void> {
  const deadline = clock.monotonic() + ACKNOWLEDGE_MS;
  for (;;) {
    const registered = await records.gateways();
    checkNumber(registered, gateways);
    const broken = registered.find(({ problem }) => problem !== "");
    if (broken === undefined) return;
    if (clock.monotonic() > deadline) {
      throw new CutoverError(`${nameOf(broken)}: ${broken.problem}`);
    }
    await sleep(POLL_MS, clock, undefined);
  }
}

/** @throws CutoverError */
function checkNumber(registered: readonly RegisteredGateway[], gateways: number): void {
  if (registered.length === gateways) return;
  const names = registered.map(nameOf).join(", ") || "none";
  throw new CutoverError(
    `${registered.length} gateways are registered instead of ${gateways} (${names}); every gateway needs ` +
      "both clusters, and a gateway that is not registered would go on with v2",
  );
}

/** Ends `armed` before the switch: gateways serve from v2, and need nothing of v3. @throws CutoverError */
export async function disarm({ records }: CutoverTarget): Promise<void> {
  const state = await records.read();
  if (state?.phase !== "armed") throw wrongPhase(state, "armed");
  await orChanged(records.remove(state));
}

export function notAcknowledged(gateways: readonly RegisteredGateway[]): string {
  return `no acknowledgement from ${gateways.map(nameOf).join(", ")}`;
}

function nameOf({ host, url }: RegisteredGateway): string {
  return `the gateway at ${url} (${host})`;
}

export function wrongPhase(state: StoredState | undefined, needed: string): CutoverError {
  const { phase = "source" } = state ?? {};
  return new CutoverError(`the state of the cut-over is ${phase}; this needs the state ${needed}`);
}

/** @throws CutoverError when another process has changed the state */
export async function orChanged<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    throw error instanceof StateChangedError ? new CutoverError(error.message) : error;
  }
}

/** Undoes something, as far as that is possible now. */
export async function undo(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch {
    // Gateways undo it too, and the state can be read.
  }
}

const WHOLE_STORE = { key: "/", recursive: true, state: "none" } as const;
