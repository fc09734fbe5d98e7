import type { Dispatcher } from "undici";
import type { HttpReplyHead } from "../../wire/http.js";
import { NOT_PROCESSED_HEADER } from "../../wire/reply.js";
import type { Exchange } from "../exchange/exchange.js";
import type { FlowControl } from "../exchange/flow-control.js";

/**
 * What undici reports of a request, handed on to its exchange. It takes undici's older callbacks,
 * which bring the headers as they came: turned into text one and all, as the newer ones have them,
 * they cost a tenth of the CPU of a call.
 *
 * undici's own means to abort and to pause are not used. After either, its parser may meet the end of
 * the connection in a state that it asserts to be impossible, in an event of the socket, where the
 * error ends the process.
 */
export class UndiciHandler implements Dispatcher.DispatchHandler, FlowControl {
  readonly halfClose: () => void;
  readonly #exchange: Exchange;
  readonly #giveUp: () => void;
  #aborted = false;

  /** @param connection what it can do to its connection: end it, or close the client's half of it */
  constructor(
    exchange: Exchange,
    connection: { readonly giveUp: () => void; readonly halfClose: () => void },
  ) {
    this.#exchange = exchange;
    this.#giveUp = connection.giveUp;
    this.halfClose = connection.halfClose;
  }

  onConnect(): void {
    this.#exchange.start(this);
  }

  onResponseStarted(): void {
    this.#exchange.beginAnswer();
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    if (!this.#aborted) this.#exchange.takeHead(this, status, readHeaders(headers));
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (!this.#aborted) this.#exchange.take(chunk);
    return true;
  }

  onComplete(): void {
    if (!this.#aborted) this.#exchange.end();
  }

  onError(error: Error): void {
    if (!this.#aborted) this.#exchange.fail(error);
  }

  pause(): void {}

  resume(): void {}

  abort(): void {
    this.#aborted = true;
    this.#giveUp();
  }
}

/** All headers that are read of a reply. */
const READ = [
  "x-etcd-cluster-id",
  "x-etcd-index",
  "x-raft-index",
  "x-raft-term",
  "location",
  "transfer-encoding",
  NOT_PROCESSED_HEADER,
] as const;

function readHeaders(raw: readonly Buffer[]): HttpReplyHead["headers"] {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const [bytes, value] = [raw[i], raw[i + 1]];
    if (bytes === undefined || value === undefined) continue;
    for (const name of READ) {
      if (isNamed(bytes, name)) headers[name] = value.toString("latin1");
    }
  }
  return headers;
}

/** Compares bytes, in either case, with a lower-case name: to make strings of them takes longer. */
function isNamed(bytes: Buffer, name: string): boolean {
  if (bytes.length !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (((bytes[i] ?? 0) | 0x20) !== name.charCodeAt(i)) return false;
  }
  return true;
}
