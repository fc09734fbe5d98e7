import type { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdResponse } from "../../model/response.js";
import { note } from "../process/print.js";

interface ChangesOptions {
  readonly recursive: boolean;
  /** Return changes after this index; 0: from now on. */
  readonly afterIndex: number;
}

/** The next change of a key, except of directories; undefined when the signal aborts first. */
export async function nextChange(
  etcd: EtcdClient,
  key: string,
  { recursive, afterIndex }: ChangesOptions,
  signal: AbortSignal,
): Promise<EtcdResponse | undefined> {
  let from = afterIndex === 0 ? {} : { waitIndex: afterIndex + 1 };
  try {
    for (;;) {
      const change = await etcd.watchNode(key, { recursive, signal, ...from });
      if (!change.node.dir) return change;
      from = { waitIndex: change.node.modifiedIndex + 1 };
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/**
 * Changes of a key until the signal aborts, even if members or connections fail. If etcd has discarded
 * changes, a warning goes to standard error.
 *
 * @throws EtcdError when the cluster cannot be reached at the start; later, it waits for the cluster
 */
export async function* changesOf(
  etcd: EtcdClient,
  key: string,
  { recursive, afterIndex }: ChangesOptions,
  signal: AbortSignal,
): AsyncGenerator<EtcdResponse, void, undefined> {
  const from = afterIndex === 0 ? {} : { from: afterIndex + 1 };
  try {
    await using watcher = etcd.watch(key, { recursive, signal, ...from });
    await etcd.version({ signal });
    for await (const item of watcher) {
      if (item.type === "change") yield item.response;
      else note(`Warning:  ${item.reason}: changes before index ${item.index} may be missing`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
