/** Members that are replaced, and members that become another release. */

import { rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { findEtcd, type Release } from "../../../scripts/etcd-binaries.mjs";
import type { EtcdClient, Member } from "../../../src/index.js";
import { type Nemesis, namesOf, release, SINGLE_CLUSTERS, take } from "./nemesis.js";
import { startMember } from "./processes.js";

const RETRY_EVERY_MS = 500;
const REMOVED_WITHIN_MS = 10_000;
const MEMBERS = 3;
const BEFORE_LATEST = ["3.4", "3.5", "3.6"] as const;
const NEXT: Readonly<Partial<Record<Release, Release>>> = { 3.4: "3.5", 3.5: "3.6", 3.6: "3.7" };

/** A member is removed from the cluster. Its place is taken by a member with another ID and without data. */
export const replaceMember: Nemesis = {
  name: "replace-member",
  systems: SINGLE_CLUSTERS,
  lastsMs: [3_000, 6_000],
  async start(environment, random) {
    const { admin, members } = environment.system;
    const [process] = take(environment, members, random);
    const list = await admin.members.list().catch(() => []);
    const member = list.find(({ name }) => name === process?.name);
    if (process === undefined || member === undefined) {
      release(environment, [process]);
      return undefined;
    }
    environment.note(`replaces ${process.name}, ID ${member.id}`);
    await removeMember(admin, member.id);
    await process.kill();
    return async () => {
      const isRemoved = !(await listed(admin)).some(({ id }) => id === member.id);
      if (isRemoved) {
        await rm(process.dataDir, { recursive: true, force: true });
        await addMember(admin, member);
      }
      const args = isRemoved ? ["--initial-cluster-state=existing"] : [];
      await startMember(process, { args });
      release(environment, [process]);
    };
  },
};

/** etcd refuses while members have been connected for less than five seconds. The heal function reads the result. */
async function removeMember(admin: EtcdClient, id: string): Promise<void> {
  const deadline = performance.now() + REMOVED_WITHIN_MS;
  while (performance.now() < deadline) {
    const isRemoved = await admin.members.remove(id).then(
      () => true,
      () => false,
    );
    if (isRemoved) return;
    await setTimeout(RETRY_EVERY_MS);
  }
}

/** Repeats until a member with these URLs exists: an attempt without a response may have added it. */
async function addMember(admin: EtcdClient, { peerURLs }: Member): Promise<void> {
  const isThere = ({ peerURLs: [url] }: Member): boolean => url === peerURLs[0];
  while (!(await listed(admin)).some(isThere)) {
    await admin.members.add(peerURLs).catch(() => setTimeout(RETRY_EVERY_MS));
  }
}

async function listed(admin: EtcdClient): Promise<readonly Member[]> {
  for (;;) {
    const list = await admin.members.list().catch(() => undefined);
    if (list !== undefined) return list;
    await setTimeout(RETRY_EVERY_MS);
  }
}

/** Each member is stopped and started as the next release, one by one. Happens once in a run. */
export const upgrade: Nemesis = {
  name: "upgrade",
  systems: SINGLE_CLUSTERS,
  // etcd 3.6 has no v2 API.
  releases: { v2: ["3.4"], v3: BEFORE_LATEST, gateway: BEFORE_LATEST },
  lastsMs: [6_000, 10_000],
  async start(environment) {
    const { system, taken } = environment;
    const next = NEXT[system.release];
    const members = take(environment, system.members, () => 0, MEMBERS);
    if (next === undefined || taken.has(upgrade) || members.length < MEMBERS) {
      release(environment, members);
      return undefined;
    }
    taken.add(upgrade);
    const found = findEtcd(next);
    if ("missing" in found) throw new Error(found.missing);
    environment.note(`upgrades ${namesOf(members)} to ${found.version}`);
    const upgrades = (async () => {
      for (const member of members) {
        await member.stop();
        await startMember(member, { binary: found.path });
      }
    })();
    // A failure is reported by the heal function.
    upgrades.catch(() => {});
    return async () => {
      await upgrades;
      release(environment, members);
    };
  },
};
