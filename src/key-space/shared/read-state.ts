import { UnauthorizedError } from "../../errors/common-errors.js";
import { EtcdCommonError } from "../../errors/server-error.js";
import type { GetRequest } from "../../model/key-request.js";
import type { WatchResync } from "../../model/watch-item.js";
import type { CallOptions } from "../call-options.js";
import type { KeySpace } from "../key-space.js";

/** Reads with quorum the state that later changes apply to. */
export async function readState(
  keySpace: KeySpace,
  { key, recursive }: Pick<GetRequest, "key" | "recursive">,
  options: CallOptions,
): Promise<Omit<WatchResync, "type" | "reason">> {
  const request: GetRequest = { action: "get", key, recursive: recursive ?? false, quorum: true };
  try {
    const response = await keySpace.execute(request, options);
    return { response, index: response.etcdIndex, etcdClusterId: response.etcdClusterId };
  } catch (error) {
    // No such key, or a file in place of a parent directory.
    if (!(error instanceof EtcdCommonError) || error instanceof UnauthorizedError) throw error;
    return { response: null, index: error.index, etcdClusterId: error.clusterId ?? "" };
  }
}
