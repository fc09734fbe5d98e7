import type { EtcdErrorParts } from "./etcd-error.js";

/** Codes of Node for a certificate that no trusted authority has signed. */
const UNTRUSTED: ReadonlySet<unknown> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** What OpenSSL says about a response that is no TLS, such as `HTTP/1.1 400 Bad Request`. */
const NOT_TLS_RECORD = "wrong version number";
const MAY_SPEAK_HTTP = "the server may speak http, not https";
const NO_TLS = "Client network socket disconnected before secure TLS connection was established";

/** A short text for why an endpoint returned no usable response. */
export function causeText(cause: Error): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map((error: Error) => causeText(error)).join(", ");
  }
  // OpenSSL's own messages contain thread IDs and source lines.
  if ("library" in cause && "reason" in cause) {
    return cause.reason === NOT_TLS_RECORD
      ? `TLS: ${NOT_TLS_RECORD}; ${MAY_SPEAK_HTTP}`
      : `TLS: ${cause.reason}`;
  }
  if (cause.message === NO_TLS) return `TLS: the connection was closed; ${MAY_SPEAK_HTTP}`;
  return cause.message || cause.name;
}

/** What to do about these causes of failed attempts; empty if that is unknown. */
export function adviceOn(causes: readonly Error[]): EtcdErrorParts {
  const codes = causes.map((cause) => ("code" in cause ? cause.code : undefined));
  if (codes.some((code) => UNTRUSTED.has(code))) {
    return {
      option: "ca",
      hint: (nameOf) => `pass its certificate authority as ${nameOf("ca")}`,
    };
  }
  const isRefused = codes.length > 0 && codes.every((code) => code === "ECONNREFUSED");
  if (!isRefused) return {};
  const start = causes.every(isLocal) ? " (npx etcdnet serve starts one)" : "";
  return {
    hint: `nothing listens there: check the endpoints, and that etcd is running${start}`,
  };
}

/** Whether a connection to this machine failed. For `localhost`, Node tries several addresses. */
function isLocal(cause: Error): boolean {
  if (cause instanceof AggregateError) return cause.errors.every(isLocal);
  const address = "address" in cause ? String(cause.address) : "";
  return address === "::1" || address.startsWith("127.");
}
