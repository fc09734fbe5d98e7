import { completeOptions } from "../../client/normalize-options.js";
import type { EtcdClientOptions } from "../../client/options.js";
import type { CutoverRecords } from "../../cutover/cutover-records.js";
import { recordsOf } from "../../cutover/open-target.js";
import { RemoteV3Api } from "../../etcd3/remote-v3-api.js";
import { v3Probes } from "../../key-space/v3/admin/v3-probes.js";
import { KeySchema } from "../../key-space/v3/schema/key-schema.js";

/** etcd's v3 API itself, for what the key space does not show: past revisions, the size of the database. */
export interface V3Store {
  readonly api: RemoteV3Api;
  readonly schema: KeySchema;
  readonly cutover: CutoverRecords;
  close(): Promise<void>;
}

/** `undefined` for a cluster whose v2 API is used. */
export function openV3Store(options: EtcdClientOptions): V3Store | undefined {
  if (options.api !== "v3" || options.keySpace !== undefined) return undefined;
  const { cluster, credentials, keyPrefix } = completeOptions(options);
  const { clock, timeout } = cluster;
  const api = new RemoteV3Api(cluster, credentials, v3Probes);
  const cutover = recordsOf(api, keyPrefix, { clock, timeout });
  return {
    ...{ api, cutover },
    schema: new KeySchema(keyPrefix),
    // Closes the API, too.
    close: () => cutover.keySpace.close(),
  };
}
