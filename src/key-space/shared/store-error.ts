/**
 * The reason why the store refused a request. Not an `Error`: it never leaves the key space, and
 * its stack trace would be the greatest cost of reads of missing keys.
 */
export class StoreError {
  /** etcd's error code. */
  readonly errorCode: number;
  /** etcd's `cause`: the path, or the comparison, that failed. */
  readonly detail: string;

  constructor(errorCode: number, detail: string) {
    this.errorCode = errorCode;
    this.detail = detail;
  }
}
