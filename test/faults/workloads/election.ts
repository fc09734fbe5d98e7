import type { Election, Leader } from "../../../src/index.js";
import { checkElection, type ElectionOperation, type SeenLeader } from "../checks/election.js";
import type { Workload, WorkloadContext } from "../workload.js";
import { useOwnership } from "./lock.js";
import { UniqueValues } from "./values.js";

/** Seconds. Short, so that faults often outlast it. */
const TTL = 3;
const CAMPAIGN_TIMEOUT_MS = 10_000;

/** Odd clients campaign, the others read and observe the leader. */
export const election: Workload = {
  name: "election",
  async run(context) {
    const election = context.etcd.election(`${context.directory}/election`, { ttl: TTL });
    if (context.client % 2 === 1) await campaign(context, election);
    else await Promise.all([read(context, election), observe(context, election)]);
  },
  check: (history) => checkElection(history as readonly ElectionOperation[]),
};

async function campaign(context: WorkloadContext, election: Election): Promise<void> {
  const values = new UniqueValues(context);
  for (;;) {
    await context.turn();
    const value = values.next();
    const signal = AbortSignal.any([context.over, AbortSignal.timeout(CAMPAIGN_TIMEOUT_MS)]);
    const { result: leadership } = await context.operate(
      { kind: "campaign", key: election.key, input: value },
      () => election.campaign(value, { signal }),
      ({ fencingToken }) => fencingToken,
    );
    if (leadership !== undefined) await useOwnership(context, election.key, leadership);
  }
}

async function read(context: WorkloadContext, election: Election): Promise<never> {
  for (;;) {
    await context.turn();
    await context.operate(
      { kind: "readLeader", key: election.key },
      () => election.leader(),
      seenAs,
    );
  }
}

async function observe(context: WorkloadContext, election: Election): Promise<void> {
  for await (const leader of election.observe({ signal: context.over }))
    context.observe("observed", election.key, seenAs(leader));
}

function seenAs(leader: Leader | null): SeenLeader | null {
  return leader === null ? null : { value: leader.value, token: leader.fencingToken };
}
