/** A refused request of any route except keys. The message is etcd's and never contains a password. */
export class RequestError extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** etcd's response to any unexpected error. */
export function internalError(): RequestError {
  return new RequestError(500, "Internal Server Error");
}
