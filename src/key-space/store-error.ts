/** Why the store did not carry out a request. */
export class StoreError extends Error {
  /** etcd's number of the error. */
  readonly errorCode: number;
  /** etcd's `cause`: the path, or the comparison, that failed. */
  readonly detail: string;

  constructor(errorCode: number, detail: string) {
    super(`error ${errorCode}: ${detail}`);
    this.errorCode = errorCode;
    this.detail = detail;
  }
}
