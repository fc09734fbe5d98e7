import { KeyNotFoundError, NotDirError } from "../../errors/common-errors.js";
import { TransferRefusedError } from "../../errors/migration-errors.js";
import type { CallOptions, KeySpace } from "../../key-space/key-space.js";
import type { TreePair } from "./source-and-target.js";

/** What is at the top of a tree. */
export interface Top {
  /** `file`: it is a file, or lies below one. */
  readonly node: "directory" | "file" | undefined;
  readonly clusterId: string;
  readonly endpoint: string;
}

/** What is at the tops of both trees. */
export interface Tops {
  readonly source: Top;
  readonly target: Top;
}

/**
 * Reads the tops of both trees.
 *
 * @throws TransferRefusedError when the source has no such directory, or the target cannot have it
 */
export async function readTops(trees: TreePair, options: CallOptions): Promise<Tops> {
  const source = await readTop(trees.source, options);
  const target = await readTop(trees.target, options);
  if (source.node !== "directory") {
    const what = source.node === "file" ? IS_FILE : "does not exist";
    throw new TransferRefusedError(
      `prefix: ${trees.sourcePrefix} ${what} in the source at ${source.endpoint}; name a directory`,
    );
  }
  if (target.node === "file") {
    throw new TransferRefusedError(
      `toPrefix: ${trees.targetPrefix} ${IS_FILE} in the target at ${target.endpoint}; choose another place`,
    );
  }
  return { source, target };
}

async function readTop(keySpace: KeySpace, options: CallOptions): Promise<Top> {
  try {
    const answer = await keySpace.execute({ action: "get", key: "/", quorum: true }, options);
    const node = answer.node.dir ? "directory" : "file";
    return { node, clusterId: answer.etcdClusterId, endpoint: answer.etcdServer };
  } catch (error) {
    const isAbsent = error instanceof KeyNotFoundError;
    if (!isAbsent && !(error instanceof NotDirError)) throw error;
    const { clusterId = "", endpoint } = error;
    return { node: isAbsent ? undefined : "file", clusterId, endpoint };
  }
}

const IS_FILE = "is a file, or lies below one,";
