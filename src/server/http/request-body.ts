import type { IncomingMessage } from "node:http";
import { ByteQueue } from "../../stream/byte-queue.js";
import { decodeUtf8 } from "../../wire/decode-path.js";
import type { MemoryBudget, MemoryReservation } from "./memory-budget.js";
import { BodyError, OverloadError } from "./message.js";
import { pauseSocket } from "./pause-socket.js";

/** Event of a message whose body ends early. */
export const BODY_BROKEN = Symbol("body broken");

/**
 * The body of a request. Its bytes are copied into one block as they arrive: a list of pieces would need
 * several hundred bytes for each piece of one byte. Before the body is read, only one read of the socket
 * is accepted.
 */
export class RequestBody {
  readonly #message: IncomingMessage;
  readonly #reservation: MemoryReservation;
  readonly #bytes = new ByteQueue();
  #maxSize = Number.POSITIVE_INFINITY;
  #use: "none" | "read" | "discard" = "none";
  #isPausing = false;
  #isPaused = false;
  #isRefused = false;
  #outcome: "arriving" | "complete" | Error = "arriving";
  #onOutcome: (() => void) | undefined;

  constructor(message: IncomingMessage, budget: MemoryBudget) {
    this.#message = message;
    this.#reservation = budget.reserve(() => this.#refuse(new OverloadError()));
    const onBroken = (): void => {
      // "close" is also emitted after a complete message.
      if (!message.complete) this.#settle(new BodyError("unexpected EOF"));
    };
    message.on("data", (piece: Buffer) => this.#take(piece));
    message.once("end", () => this.#settle("complete"));
    message.once("error", onBroken).once("close", onBroken).once(BODY_BROKEN, onBroken);
  }

  /** Whether the body was refused while the client may still be sending it. */
  get isRefused(): boolean {
    return this.#isRefused && !this.#message.complete;
  }

  /**
   * Reads the body as UTF-8.
   *
   * @throws BodyError, OverloadError, NotUtf8Error
   */
  async read(maxSize: number): Promise<string> {
    this.#maxSize = maxSize;
    if (this.#bytes.length > maxSize) this.#refuse(tooLarge());
    if (this.#use === "none") this.#flowInto("read");
    if (this.#outcome === "arriving") {
      await new Promise<void>((resolve) => {
        this.#onOutcome = resolve;
      });
    }
    if (this.#outcome instanceof Error) throw this.#outcome;
    return decodeUtf8(this.#bytes.take());
  }

  /** Discards the bytes received so far and all further ones. */
  discard(): void {
    this.#flowInto("discard");
    this.#bytes.clear();
    this.#reservation.release();
  }

  #take(piece: Buffer): void {
    if (this.#use === "discard") return;
    if (this.#bytes.length + piece.length > this.#maxSize) {
      this.#refuse(tooLarge());
      return;
    }
    // The first piece is a view of a larger buffer. A copy releases the rest of that buffer.
    this.#bytes.push(this.#bytes.length === 0 ? Buffer.from(piece) : piece);
    // This may refuse this body itself.
    this.#reservation.set(this.#bytes.capacity);
    if (this.#use === "none") this.#pause();
  }

  /** Pauses the socket, not the message: a paused message would buffer the bytes in small pieces. */
  #pause(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    pauseSocket(this.#message.socket, () => {
      this.#isPausing = false;
      this.#isPaused = this.#use === "none" && !this.#message.complete;
      return this.#isPaused;
    });
  }

  #flowInto(use: "read" | "discard"): void {
    this.#use = use;
    if (this.#isPaused) this.#message.socket.resume();
    this.#isPaused = false;
  }

  #refuse(reason: Error): void {
    if (this.#outcome !== "arriving") return;
    this.#isRefused = true;
    this.#settle(reason);
    this.discard();
  }

  #settle(outcome: "complete" | Error): void {
    if (this.#outcome !== "arriving") return;
    this.#outcome = outcome;
    if (outcome === "complete") this.#reservation.keep();
    this.#onOutcome?.();
  }
}

function tooLarge(): BodyError {
  return new BodyError("http: POST too large");
}
