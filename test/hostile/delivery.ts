import type { Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Random } from "./random.js";

/** Maximum bytes of an endless response. */
const ENDLESS = 8 * 1024 * 1024;

/** The response to one request, and the end of its connection. */
export interface Answer {
  readonly bytes: Buffer;
  /** Sent again and again, after the bytes. */
  readonly endlessly?: Buffer | undefined;
  readonly after: "stay" | "end" | "reset" | "half-close";
}

/** Damages a response: cuts it, or changes, inserts or adds bytes. */
export function damaged(random: Random, answer: Answer): Answer {
  const { bytes } = answer;
  const at = random.integer(0, bytes.length);
  const after = random.pick<Answer["after"]>("stay", "end", "end", "reset", "reset", "half-close");
  switch (random.integer(0, 4)) {
    case 0: {
      const changed = Buffer.from(bytes);
      if (at < bytes.length) changed[at] = random.integer(0, 255);
      return { ...answer, bytes: changed };
    }
    case 1: {
      const inserted = random.bytes(random.integer(1, 40));
      return {
        ...answer,
        bytes: Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]),
      };
    }
    default:
      return { bytes: bytes.subarray(0, at), after };
  }
}

/** Sends a response, complete or in pieces with pauses. */
export async function deliver(random: Random, socket: Socket, answer: Answer): Promise<void> {
  const { bytes, endlessly, after } = answer;
  const pieces = random.chance(0.5) ? 1 : random.integer(2, 12);
  const cuts = Array.from({ length: pieces - 1 }, () => random.integer(0, bytes.length));
  let start = 0;
  for (const end of [...cuts.sort((a, b) => a - b), bytes.length]) {
    if (start > 0) await (random.chance(0.3) ? setTimeout(random.integer(1, 30)) : setImmediate());
    if (socket.destroyed) return;
    socket.write(bytes.subarray(start, end));
    start = end;
  }
  for (let sent = 0; endlessly !== undefined && sent < ENDLESS; sent += endlessly.length) {
    if (socket.destroyed) return;
    if (!socket.write(endlessly)) await drained(socket);
  }
  if (after !== "stay" && random.chance(0.3)) await setTimeout(random.integer(0, 50));
  if (after === "end") socket.end().destroySoon();
  else if (after === "half-close") socket.end();
  else if (after === "reset") reset(socket);
}

function reset(socket: Socket): void {
  // A socket of TLS cannot send a reset itself.
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
