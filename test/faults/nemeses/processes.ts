/** Members and gateways that are killed, or stopped for a while. */

import { setTimeout } from "node:timers/promises";
import type { EtcdProcess } from "../../../scripts/etcd-process.mjs";
import type { GatewayProcess } from "../gateway-process.js";
import {
  ALL_SYSTEMS,
  type Choice,
  GATEWAY_SYSTEMS,
  type Nemesis,
  namesOf,
  release,
  SINGLE_CLUSTERS,
  take,
  takeLeader,
} from "./nemesis.js";

const SECONDS = [2_000, 8_000] as const;
const MINUTE = [60_000, 65_000] as const;
const LONGER_THAN_REGISTERED = [11_000, 14_000] as const;
/** Time that a member has to finish before the next one is restarted. */
const BETWEEN_RESTARTS_MS = 500;

/** A process of the tested system. */
interface Process {
  readonly name: string;
  kill(): Promise<unknown>;
  pause(): void;
  resume(): void;
}

/** The processes that a nemesis hits. */
interface Victims<P extends Process> {
  readonly systems: Nemesis["systems"];
  readonly choose: Choice<P>;
  start(process: P): Promise<unknown>;
}

/** Mostly one member, sometimes a majority, seldom all. */
const someMembers: Victims<EtcdProcess> = {
  systems: ALL_SYSTEMS,
  choose: async (environment, random) => {
    const dice = random();
    const count = dice < 0.7 ? 1 : dice < 0.9 ? 2 : 3;
    return take(environment, environment.system.members, random, count);
  },
  start: (member) => startMember(member),
};
const leader: Victims<EtcdProcess> = {
  ...someMembers,
  systems: SINGLE_CLUSTERS,
  choose: takeLeader,
};
const oneGateway: Victims<GatewayProcess> = {
  systems: GATEWAY_SYSTEMS,
  choose: async (environment, random) => take(environment, environment.system.gateways, random),
  start: (gateway) => gateway.start(),
};

export const kill = killing("kill", someMembers);
export const killLeader = killing("kill-leader", leader);
export const killGateway = killing("kill-gateway", oneGateway);
export const pause = pausing("pause", SECONDS, someMembers);
export const pauseLeader = pausing("pause-leader", SECONDS, leader);
export const pauseGateway = pausing("pause-gateway", SECONDS, oneGateway);
/** Longer than a gateway is registered for a cut-over. */
export const pauseGatewayLong: Nemesis = {
  ...pausing("pause-gateway-long", LONGER_THAN_REGISTERED, oneGateway),
  systems: ["cutover"],
  isLong: true,
};
export const pauseMinute: Nemesis = {
  ...pausing("pause-minute", MINUTE, someMembers),
  isLong: true,
};

function killing<P extends Process>(name: string, { systems, choose, start }: Victims<P>): Nemesis {
  return {
    name,
    systems,
    lastsMs: SECONDS,
    async start(environment, random) {
      const processes = await choose(environment, random);
      if (processes.length === 0) return undefined;
      environment.note(`kills ${namesOf(processes)}`);
      await Promise.all(processes.map((process) => process.kill()));
      return async () => {
        await Promise.all(processes.map((process) => start(process)));
        release(environment, processes);
      };
    },
  };
}

function pausing<P extends Process>(
  name: string,
  lastsMs: Nemesis["lastsMs"],
  { systems, choose }: Victims<P>,
): Nemesis {
  return {
    name,
    systems,
    lastsMs,
    async start(environment, random) {
      const processes = await choose(environment, random);
      if (processes.length === 0) return undefined;
      environment.note(`stops ${namesOf(processes)}`);
      for (const process of processes) process.pause();
      return () => {
        for (const process of processes) process.resume();
        release(environment, processes);
      };
    },
  };
}

export const rollingRestart: Nemesis = {
  name: "rolling-restart",
  systems: SINGLE_CLUSTERS,
  lastsMs: [4_000, 8_000],
  async start(environment) {
    const members = take(environment, environment.system.members, () => 0, 3);
    if (members.length === 0) return undefined;
    environment.note(`restarts ${namesOf(members)} one by one`);
    const restarts = (async () => {
      for (const member of members) {
        await member.stop();
        await startMember(member);
        await setTimeout(BETWEEN_RESTARTS_MS);
      }
    })();
    // A failure is reported by the heal function.
    restarts.catch(() => {});
    return async () => {
      await restarts;
      release(environment, members);
    };
  },
};

/** Starts a member. Without a majority it runs, but it is not healthy yet. */
export async function startMember(
  member: EtcdProcess,
  options?: Parameters<EtcdProcess["start"]>[0],
): Promise<void> {
  try {
    await member.start(options);
  } catch (error) {
    if (member.pid === undefined) throw error;
  }
}
