import { AdminError } from "../../errors/admin-error.js";
import {
  OutcomeUnknownError,
  ResponseTooLargeError,
  V2DisabledError,
} from "../../errors/cluster-errors.js";
import { errorDefinition } from "../../errors/error-table.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { EtcdRaftError, EtcdServerError } from "../../errors/server-error.js";
import { DamagedRecordError, NestedPrefixError } from "../../errors/v3-errors.js";
import { refusalIn, saysTooLarge } from "../../etcd3/error-messages.js";
import { NotUtf8Error } from "../../wire/decode-path.js";
import { FormError } from "../../wire/form.js";
import { goJson } from "../../wire/go-json.js";
import { NOT_PROCESSED, NOT_PROCESSED_HEADER } from "../../wire/http-response.js";
import { ParameterError } from "../../wire/key-parameters.js";
import { BodyError, JSON_TYPE, OverloadError, type ServerReply } from "./message.js";
import { internalError, RequestError } from "./request-error.js";

/** How a route encodes its errors: as etcd's errors of keys, or as `{"message":…}`. */
export type ErrorFormat = "keys" | "message";

/** The response for an error. Every error of a request becomes a response in this file. */
export function errorReply(error: unknown, format: ErrorFormat): ServerReply {
  if (error instanceof OverloadError) return overloaded(format);
  const refusal = refusalOf(error, format);
  if (refusal !== undefined) return refusal;
  // A path, or a body of any route.
  if (error instanceof NotUtf8Error) return keysError(210, error.message);
  return { status: 500, headers: [], body: "" };
}

/** The response for an error that is about the request or about the cluster; undefined for any other. */
export function refusalOf(error: unknown, format: ErrorFormat): ServerReply | undefined {
  return format === "keys" ? keysRefusal(error) : messageRefusal(error);
}

/** The response for an error of the key space. */
export function keysError(errorCode: number, cause: string, index = 0): ServerReply {
  const { reason: message, status } = errorDefinition(errorCode);
  const error = { errorCode, message, ...(cause !== "" && { cause }), index };
  return {
    status,
    headers: ["Content-Type", JSON_TYPE, "X-Etcd-Index", String(index)],
    body: `${goJson(error)}\n`,
  };
}

function keysRefusal(error: unknown): ServerReply | undefined {
  if (error instanceof EtcdServerError) {
    return keysError(error.errorCode, error.detail, error.index);
  }
  if (error instanceof ParameterError) return keysError(error.errorCode, error.message);
  if (error instanceof FormError || error instanceof BodyError || error instanceof NotUtf8Error) {
    return keysError(210, error.message);
  }
  // v2 has no error for what only v3 refuses, so the message of v3 is kept.
  const refusal = refusalIn(error);
  if (refusal !== undefined) {
    return keysError(saysTooLarge(refusal.detail) ? 209 : 300, refusal.detail);
  }
  if (error instanceof DamagedRecordError || error instanceof NestedPrefixError) {
    return keysError(300, error.message);
  }
  if (error instanceof ResponseTooLargeError) {
    return keysError(300, `the response is larger than ${error.maxResponseSize} bytes`);
  }
  if (error instanceof V2DisabledError) {
    return keysError(300, "the cluster does not serve the v2 API");
  }
  if (error instanceof OutcomeUnknownError && error.cause instanceof EtcdRaftError) {
    return keysRefusal(error.cause);
  }
  // The outcome is unknown. etcd uses this message.
  if (error instanceof EtcdError) return keysError(300, "etcdserver: request timed out");
  return undefined;
}

function messageRefusal(error: unknown): ServerReply | undefined {
  if (error instanceof RequestError) return messageError(error.status, error.message);
  if (error instanceof AdminError) return messageError(error.status, error.detail);
  if (error instanceof DamagedRecordError) return messageError(500, error.message);
  // etcd gives no details when its members cannot agree in time.
  if (error instanceof EtcdError) return messageRefusal(internalError());
  return undefined;
}

/** The message may contain input of the client, which must be escaped like Go's JSON. */
function messageError(status: number, message: string): ServerReply {
  return { status, headers: ["Content-Type", JSON_TYPE], body: goJson({ message }) };
}

/** The request is refused before any part of it is executed, and a header says so. */
function overloaded(format: ErrorFormat): ServerReply {
  const cause = "etcdserver: too many requests";
  const { headers, body } = format === "keys" ? keysError(300, cause) : messageError(503, cause);
  return { status: 503, headers: [...headers, NOT_PROCESSED_HEADER, NOT_PROCESSED], body };
}
