import { KeyNotFoundError, NotDirError } from "../../errors/common-errors.js";
import { TransferRefusedError } from "../../errors/migration-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace } from "../../key-space/key-space.js";
import type { TreePair } from "./source-and-target.js";

/** The top of a tree. */
export interface Top {
  /** `file`: it is a file, or is below one. */
  readonly node: "directory" | "file" | undefined;
  readonly clusterId: string;
  readonly endpoint: string;
}

/** The tops of both trees. */
export interface Tops {
  readonly source: Top;
  readonly target: Top;
}

/**
 * Reads the tops of both trees.
 *
 * @throws TransferRefusedError when the source has no such directory, or the directory of the target
 *   is a file
 */
export async function readTops(trees: TreePair, options: CallOptions): Promise<Tops> {
  const source = await readTop(trees.source, options);
  const target = await readTop(trees.target, options);
  if (source.node !== "directory") {
    const problem = source.node === "file" ? IS_FILE : "does not exist";
    throw new TransferRefusedError(
      `${trees.sourcePrefix} ${problem} in the source at ${source.endpoint}`,
      { option: "prefix", hint: (nameOf) => `name a directory as ${nameOf("prefix")}` },
    );
  }
  if (target.node === "file") {
    throw new TransferRefusedError(
      `${trees.targetPrefix} ${IS_FILE} in the target at ${target.endpoint}`,
      { option: "toPrefix", hint: (nameOf) => `name a directory as ${nameOf("toPrefix")}` },
    );
  }
  return { source, target };
}

async function readTop(keySpace: KeySpace, options: CallOptions): Promise<Top> {
  try {
    const response = await keySpace.execute({ action: "get", key: "/", quorum: true }, options);
    const node = response.node.dir ? "directory" : "file";
    return { node, clusterId: response.etcdClusterId, endpoint: response.etcdServer };
  } catch (error) {
    const isAbsent = error instanceof KeyNotFoundError;
    if (!isAbsent && !(error instanceof NotDirError)) throw error;
    const { clusterId = "", endpoint } = error;
    return { node: isAbsent ? undefined : "file", clusterId, endpoint };
  }
}

const IS_FILE = "is a file, or is below a file,";
