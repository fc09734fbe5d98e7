/** A cluster that goes back to an earlier state. */

import { cp, rename, rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import type { EtcdProcess } from "../../../scripts/etcd-process.mjs";
import type { EtcdClient } from "../../../src/index.js";
import { now } from "../worker/client-context.js";
import { type FaultEnvironment, type Nemesis, release, SINGLE_CLUSTERS, take } from "./nemesis.js";
import { startMember } from "./processes.js";

const MEMBERS = 3;
const RETRY_EVERY_MS = 100;
/** With fewer lost changes, the store could reach its former index before clients see that it went back. */
const LOST_AT_LEAST_MS = 8_000;
/** Clients must notice the restore within this time after the members are healthy. */
const NOTICED_WITHIN_MS = 10_000;

/**
 * The data of all members is copied at one moment. Later the members are killed, and start with the copies: the same
 * cluster ID, and a lower index.
 */
export const restore: Nemesis = {
  name: "restore",
  systems: SINGLE_CLUSTERS,
  lastsMs: [10_000, 15_000],
  isAlone: true,
  async start(environment) {
    const { system, note } = environment;
    const members = take(environment, system.members, () => 0, MEMBERS);
    if (members.length < MEMBERS) {
      release(environment, members);
      return undefined;
    }
    const snapshotFrom = now();
    await copyData(members);
    const index = await indexOf(system.admin);
    const snapshotTo = now();
    note(`copied the data up to index ${index}`);
    return async () => {
      const isLongEnough = now() - snapshotTo >= LOST_AT_LEAST_MS * 1e6;
      if (isLongEnough) await restoreData(environment, { snapshotFrom, snapshotTo, index });
      await Promise.all(members.map((member) => rm(copyOf(member), REMOVE)));
      release(environment, members);
    };
  },
};

const REMOVE = { recursive: true, force: true };

/** While they are stopped, so that the copies have what a power failure at this moment would leave. */
async function copyData(members: readonly EtcdProcess[]): Promise<void> {
  for (const member of members) member.pause();
  await Promise.all(
    members.map((member) =>
      cp(member.dataDir, copyOf(member), {
        recursive: true,
        // Space for the log that is not in use.
        filter: (path) => !path.endsWith(".tmp"),
      }),
    ),
  );
  for (const member of members) member.resume();
}

async function restoreData(
  { system, note, restored }: FaultEnvironment,
  snapshot: { readonly snapshotFrom: number; readonly snapshotTo: number; readonly index: number },
): Promise<void> {
  const { members, admin } = system;
  const last = await indexOf(admin);
  await Promise.all(members.map((member) => member.kill()));
  const stoppedAt = now();
  for (const member of members) {
    await rm(member.dataDir, REMOVE);
    await rename(copyOf(member), member.dataDir);
  }
  await Promise.all(members.map((member) => startMember(member)));
  note(`restored; the last index was at least ${last}, and is now ${await indexOf(admin)}`);
  await setTimeout(NOTICED_WITHIN_MS);
  restored({ ...snapshot, stoppedAt, noticedUntil: now() });
}

/** In the directory that is removed with the member. */
function copyOf({ dataDir }: EtcdProcess): string {
  return `${dataDir}-copy`;
}

async function indexOf(etcd: EtcdClient): Promise<number> {
  for (;;) {
    const response = await etcd.getNode("/", { quorum: true }).catch(() => undefined);
    if (response !== undefined) return response.etcdIndex;
    await setTimeout(RETRY_EVERY_MS);
  }
}
