/** Faults between members, while clients reach every member. */

import type { EtcdProcess } from "../../../scripts/etcd-process.mjs";
import {
  type Choice,
  type FaultEnvironment,
  type Heal,
  type Nemesis,
  namesOf,
  release,
  SINGLE_CLUSTERS,
  take,
  takeLeader,
} from "./nemesis.js";

export const isolate = isolating("isolate", async (environment, random) =>
  take(environment, environment.system.members, random),
);
export const isolateLeader = isolating("isolate-leader", takeLeader);

/** A third member still reaches both: the leader may be one of the two. */
export const separate: Nemesis = {
  name: "separate",
  systems: SINGLE_CLUSTERS,
  lastsMs: [4_000, 10_000],
  async start(environment, random) {
    const members = take(environment, environment.system.members, random, 2);
    if (members.length === 2) return cut(environment, members);
    release(environment, members);
    return undefined;
  },
};

function isolating(name: string, choose: Choice<EtcdProcess>): Nemesis {
  return {
    name,
    systems: SINGLE_CLUSTERS,
    lastsMs: [4_000, 10_000],
    async start(environment, random) {
      return cut(environment, await choose(environment, random));
    },
  };
}

function cut(environment: FaultEnvironment, members: readonly EtcdProcess[]): Heal | undefined {
  const { peerLinks } = environment.system;
  const [one, other] = members;
  // There is one cut at a time.
  const links = one === undefined ? [] : take(environment, [peerLinks], () => 0);
  if (one === undefined || links.length === 0) {
    release(environment, members);
    return undefined;
  }
  environment.note(`cuts off ${namesOf(members)}`);
  if (other === undefined) peerLinks.isolate(one.peerUrl);
  else peerLinks.separate(one.peerUrl, other.peerUrl);
  return () => {
    peerLinks.heal();
    release(environment, [...links, ...members]);
  };
}
