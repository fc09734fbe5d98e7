import { errorDefinition, serverErrorOf } from "../../errors/error-table.js";
import type { EtcdServerError } from "../../errors/server-error.js";
import type { WatchRequest } from "../../model/key-request.js";
import type { ResponseOrigin } from "../../model/response.js";

/** Error 401, with etcd's text. @param floor first index with which a watch may begin */
export function historyCleared(
  { key, waitIndex = 0 }: WatchRequest,
  floor: number,
  { etcdIndex: index, etcdServer: endpoint, etcdClusterId: clusterId }: ResponseOrigin,
): EtcdServerError {
  return serverErrorOf({
    ...errorDefinition(401),
    errorCode: 401,
    detail: `the requested history has been cleared [${floor}/${waitIndex}]`,
    ...{ index, key, operation: `GET ${key}`, endpoint, clusterId },
  });
}
