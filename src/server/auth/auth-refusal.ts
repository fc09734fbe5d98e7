import { EtcdError } from "../../errors/etcd-error.js";
import { DamagedRecordError } from "../../errors/v3-errors.js";

/** A refused request of `/v2/auth`. The message is etcd's and never contains a password. */
export class AuthRefusal extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The refusal for an error. @throws the error itself if it is not about the request */
export function authRefusalOf(error: unknown): AuthRefusal {
  if (error instanceof AuthRefusal) return error;
  if (error instanceof DamagedRecordError) return new AuthRefusal(500, error.message);
  if (error instanceof EtcdError) return internalError();
  throw error;
}

/** etcd's response to any unexpected error. */
export function internalError(): AuthRefusal {
  return new AuthRefusal(500, "Internal Server Error");
}
