import { ResponseTooLargeError } from "../../errors/cluster-errors.js";
import { errorDefinition } from "../../errors/error-table.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { EtcdServerError } from "../../errors/server-error.js";
import { DamagedRecordError, NestedPrefixError, V3RefusedError } from "../../errors/v3-errors.js";
import { NotUtf8Error } from "../../wire/decode-path.js";
import { FormError } from "../../wire/form.js";
import { goJson } from "../../wire/go-json.js";
import { ParameterError } from "../../wire/key-parameters.js";
import { BodyError, JSON_TYPE, type ServerReply } from "../http/message.js";

/** etcd's and gRPC's words for a value over their limit. */
const TOO_LARGE = /too large|larger than max/;

/** An error of the key space as a reply. */
export function refusal(errorCode: number, cause: string, index = 0): ServerReply {
  const { reason: message, status } = errorDefinition(errorCode);
  const error = { errorCode, message, ...(cause !== "" && { cause }), index };
  return {
    status,
    headers: ["Content-Type", JSON_TYPE, "X-Etcd-Index", String(index)],
    body: `${goJson(error)}\n`,
  };
}

/** The reply to a form, or a path, that cannot be read. */
export function invalidForm(cause: string): ServerReply {
  return refusal(210, cause);
}

/** What a failure looks like to the client. @throws what is no failure of a request */
export function refusalOf(error: unknown): ServerReply {
  if (error instanceof EtcdServerError) return refusal(error.errorCode, error.detail, error.index);
  if (error instanceof ParameterError) return refusal(error.errorCode, error.message);
  if (error instanceof FormError || error instanceof BodyError || error instanceof NotUtf8Error) {
    return invalidForm(error.message);
  }
  if (error instanceof V3RefusedError) return refusalOfV3(error);
  if (error instanceof DamagedRecordError || error instanceof NestedPrefixError) {
    return refusal(300, error.message);
  }
  if (error instanceof ResponseTooLargeError) {
    return refusal(300, `the answer is larger than ${error.maxResponseSize} bytes`);
  }
  // Nobody knows what became of the request: etcd says so in these words.
  if (error instanceof EtcdError) return refusal(300, "etcdserver: request timed out");
  throw error;
}

/** v2 has no words for what v3 alone refuses: its own ones tell what is the matter. */
function refusalOfV3({ detail }: V3RefusedError): ServerReply {
  return refusal(TOO_LARGE.test(detail) ? 209 : 300, detail);
}
