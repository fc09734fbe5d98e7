import type { Socket } from "node:net";

/**
 * Stops reading from the socket of a request, unless `isWanted` says no by then. This takes effect two
 * ticks later: node:http goes on reading at the end of each request and piece of a body, which takes
 * one tick to begin and one to take effect.
 */
export function pauseSocket(socket: Socket, isWanted: () => boolean): void {
  process.nextTick(() =>
    process.nextTick(() => {
      if (isWanted()) socket.pause();
    }),
  );
}
