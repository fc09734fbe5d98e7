/** Expected properties of etcd's errors. etcd calls `detail` the cause. */

export const keyNotFound = (detail: string) =>
  refusal("KeyNotFoundError", 100, "Key not found", 404, detail);

export const testFailed = (detail: string) =>
  refusal("TestFailedError", 101, "Compare failed", 412, detail);

export const notFile = (detail: string) => refusal("NotFileError", 102, "Not a file", 403, detail);

export const notDir = (detail: string) =>
  refusal("NotDirError", 104, "Not a directory", 400, detail);

export const nodeExist = (detail: string) =>
  refusal("NodeExistError", 105, "Key already exists", 412, detail);

export const rootReadOnly = () => refusal("RootReadOnlyError", 107, "Root is read only", 400, "/");

export const dirNotEmpty = (detail: string) =>
  refusal("DirNotEmptyError", 108, "Directory not empty", 403, detail);

function refusal(name: string, errorCode: number, reason: string, status: number, detail: string) {
  return { name, errorCode, reason, status, detail };
}
