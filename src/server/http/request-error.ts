import { AdminError } from "../../errors/admin-error.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { goJson } from "../../wire/go-json.js";
import { JSON_TYPE, type ServerReply } from "./message.js";

/** A request besides keys that is refused. The message is etcd's. */
export class RequestError extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a failure looks like to the client. @throws what is no failure of a request */
export function messageErrorOf(error: unknown): ServerReply {
  if (error instanceof RequestError) return replyWith(error.status, error.message);
  if (error instanceof AdminError) return replyWith(error.status, error.detail);
  // etcd says no more when its members cannot agree, or not in time.
  if (error instanceof EtcdError) return replyWith(500, "Internal Server Error");
  throw error;
}

/** The message may hold what the client has sent, which Go's JSON escapes in a way of its own. */
function replyWith(status: number, message: string): ServerReply {
  return { status, headers: ["Content-Type", JSON_TYPE], body: goJson({ message }) };
}
