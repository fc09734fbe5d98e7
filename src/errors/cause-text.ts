/** Advice for errors of Node whose message contains none, by code. */
const REMEDIES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "pass its certificate authority as ca",
  SELF_SIGNED_CERT_IN_CHAIN: "pass its certificate authority as ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "pass its certificate authority as ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "pass its certificate authority as ca",
};

const NO_TLS = "Client network socket disconnected before secure TLS connection was established";

/** A short text for why an endpoint returned no usable response. */
export function causeText(cause: Error): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map((error: Error) => causeText(error)).join(", ");
  }
  // OpenSSL's own messages contain thread IDs and source lines.
  if ("library" in cause && "reason" in cause) return `TLS: ${cause.reason}`;
  if (cause.message === NO_TLS)
    return "TLS: the connection was closed; the server may speak http, not https";
  const remedy = "code" in cause ? REMEDIES[String(cause.code)] : undefined;
  return `${cause.message || cause.name}${remedy === undefined ? "" : `; ${remedy}`}`;
}
