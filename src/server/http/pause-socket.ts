import type { Socket } from "node:net";
import { nextTick } from "../../time/event-loop.js";

/**
 * Stops reading from the socket of a request two ticks later, unless `isWanted` then returns false. A pause
 * at once would have no effect: node:http resumes reading at the end of each request and each piece of a
 * body, which takes two ticks.
 */
export function pauseSocket(socket: Socket, isWanted: () => boolean): void {
  nextTick(() =>
    nextTick(() => {
      if (isWanted()) socket.pause();
    }),
  );
}
