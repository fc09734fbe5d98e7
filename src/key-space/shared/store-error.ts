/**
 * Why the store did not carry out a request. Not an `Error`: it never leaves the key space, and
 * where keys are often looked for in vain, its stack would cost more than all the rest.
 */
export class StoreError {
  /** etcd's number of the error. */
  readonly errorCode: number;
  /** etcd's `cause`: the path, or the comparison, that failed. */
  readonly detail: string;

  constructor(errorCode: number, detail: string) {
    this.errorCode = errorCode;
    this.detail = detail;
  }
}
