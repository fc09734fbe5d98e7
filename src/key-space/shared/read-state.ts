import { UnauthorizedError } from "../../errors/common-errors.js";
import { EtcdCommonError } from "../../errors/server-error.js";
import type { GetRequest } from "../../model/key-request.js";
import type { CallOptions } from "../call-options.js";
import type { KeySpace } from "../key-space.js";
import type { Resync, SubscribeRequest } from "../subscription.js";
import { pathOf } from "./path.js";

/** Reads with quorum the state to which later changes apply: the part that the request needs. */
export async function readState(
  keySpace: Pick<KeySpace, "execute">,
  { key, recursive, state }: Pick<SubscribeRequest, "key" | "recursive" | "state">,
  options: CallOptions,
): Promise<Omit<Resync, "type" | "reason">> {
  const request: GetRequest = {
    action: "get",
    // For the index alone, read a key that does not exist: the key may be a large directory.
    key: state === "none" && recursive ? unusedKey(key) : key,
    recursive: state === "full" && recursive,
    quorum: true,
  };
  try {
    const response = await keySpace.execute(request, options);
    const { etcdIndex: index, etcdClusterId, etcdServer } = response;
    return { response: state === "none" ? null : response, index, etcdClusterId, etcdServer };
  } catch (error) {
    if (!isMissingNode(error)) throw error;
    const { index, clusterId: etcdClusterId = "", endpoint: etcdServer } = error;
    return { response: null, index, etcdClusterId, etcdServer };
  }
}

/** Reads the index of the store with quorum. */
export function readIndex(
  keySpace: Pick<KeySpace, "execute">,
  options: CallOptions,
): Promise<Omit<Resync, "type" | "reason">> {
  return readState(keySpace, { key: "/", recursive: true, state: "none" }, options);
}

/**
 * A key below a directory that is not used, so that a read of it lists nothing. The permission to
 * watch the directory recursively includes the permission to read this key.
 */
export function unusedKey(directory: string): string {
  return `${pathOf(directory)}/_etcdnet`;
}

/** Whether a linearizable read has proven that there is no such node: no key, or a file above it. */
export function isMissingNode(error: unknown): error is EtcdCommonError {
  return error instanceof EtcdCommonError && !(error instanceof UnauthorizedError);
}
