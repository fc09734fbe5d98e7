/**
 * TLS alerts of a refused handshake. With TLS 1.3 they can arrive after the client has sent its
 * first request. The server has not read that request.
 */
const HANDSHAKE_ALERT =
  /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/;

/** undici's message when the proxy did not forward a plain request. */
const PROXY_REFUSAL = "Proxy Authentication Required (407)";

/** The request was not processed. The endpoint may accept it on another connection. */
export class UnusableConnectionError extends Error {}

const withOldCertificates = new WeakSet<Error>();

/** Records that the certificates of a failed connection have been replaced since it began. */
export function markOldCertificates(error: Error): void {
  withOldCertificates.add(error);
}

/** Whether a new connection may succeed where this one failed. */
export function mayConnectAgain(error: Error): boolean {
  return error instanceof UnusableConnectionError || withOldCertificates.has(error);
}

/** The server did not process the stream and accepts no more streams on this connection. */
export class RefusedStreamError extends UnusableConnectionError {
  constructor() {
    super("the endpoint refused the HTTP/2 stream before processing it");
  }
}

/** Whether `error` proves that the request was refused before any etcd member processed it. */
export function provesNotProcessed(error: Error): boolean {
  if (error instanceof UnusableConnectionError || error.message === PROXY_REFUSAL) return true;
  return "code" in error && typeof error.code === "string" && HANDSHAKE_ALERT.test(error.code);
}
