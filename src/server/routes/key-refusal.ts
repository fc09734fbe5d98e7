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

/** Matches etcd's and gRPC's messages about a value over their limit. */
const TOO_LARGE = /too large|larger than max/;

/** The response for an error of the key space. */
export function refusal(errorCode: number, cause: string, index = 0): ServerReply {
  const { reason: message, status } = errorDefinition(errorCode);
  const error = { errorCode, message, ...(cause !== "" && { cause }), index };
  return {
    status,
    headers: ["Content-Type", JSON_TYPE, "X-Etcd-Index", String(index)],
    body: `${goJson(error)}\n`,
  };
}

/** The response to a form, or a path, that cannot be decoded. */
export function invalidForm(cause: string): ServerReply {
  return refusal(210, cause);
}

/** The response for an error. @throws the error itself if it is not about the request */
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
    return refusal(300, `the response is larger than ${error.maxResponseSize} bytes`);
  }
  // The outcome is unknown. etcd uses this message.
  if (error instanceof EtcdError) return refusal(300, "etcdserver: request timed out");
  throw error;
}

/** v2 has no error for what only v3 refuses, so the message of v3 is kept. */
function refusalOfV3({ detail }: V3RefusedError): ServerReply {
  return refusal(TOO_LARGE.test(detail) ? 209 : 300, detail);
}
