import { EtcdError } from "../../errors/etcd-error.js";
import { DamagedRecordError } from "../../errors/v3-errors.js";

/** A request of `/v2/auth` that is refused, in etcd's words. Never quotes a password. */
export class AuthRefusal extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** How a failure is answered. @throws what is no answer at all */
export function refusalOf(error: unknown): AuthRefusal {
  if (error instanceof AuthRefusal) return error;
  if (error instanceof DamagedRecordError) return new AuthRefusal(500, error.message);
  if (error instanceof EtcdError) return internalError();
  throw error;
}

/** What etcd says of anything unexpected. */
export function internalError(): AuthRefusal {
  return new AuthRefusal(500, "Internal Server Error");
}
