import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";

/** The native sessions of streams that have not been collected yet. */
const held = new FinalizationRegistry<object>(() => {});

/**
 * The native part of a session, which must outlive those of its streams. A stream that was reset keeps
 * the header fields that were received and not reported, in memory of the session: a process in which
 * the garbage collector finds the session first is aborted (`current_nghttp2_memory_ == 0`), in all
 * versions of Node. A server needs no more for that than one header with an invalid name.
 *
 * Node gives no public access to it. `undefined` if it has moved: then nothing is protected.
 */
export function nativeSessionOf(session: ClientHttp2Session): object | undefined {
  const symbols = Object.getOwnPropertySymbols(session);
  const handle = symbols.find(({ description }) => description === "kHandle");
  return handle && Reflect.get(session, handle);
}

/** Holds a session at least until the garbage collector has found the stream. */
export function holdFor(stream: ClientHttp2Stream, nativeSession: object | undefined): void {
  if (nativeSession !== undefined) held.register(stream, nativeSession);
}
