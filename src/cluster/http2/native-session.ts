import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";

/** Keeps the native sessions of streams that the garbage collector has not collected yet. */
const sessionOfStream = new FinalizationRegistry<object>(() => {});

/**
 * The native part of a session. It must outlive the native parts of its streams. A reset stream
 * keeps unreported header fields in memory of the session. If the garbage collector collects the
 * session first, Node aborts the process (`current_nghttp2_memory_ == 0`), in all its versions. A
 * server can cause this with one header that has an invalid name.
 *
 * Node has no public access to it. `undefined` if it has moved; then nothing is protected.
 */
export function nativeSessionOf(session: ClientHttp2Session): object | undefined {
  const symbols = Object.getOwnPropertySymbols(session);
  const handle = symbols.find(({ description }) => description === "kHandle");
  return handle && Reflect.get(session, handle);
}

/** Keeps a session until the garbage collector has collected the stream. */
export function keepForStream(stream: ClientHttp2Stream, nativeSession: object | undefined): void {
  if (nativeSession !== undefined) sessionOfStream.register(stream, nativeSession);
}
