/** Faults of etcd's v3 store: history that is compacted, and a store without space. */

import { setTimeout } from "node:timers/promises";
import { V3Tool } from "../../v3/v3-tools.js";
import type { FaultSystem } from "../system.js";
import { type Nemesis, release, take, V3_SYSTEMS } from "./nemesis.js";

const COMPACT_EVERY_MS = 300;
const RETRY_EVERY_MS = 200;
/** Outside of the tree of the clients, whose keys begin with `/`. */
const FILLING = "filling/";
const FILLING_BYTES = 1_000_000;
const FILLED_WITHIN_MS = 30_000;

/** etcd's history is always short, so watches and cached states are often too old. */
export const compaction: Nemesis = {
  name: "compaction",
  systems: V3_SYSTEMS,
  lastsMs: [5_000, 10_000],
  async start({ system }) {
    const tool = system.v3Tool();
    const stopped = new AbortController();
    const compacting = (async () => {
      while (!stopped.signal.aborted) {
        // Fails while there is no leader.
        await compact(tool).catch(() => {});
        await setTimeout(COMPACT_EVERY_MS);
      }
    })();
    return async () => {
      stopped.abort();
      await compacting;
      tool.close();
    };
  },
};

/** The store is filled until etcd raises its alarm, and then emptied. */
export const noSpace: Nemesis = {
  name: "no-space",
  systems: V3_SYSTEMS,
  lastsMs: [3_000, 6_000],
  async start(environment) {
    const { system, note } = environment;
    const claim = take(environment, [noSpace], () => 0);
    if (claim.length === 0) return undefined;
    const tool = system.v3Tool();
    note(await fill(tool));
    return async () => {
      while (!(await isEmptied(system, tool))) await setTimeout(RETRY_EVERY_MS);
      tool.close();
      release(environment, claim);
    };
  },
};

/** Writes until etcd refuses, or until the time is over because there is no majority. */
async function fill(tool: V3Tool): Promise<string> {
  const value = Buffer.alloc(FILLING_BYTES, "x");
  const deadline = performance.now() + FILLED_WITHIN_MS;
  let count = 0;
  while (performance.now() < deadline) {
    const error = await tool.put(`${FILLING}${count}`, value).catch(String);
    if (typeof error !== "string") count++;
    else if (/database space exceeded/.test(error)) return `filled after ${count} MB`;
    else await setTimeout(RETRY_EVERY_MS);
  }
  return `not filled after ${count} MB`;
}

/** Every member must respond, because each has a file of its own. */
async function isEmptied({ members }: FaultSystem, tool: V3Tool): Promise<boolean> {
  const each = members.map(({ url }) => new V3Tool([url]));
  try {
    await tool.delPrefix(FILLING);
    await compact(tool, true);
    for (const member of each) await member.ask("maintenance/defragment", {});
    const { alarms } = await tool.ask("maintenance/alarm", { action: "GET" });
    for (const alarm of Array.isArray(alarms) ? alarms : []) {
      await tool.ask("maintenance/alarm", { ...alarm, action: "DEACTIVATE" });
    }
    await tool.put(`${FILLING}last`, "");
    return true;
  } catch {
    return false;
  } finally {
    for (const member of each) member.close();
  }
}

async function compact(tool: V3Tool, physical = false): Promise<void> {
  const { header } = await tool.ask("kv/range", { key: "AA==", keys_only: true });
  const { revision } = header as { readonly revision: string };
  await tool.ask("kv/compaction", { revision, physical }).catch((error) => {
    // Another nemesis compacts at the same time.
    if (!/has been compacted/.test(String(error))) throw error;
  });
}
