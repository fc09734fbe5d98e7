/**
 * Alerts with which a server ends a handshake that it does not accept. With TLS 1.3 they can arrive
 * after the client has sent its first request, which the server then never looked at.
 */
const HANDSHAKE_ALERT =
  /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/;

/** undici's words for a plain request that the proxy did not forward. */
const PROXY_REFUSAL = "Proxy Authentication Required (407)";

/** The request was not processed. The endpoint takes it on another connection, perhaps. */
export class UnusableConnectionError extends Error {}

/** A server of HTTP/2 has not looked at a stream: on this connection it takes no more of them. */
export class RefusedStreamError extends UnusableConnectionError {
  constructor() {
    super("the endpoint has refused the stream");
  }
}

/** Whether `error` proves that the request was turned away on the road, before any etcd saw it. */
export function provesNotProcessed(error: Error): boolean {
  if (error instanceof UnusableConnectionError || error.message === PROXY_REFUSAL) return true;
  return "code" in error && typeof error.code === "string" && HANDSHAKE_ALERT.test(error.code);
}
