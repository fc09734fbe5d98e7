import { randomUUID } from "node:crypto";
import type { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import { readIndex } from "../key-space/shared/read-state.js";
import { sleep } from "../time/sleep.js";
import { type RegisteredGateway, StateChangedError } from "./cutover-records.js";
import type { CutoverPhase, StoredState } from "./cutover-state.js";
import type { CutoverTarget } from "./open-target.js";
import { SeenPasswords } from "./seen-passwords.js";
import { type MemberAt, readUsers } from "./users.js";

/** Options of {@link arm}. */
export interface ArmOptions {
  /** Number of gateways that serve the applications. All of them must take part. */
  readonly gateways: number;
  /** Milliseconds for which requests may be held. */
  readonly hold: number;
  /** Opens a client of one member of v2. Needed while v2 auth is on. */
  readonly memberAt?: MemberAt | undefined;
  /** The user of the client of v2: from now on, passwords are taken from requests. */
  readonly user?: { readonly name: string; readonly password: string } | undefined;
}

/** Milliseconds for which requests may be held, if the operator does not say. */
export const DEFAULT_HOLD_MS = 2_000;
/** Time for gateways that have just been started. */
const REGISTER_MS = 3_000;
/** Time for gateways to acknowledge a state. */
const ACKNOWLEDGE_MS = 10_000;
const POLL_MS = 50;
const FAILURE = "not armed";

/**
 * Prepares gateways in front of v2 for the switch to v3: from now on they serve only while they are registered on v3. If v2 auth
 * is on, they take the passwords of users from requests that v2 accepts, and refuse changes of users and roles.
 *
 * @throws CutoverError when a gateway is missing or cannot take part; then nothing has changed
 */
export async function arm(
  source: EtcdClient,
  target: CutoverTarget,
  { gateways, hold, memberAt, user }: ArmOptions,
): Promise<void> {
  const { records } = target;
  const known = await records.read();
  if (known !== undefined && known.phase !== "returned") {
    const what = known.phase === "arming" ? "; disarm first" : "";
    throw new CutoverError(`the state of the cut-over is already ${known.phase}${what}`);
  }
  const { isAuthOn } = await readUsers(source, memberAt);
  const { etcdClusterId: clusterId } = await readIndex(source.keySpace, {});
  const expected = await registeredGateways(target, gateways, clusterId);
  const { end, switches, returnedAt } = known ?? { end: 0, switches: 0, returnedAt: 0 };
  const passwords = isAuthOn ? randomUUID() : "";
  const settings = { phase: "arming", clusterId, gateways, hold, passwords } as const;
  const first = { ...settings, end, switches, switchedAt: 0, returnedAt, isFinished: false };
  let state = await orChanged(
    known === undefined ? records.create(first) : records.change(known, first),
  );
  try {
    const { keySpace } = records;
    await SeenPasswords.removeOthers(keySpace, passwords);
    if (isAuthOn && user !== undefined) {
      await new SeenPasswords(keySpace, passwords).add(user.name, Buffer.from(user.password));
    }
    await untilAcknowledged(target, state, expected, FAILURE);
    // From now on, gateways refuse changes of users.
    if ((await readUsers(source, memberAt)).isAuthOn !== isAuthOn) {
      throw new CutoverError(`${FAILURE}: v2 auth was switched on or off meanwhile`);
    }
    state = await orChanged(records.change(state, { ...state, phase: "armed" }));
    await untilAcknowledged(target, state, expected, FAILURE);
  } catch (error) {
    await undo(() => disarmed(target, state));
    throw error;
  }
}

/** Waits until all these gateways follow the state. @param failure how an error begins @throws CutoverError */
export async function untilAcknowledged(
  { records, clock }: CutoverTarget,
  { revision }: StoredState,
  expected: readonly RegisteredGateway[],
  failure: string,
): Promise<void> {
  const deadline = clock.monotonic() + ACKNOWLEDGE_MS;
  for (;;) {
    const registered = new Map((await records.gateways()).map((each) => [each.id, each]));
    // It may serve from v2 without a registration, because it has not seen the state.
    const gone = expected.find(({ id }) => !registered.has(id));
    if (gone !== undefined) throw new CutoverError(`${failure}: ${nameOf(gone)} has disappeared`);
    const late = [...registered.values()].filter((each) => each.acknowledged !== revision);
    if (late.length === 0) return;
    if (clock.monotonic() > deadline) {
      throw new CutoverError(`${failure}: ${notAcknowledged(late)}`);
    }
    await sleep(POLL_MS, clock, undefined);
  }
}

/** Waits until every gateway can take part. @throws CutoverError */
async function registeredGateways(
  { records, clock }: CutoverTarget,
  gateways: number,
  clusterId: string,
): Promise<readonly RegisteredGateway[]> {
  const begun = clock.monotonic();
  for (;;) {
    const registered = await records.gateways();
    const waited = clock.monotonic() - begun;
    const isComplete = registered.length === gateways;
    if (!isComplete && waited > REGISTER_MS) throw wrongNumber(registered, gateways);
    const broken = registered.find(({ problem }) => problem !== "");
    const other = registered.find((each) => each.clusterId !== clusterId);
    if (isComplete && broken === undefined && other === undefined) return registered;
    if (waited > ACKNOWLEDGE_MS) {
      if (broken !== undefined) throw new CutoverError(problemOf(broken));
      if (other !== undefined) throw new CutoverError(`${nameOf(other)} serves another v2 cluster`);
    }
    await sleep(POLL_MS, clock, undefined);
  }
}

function wrongNumber(registered: readonly RegisteredGateway[], gateways: number): CutoverError {
  const names = registered.map(nameOf).join(", ") || "none";
  return new CutoverError(
    `${registered.length} gateways are registered instead of ${gateways} (${names}); every gateway needs ` +
      "both clusters, and a gateway that is not registered would go on with v2",
  );
}

/** Ends `arming` or `armed`: gateways serve from v2, and need nothing of v3. @throws CutoverError */
export async function disarm({ records }: CutoverTarget): Promise<void> {
  const state = await records.read();
  if (state?.phase !== "armed" && state?.phase !== "arming") throw wrongPhase(state, "armed");
  await orChanged(disarmed({ records }, state));
}

/** After a return to v2, gateways must still know which indexes were of v3. */
async function disarmed(
  { records }: Pick<CutoverTarget, "records">,
  state: StoredState,
): Promise<void> {
  if (state.switches === 0) await records.remove(state);
  else await records.change(state, { ...state, phase: "returned" });
}

export function notAcknowledged(gateways: readonly RegisteredGateway[]): string {
  return `no acknowledgement from ${gateways.map(nameOf).join(", ")}`;
}

export function problemOf(gateway: RegisteredGateway): string {
  return `${nameOf(gateway)}: ${gateway.problem}`;
}

function nameOf({ host, url }: RegisteredGateway): string {
  return `the gateway at ${url} (${host})`;
}

export function wrongPhase(state: StoredState | undefined, needed: CutoverPhase): CutoverError {
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
