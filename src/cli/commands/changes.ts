import type { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdResponse } from "../../model/response.js";
import { note } from "../process/print.js";

interface ChangesOptions {
  readonly recursive: boolean;
  /** Changes after this index; 0: from now. */
  readonly afterIndex: number;
}

/** The next change of a key that is none of a directory; nothing when the signal aborts first. */
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
 * Changes of a key until the signal aborts, whatever happens to members and connections. Changes
 * that etcd no longer remembers are missing, which standard error tells.
 *
 * @throws EtcdError when the cluster cannot be reached in the beginning; later, that is waited for
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
