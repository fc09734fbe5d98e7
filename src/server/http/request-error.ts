import { AdminError } from "../../errors/admin-error.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { goJson } from "../../wire/go-json.js";
import { JSON_TYPE, type ServerReply } from "./message.js";

/** A refused request of any route except keys. The message is etcd's. */
export class RequestError extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The response for an error. @throws the error itself if it is not about the request */
export function messageErrorOf(error: unknown): ServerReply {
  if (error instanceof RequestError) return replyWith(error.status, error.message);
  if (error instanceof AdminError) return replyWith(error.status, error.detail);
  // etcd gives no details when its members cannot agree in time.
  if (error instanceof EtcdError) return replyWith(500, "Internal Server Error");
  throw error;
}

/** The message may contain input of the client, which must be escaped like Go's JSON. */
function replyWith(status: number, message: string): ServerReply {
  return { status, headers: ["Content-Type", JSON_TYPE], body: goJson({ message }) };
}
