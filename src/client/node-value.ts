import { DirNotEmptyError, KeyNotFoundError, NotFileError } from "../errors/common-errors.js";
import { errorDefinition } from "../errors/error-table.js";
import type { EtcdResponse } from "../model/response.js";

/** The value of a file; null if there is no file. */
export function valueOrNull(response: EtcdResponse | null): string | null {
  return response?.node.value ?? null;
}

/** The value of a file. @throws NotFileError */
export function valueOfFile(response: EtcdResponse | null): string | null {
  if (response === null || response.node.value !== undefined) return valueOrNull(response);
  const { etcdServer: endpoint, etcdClusterId: clusterId, etcdIndex: index, node } = response;
  const { key } = node;
  const request = { key, operation: `GET ${key}`, endpoint, clusterId, index };
  throw new NotFileError(
    { errorCode: 102, ...errorDefinition(102), detail: key, ...request },
    { hint: "it is a directory: getNode lists it" },
  );
}

/** Says how a directory is deleted, when a delete has failed because the key is one. */
export async function withAdviceOnDirectory(
  response: Promise<EtcdResponse>,
): Promise<EtcdResponse> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof NotFileError) {
      throw new NotFileError(error, {
        option: "recursive",
        hint: "it is a directory: dir: true deletes it if it is empty, recursive: true with everything in it",
      });
    }
    if (error instanceof DirNotEmptyError) {
      throw new DirNotEmptyError(error, {
        option: "recursive",
        hint: "recursive: true deletes it with everything in it",
      });
    }
    throw error;
  }
}

/** The response to a read or delete; null if the key does not exist. */
export async function nullIfNotFound(
  response: Promise<EtcdResponse>,
): Promise<EtcdResponse | null> {
  try {
    return await response;
  } catch (error) {
    if (error instanceof KeyNotFoundError) return null;
    throw error;
  }
}
