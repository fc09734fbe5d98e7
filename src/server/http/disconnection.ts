import type { Socket } from "node:net";
import type { ReplyTarget } from "./send-reply.js";

/** Shared, because the default reason of an abort creates an exception with a stack each time. */
const DISCONNECTED = new Error("the client has disconnected");

/** A signal that aborts when the client of a response disconnects before its end. */
export function disconnection(socket: Socket, response: ReplyTarget): AbortSignal {
  const gone = new AbortController();
  const leave = (): void => gone.abort(DISCONNECTED);
  // A client that half-closes its connection has also ended its watch.
  if (socket.readableEnded || socket.destroyed) leave();
  else {
    socket.once("end", leave);
    // The next watch on this connection adds its own listener.
    response.once("close", () => {
      socket.off("end", leave);
      if (!response.writableFinished) leave();
    });
  }
  return gone.signal;
}
