import { EtcdCommonError } from "./server-error.js";

/**
 * 100: the key, or a directory of its path, does not exist; `detail` is the first missing path.
 */
export class KeyNotFoundError extends EtcdCommonError {
  override readonly name = "KeyNotFoundError";
  override readonly code = "ETCD_KEY_NOT_FOUND";
}

/** 101: the node does not match `prevValue` or `prevIndex`; `detail` is `[given != actual]`. */
export class TestFailedError extends EtcdCommonError {
  override readonly name = "TestFailedError";
  override readonly code = "ETCD_TEST_FAILED";
}

/** 102: the node is a directory, and the request needs a file (or `dir`, or `recursive`). */
export class NotFileError extends EtcdCommonError {
  override readonly name = "NotFileError";
  override readonly code = "ETCD_NOT_FILE";
}

/** 104: the path needs a directory but contains a file; `detail` is that file. */
export class NotDirError extends EtcdCommonError {
  override readonly name = "NotDirError";
  override readonly code = "ETCD_NOT_DIR";
}

/** 105: the node to create already exists. */
export class NodeExistError extends EtcdCommonError {
  override readonly name = "NodeExistError";
  override readonly code = "ETCD_NODE_EXIST";
}

/** 107: the root directory cannot be written or deleted. */
export class RootReadOnlyError extends EtcdCommonError {
  override readonly name = "RootReadOnlyError";
  override readonly code = "ETCD_ROOT_READ_ONLY";
}

/** 108: the directory has children, possibly hidden ones; delete it with `recursive`. */
export class DirNotEmptyError extends EtcdCommonError {
  override readonly name = "DirNotEmptyError";
  override readonly code = "ETCD_DIR_NOT_EMPTY";
}

/** 110: the credentials are wrong, or the user (or guest) has no permission for the key. */
export class UnauthorizedError extends EtcdCommonError {
  override readonly name = "UnauthorizedError";
  override readonly code = "ETCD_UNAUTHORIZED";
}
