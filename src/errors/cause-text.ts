/** Where Node's own words do not say what to do about it, by the error's code. */
const REMEDIES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "give the authority to trust as ca",
  SELF_SIGNED_CERT_IN_CHAIN: "give the authority to trust as ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "give the authority to trust as ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "give the authority to trust as ca",
};

const NO_TLS = "Client network socket disconnected before secure TLS connection was established";

/** Why an endpoint gave no usable answer, in a few words. */
export function causeText(cause: Error): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map((error: Error) => causeText(error)).join(", ");
  }
  // OpenSSL's own messages are made of thread ids and lines of its source.
  if ("library" in cause && "reason" in cause) return `TLS: ${cause.reason}`;
  if (cause.message === NO_TLS)
    return "TLS: the connection was closed; perhaps it is served by http";
  const remedy = "code" in cause ? REMEDIES[String(cause.code)] : undefined;
  return `${cause.message || cause.name}${remedy === undefined ? "" : `; ${remedy}`}`;
}
