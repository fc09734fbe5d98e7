import type { EtcdClient } from "../client/etcd-client.js";
import type { EtcdResponse } from "../model/response.js";

interface ChangesOptions {
  readonly recursive: boolean;
  /** Changes after this index; 0: from now. */
  readonly afterIndex: number;
}

/** Changes of a key until the signal aborts. */
export async function* changesOf(
  etcd: EtcdClient,
  key: string,
  { recursive, afterIndex }: ChangesOptions,
  signal: AbortSignal,
): AsyncGenerator<EtcdResponse, void, undefined> {
  let from = afterIndex === 0 ? {} : { waitIndex: afterIndex + 1 };
  try {
    for (;;) {
      const change = await etcd.watchNode(key, { recursive, signal, ...from });
      from = { waitIndex: change.node.modifiedIndex + 1 };
      yield change;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
