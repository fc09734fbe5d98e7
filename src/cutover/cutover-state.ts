import { isObject } from "../wire/json.js";

/**
 * The phase of a cut-over.
 *
 * - `arming`: like `armed`, until every gateway has acknowledged it.
 * - `armed`: gateways serve from v2, and only while they are registered.
 * - `holding`: gateways start nothing on v2. Requests wait.
 * - `target`: gateways serve from v3.
 * - `returning`: gateways start nothing on v3. Requests wait, until v2 has a copy of it.
 * - `returned`: gateways serve from v2 again, as before `arming`.
 */
export type CutoverPhase = (typeof PHASES)[number];

const PHASES = ["arming", "armed", "holding", "target", "returning", "returned"] as const;

/** The state that all gateways of a cut-over share. */
export interface CutoverState {
  readonly phase: CutoverPhase;
  /** ID of the v2 cluster, which clients continue to see. */
  readonly clusterId: string;
  /** Number of gateways that take part. */
  readonly gateways: number;
  /** Milliseconds after which anybody may end `holding` and `returning`. */
  readonly hold: number;
  /**
   * In `target` and `returning`: index of v2 up to which its changes count. In `returned`: index of v3 up to which its changes
   * count, also while the next switch is prepared. Before the first switch 0.
   */
  readonly end: number;
  /** How often gateways have changed to the other cluster. */
  readonly switches: number;
  /** In `target` and `returning`: revision at which `target` was decided, if the record was written again since. Otherwise 0. */
  readonly switchedAt: number;
  /**
   * In `returned`, and while the next switch is prepared: index of v2 at the return. A node with a smaller or equal index is a
   * copy that nobody has changed since. Otherwise 0.
   */
  readonly returnedAt: number;
  /** In `target`: whether it was decided that there is no way back. */
  readonly isFinished: boolean;
  /** ID of the passwords that gateways see since `arm`, see `SeenPasswords`. Empty: v2 auth was off. */
  readonly passwords: string;
}

/** The state as it is stored. */
export interface StoredState extends CutoverState {
  /** Revision of etcd at which it was written. */
  readonly revision: number;
}

export function encodeState(state: CutoverState): string {
  const { phase, clusterId, gateways, hold, isFinished, passwords } = state;
  const { end, switches, switchedAt, returnedAt } = state;
  const indexes = { end, switches, switchedAt, returnedAt };
  return JSON.stringify({ phase, clusterId, gateways, hold, ...indexes, isFinished, passwords });
}

/** `undefined` for a text that {@link encodeState} has not made. */
export function decodeState(text: string, revision: number): StoredState | undefined {
  const value = objectIn(text);
  const { phase, clusterId, gateways, hold, isFinished, passwords } = value;
  const { end, switches, switchedAt, returnedAt } = value;
  const known = PHASES.find((each) => each === phase);
  if (known === undefined || typeof clusterId !== "string") return undefined;
  if (typeof isFinished !== "boolean" || typeof passwords !== "string") return undefined;
  if (!isNumber(gateways) || !isNumber(hold) || !isNumber(end)) return undefined;
  if (!isNumber(switches) || !isNumber(switchedAt) || !isNumber(returnedAt)) return undefined;
  const indexes = { end, switches, switchedAt, returnedAt, revision };
  return { phase: known, clusterId, gateways, hold, ...indexes, isFinished, passwords };
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

/** What a gateway says about itself. */
export interface Registration {
  /** Where it runs: host name and process ID. */
  readonly host: string;
  /** URL at which it listens. */
  readonly url: string;
  /** Revision of the state that it follows; 0: none. In `holding` and `returning`, it starts nothing more. */
  readonly acknowledged: number;
  /** ID of its v2 cluster; empty: not known yet. */
  readonly clusterId: string;
  /** Hidden keys that clients have asked for, up to each hidden segment. */
  readonly hidden: readonly string[];
  /** Keys to which a refresh may have given their first TTL in the last minute: v2 shows no event of that. */
  readonly givenTtls: readonly string[];
  /** Why it cannot switch; empty: it can. */
  readonly problem: string;
}

export function encodeRegistration(registration: Registration): string {
  return JSON.stringify(registration);
}

/** `undefined` for a text that {@link encodeRegistration} has not made. */
export function decodeRegistration(text: string): Registration | undefined {
  const { host, url, acknowledged, clusterId, hidden, givenTtls, problem } = objectIn(text);
  const isText = (value: unknown): value is string => typeof value === "string";
  if (!isText(host) || !isText(url) || !isText(clusterId) || !isText(problem)) return undefined;
  if (!isNumber(acknowledged) || !Array.isArray(hidden)) return undefined;
  if (!Array.isArray(givenTtls)) return undefined;
  const keys = { hidden: hidden.map(String), givenTtls: givenTtls.map(String) };
  return { host, url, acknowledged, clusterId, ...keys, problem };
}

/** The object in a JSON text; empty for another text. */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
