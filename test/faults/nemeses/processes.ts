/** Members and gateways that are killed, or stopped for a while. */

import { setTimeout } from "node:timers/promises";
import type { EtcdProcess } from "../../../scripts/etcd-process.mjs";
import {
  ALL_SYSTEMS,
  type FaultEnvironment,
  type Heal,
  type Nemesis,
  namesOf,
  release,
  take,
  takeLeader,
} from "./nemesis.js";

const SECONDS = [2_000, 8_000] as const;
const MINUTE = [60_000, 65_000] as const;
/** Time that a member has to finish before the next one is restarted. */
const BETWEEN_RESTARTS_MS = 500;

type Choice = (
  environment: FaultEnvironment,
  random: () => number,
) => Promise<readonly EtcdProcess[]>;

/** Mostly one member, sometimes a majority, seldom all. */
const someMembers: Choice = async (environment, random) => {
  const dice = random();
  const count = dice < 0.7 ? 1 : dice < 0.9 ? 2 : 3;
  return take(environment, environment.system.members, random, count);
};
const leader: Choice = (environment) => takeLeader(environment);

export const kill = killing("kill", someMembers);
export const killLeader = killing("kill-leader", leader);
export const pause = pausing("pause", SECONDS, someMembers);
export const pauseLeader = pausing("pause-leader", SECONDS, leader);
export const pauseMinute: Nemesis = {
  ...pausing("pause-minute", MINUTE, someMembers),
  isLong: true,
};

function killing(name: string, choose: Choice): Nemesis {
  return {
    name,
    systems: ALL_SYSTEMS,
    lastsMs: SECONDS,
    async start(environment, random) {
      const members = await choose(environment, random);
      if (members.length === 0) return undefined;
      environment.note(`kills ${namesOf(members)}`);
      await Promise.all(members.map((member) => member.kill()));
      return async () => {
        await Promise.all(members.map((member) => startMember(member)));
        release(environment, members);
      };
    },
  };
}

function pausing(name: string, lastsMs: Nemesis["lastsMs"], choose: Choice): Nemesis {
  return {
    name,
    systems: ALL_SYSTEMS,
    lastsMs,
    async start(environment, random) {
      const members = await choose(environment, random);
      if (members.length === 0) return undefined;
      environment.note(`stops ${namesOf(members)}`);
      for (const member of members) member.pause();
      return () => {
        for (const member of members) member.resume();
        release(environment, members);
      };
    },
  };
}

export const rollingRestart: Nemesis = {
  name: "rolling-restart",
  systems: ALL_SYSTEMS,
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

export const killGateway: Nemesis = {
  name: "kill-gateway",
  systems: ["gateway"],
  lastsMs: SECONDS,
  async start(environment, random) {
    const gateways = take(environment, environment.system.gateways, random);
    if (gateways.length === 0) return undefined;
    environment.note(`kills ${namesOf(gateways)}`);
    await Promise.all(gateways.map((gateway) => gateway.kill()));
    return async () => {
      await Promise.all(gateways.map((gateway) => gateway.start()));
      release(environment, gateways);
    };
  },
};

export const pauseGateway: Nemesis = {
  name: "pause-gateway",
  systems: ["gateway"],
  lastsMs: SECONDS,
  async start(environment, random) {
    const gateways = take(environment, environment.system.gateways, random);
    if (gateways.length === 0) return undefined;
    environment.note(`stops ${namesOf(gateways)}`);
    for (const gateway of gateways) gateway.pause();
    return (): ReturnType<Heal> => {
      for (const gateway of gateways) gateway.resume();
      release(environment, gateways);
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
