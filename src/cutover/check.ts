import { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import { TargetInUseError } from "../errors/migration-errors.js";
import { readIndex } from "../key-space/shared/read-state.js";
import type { MigrateOptions } from "../transfer/migrate/migrate-options.js";
import { preflight } from "../transfer/migrate/preflight.js";
import { type CensusResult, takeCensus } from "./census.js";
import { seenBefore, unseenOf, unseenText } from "./copy-users.js";
import { withAsked } from "./flip.js";
import type { CutoverTarget } from "./open-target.js";
import { type MemberAt, readUsers } from "./users.js";

/** Options of {@link check}. */
export type CheckOptions = Pick<MigrateOptions, "overwrite" | "lossy" | "onProgress" | "signal"> & {
  /** Hidden keys that no application has used since the gateways were started. The others are known. */
  readonly hidden?: readonly string[] | undefined;
  /** Milliseconds for which requests may be held at the switch. After `arm`, it is known. */
  readonly hold: number;
  /** Milliseconds for which changes of v2 are counted. */
  readonly observe: number;
  /** Opens a client of one member of v2. Needed while v2 auth is on. */
  readonly memberAt?: MemberAt | undefined;
  /** Users of v2 that are not copied. */
  readonly withoutUsers?: readonly string[] | undefined;
};

/** What stands in the way of a switch. */
export interface CutoverCheck {
  /** With these, the switch is refused, or data is lost. */
  readonly blockers: readonly string[];
  /** With these, single applications may notice the switch. */
  readonly warnings: readonly string[];
  /** Hidden keys that would be copied. */
  readonly hidden: readonly string[];
  /** Nodes on v2; `undefined`: they could not be read. */
  readonly nodes: number | undefined;
  /** Nodes with a TTL. */
  readonly leased: number | undefined;
  /** Who changes v2; `undefined`: this could not be counted, and a blocker says why. */
  readonly census: CensusResult | undefined;
}

/** Milliseconds for which changes of v2 are counted, if the operator does not say. */
export const DEFAULT_OBSERVE_MS = 10_000;
/** Losses that are named. */
const MAX_NAMED = 3;

/**
 * Examines, without changing any key, what would prevent a switch, or would be noticed.
 *
 * @throws the errors of `migrate`, when a cluster cannot be read
 */
export async function check(
  source: EtcdClient,
  target: CutoverTarget,
  options: CheckOptions,
): Promise<CutoverCheck> {
  const { records, clock } = target;
  const { hold, lossy = false, memberAt, withoutUsers = [] } = options;
  const state = await records.read();
  if (state?.phase === "target") return only("the gateways have switched already");
  const { isAuthOn, users } = await readUsers(source, memberAt);
  const [blockers, warnings]: [string[], string[]] = [[], []];
  const gateways = await records.gateways();
  if (gateways.length === 0) blockers.push("no gateway is registered");
  const { etcdClusterId } = await readIndex(source.keySpace, {});
  for (const { url, problem, clusterId } of gateways) {
    if (problem !== "") blockers.push(`${url}: ${problem}`);
    else if (clusterId !== etcdClusterId) blockers.push(`${url} serves another v2 cluster`);
  }
  const hidden = withAsked(options.hidden ?? [], gateways);
  if (isAuthOn && !state?.passwords) {
    warnings.push("v2 auth is on: the passwords of its users are known when they log in after arm");
  } else if (isAuthOn && state !== undefined) {
    const unseen = unseenOf(users, withoutUsers, await seenBefore(records, state));
    if (unseen.length > 0) blockers.push(unseenText(unseen));
  }

  const census =
    gateways.length === 0 ? undefined : await censusOr(blockers, source, target, options);
  if (census !== undefined) addCensus(census, blockers, warnings);

  const to = new EtcdClient({ keySpace: target.keySpace, clock });
  const named: string[] = [];
  const { overwrite, onProgress, signal } = options;
  try {
    const { size, losses } = await preflight({
      ...{ from: source, to, hidden, overwrite, onProgress, signal, lossy: true },
      onLoss: ({ key, reason }) => {
        if (named.length < MAX_NAMED) named.push(`${JSON.stringify(key)} ${reason}`);
      },
    });
    const { shortest, nodes, leased } = size;
    if (shortest !== undefined && shortest.ttl * 1000 < 2 * (state?.hold ?? hold)) {
      warnings.push(
        `the TTL of ${shortest.key} has ${shortest.ttl} s left, less than twice the hold: its owner may come too late`,
      );
    }
    const more = losses.count - named.length;
    if (more > 0) named.push(`and ${more} more keys like these`);
    (lossy ? warnings : blockers).push(...named);
    return { blockers, warnings, hidden, nodes, leased, census };
  } catch (error) {
    if (!(error instanceof TargetInUseError)) throw error;
    blockers.push(error.message);
    return { blockers, warnings, hidden, nodes: undefined, leased: undefined, census };
  }
}

/** A census that is not possible is a blocker: nobody knows who writes to v2. */
async function censusOr(
  blockers: string[],
  source: EtcdClient,
  target: CutoverTarget,
  { observe, signal }: CheckOptions,
): Promise<CensusResult | undefined> {
  try {
    return await takeCensus(source, target, observe, signal);
  } catch (error) {
    if (!(error instanceof CutoverError)) throw error;
    blockers.push(error.message);
    return undefined;
  }
}

/** Nothing else can be examined. */
function only(blocker: string): CutoverCheck {
  const unknown = { nodes: undefined, leased: undefined, census: undefined };
  return { blockers: [blocker], warnings: [], hidden: [], ...unknown };
}

function addCensus(
  { foreign, shown, silent, unknown }: CensusResult,
  blockers: string[],
  warnings: string[],
): void {
  if (foreign > 0) {
    const keys = [...new Set(shown.map(({ action, key }) => `${action} ${key}`))];
    const text = `${foreign} changes of v2 were not made by a registered gateway: ${keys.join(", ")}`;
    if (foreign > unknown) blockers.push(text);
    else warnings.push(`${text}; or they are ${unknown} writes whose outcome is unknown`);
  }
  if (silent > unknown) {
    warnings.push(
      `${silent} changes of v2 without an event were not made by a registered gateway: hidden keys, refreshes, or etcd itself`,
    );
  }
}
