import { EtcdCommonError } from "./server-error.js";

/**
 * 100: the key, or a directory on the way to it, does not exist; `detail` is the first missing
 * path.
 */
export class KeyNotFoundError extends EtcdCommonError {
  override readonly name = "KeyNotFoundError";
  override readonly code = "ETCD_KEY_NOT_FOUND";
}

/** 101: the node is not as `prevValue` or `prevIndex` says; `detail` is `[given != actual]`. */
export class TestFailedError extends EtcdCommonError {
  override readonly name = "TestFailedError";
  override readonly code = "ETCD_TEST_FAILED";
}

/** 102: the node is a directory, and the request needs a file (or `dir`, or `recursive`). */
export class NotFileError extends EtcdCommonError {
  override readonly name = "NotFileError";
  override readonly code = "ETCD_NOT_FILE";
}

/** 104: a file stands where the path needs a directory; `detail` is that file. */
export class NotDirError extends EtcdCommonError {
  override readonly name = "NotDirError";
  override readonly code = "ETCD_NOT_DIR";
}

/** 105: the node to create exists already. */
export class NodeExistError extends EtcdCommonError {
  override readonly name = "NodeExistError";
  override readonly code = "ETCD_NODE_EXIST";
}

/** 107: the root directory cannot be written or deleted. */
export class RootReadOnlyError extends EtcdCommonError {
  override readonly name = "RootReadOnlyError";
  override readonly code = "ETCD_ROOT_READ_ONLY";
}

/** 108: the directory has children, perhaps hidden ones; delete it with `recursive`. */
export class DirNotEmptyError extends EtcdCommonError {
  override readonly name = "DirNotEmptyError";
  override readonly code = "ETCD_DIR_NOT_EMPTY";
}

/** 110: wrong credentials, or a user (or guest) without permission for the key. */
export class UnauthorizedError extends EtcdCommonError {
  override readonly name = "UnauthorizedError";
  override readonly code = "ETCD_UNAUTHORIZED";
}
