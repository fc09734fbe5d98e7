import { completeOptions } from "../../client/normalize-options.js";
import type { EtcdClientOptions } from "../../client/options.js";
import type { CutoverRecords } from "../../cutover/cutover-records.js";
import { recordsOf } from "../../cutover/open-target.js";
import { RemoteV3Api } from "../../etcd3/remote-v3-api.js";
import { RPC } from "../../etcd3/rpcs.js";
import type { V3Api } from "../../etcd3/v3-api.js";
import { v3Probes } from "../../key-space/v3/admin/v3-probes.js";
import { KeySchema } from "../../key-space/v3/schema/key-schema.js";

/** Readers of the past ask for less at a time, when their values are larger. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** etcd's v3 API itself, for what the key space does not show: past revisions, the size of the database. */
export interface V3Store {
  readonly api: RemoteV3Api;
  readonly schema: KeySchema;
  /** Only to be read. */
  readonly cutover: CutoverRecords;
  close(): Promise<void>;
}

/** `undefined` for a cluster whose v2 API is used. */
export function openV3Store(options: EtcdClientOptions): V3Store | undefined {
  if (options.api !== "v3" || options.keySpace !== undefined) return undefined;
  const maxResponseSize = Math.min(
    options.maxResponseSize ?? MAX_RESPONSE_BYTES,
    MAX_RESPONSE_BYTES,
  );
  const { cluster, credentials, keyPrefix } = completeOptions({ ...options, maxResponseSize });
  const { clock, timeout } = cluster;
  const api = new RemoteV3Api(cluster, credentials, v3Probes);
  const cutover = recordsOf(readOnly(api), keyPrefix, { clock, timeout });
  return {
    ...{ api, cutover },
    schema: new KeySchema(keyPrefix),
    // Closes the API, too.
    close: () => cutover.keySpace.close(),
  };
}

/** A write, in a page that only shows something. */
export class ReadOnlyError extends Error {}

/** Refuses the writes by which a history finds its end where nothing has changed. */
function readOnly(api: V3Api): V3Api {
  return {
    call: async (rpc, request, call) => {
      if (rpc.path === RPC.put.path) throw new ReadOnlyError(call.operation);
      return await api.call(rpc, request, call);
    },
    watch: (request, call) => api.watch(request, call),
    close: () => api.close(),
  };
}
