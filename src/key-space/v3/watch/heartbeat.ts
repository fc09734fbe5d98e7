import { AbortError } from "../../../errors/abort-error.js";
import { EtcdError } from "../../../errors/etcd-error.js";
import { RPC } from "../../../etcd3/rpcs.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { KeySchema } from "../schema/key-schema.js";

const CALL: V3Call = { operation: "PUT heartbeat", key: "/", safety: "write", scope: "quorum" };

/**
 * Writes a record that watches see: when they deliver it, they have delivered everything before it.
 * A user without write permission does without.
 *
 * @returns whether it was written
 */
export async function writeHeartbeat(api: V3Api, schema: KeySchema): Promise<boolean> {
  try {
    await api.call(RPC.put, { key: schema.heartbeat }, CALL);
    return true;
  } catch (error) {
    // An abort means that the key space is closed.
    if (error instanceof EtcdError || error instanceof AbortError) return false;
    throw error;
  }
}
