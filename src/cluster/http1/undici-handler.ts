import type { Dispatcher } from "undici";
import type { HttpResponseHead } from "../../wire/http.js";
import { NOT_PROCESSED_HEADER } from "../../wire/http-response.js";
import type { Exchange } from "../exchange/exchange.js";
import type { FlowControl } from "../exchange/flow-control.js";

/**
 * Forwards undici's callbacks to an exchange. Uses undici's older callbacks, which pass raw
 * headers. The newer ones convert all headers to strings, which costs a tenth of the CPU time of a
 * call.
 *
 * Does not use undici's own abort and pause. After either, undici's parser can meet the end of the
 * connection in a state that it asserts to be impossible. It throws in a socket event, which ends
 * the process.
 */
export class UndiciHandler implements Dispatcher.DispatchHandler, FlowControl {
  readonly halfClose: () => void;
  readonly #exchange: Exchange;
  readonly #endConnection: () => void;
  #aborted = false;

  /** @param connection ends the connection, or closes the client's half of it */
  constructor(
    exchange: Exchange,
    connection: { readonly end: () => void; readonly halfClose: () => void },
  ) {
    this.#exchange = exchange;
    this.#endConnection = connection.end;
    this.halfClose = connection.halfClose;
  }

  onConnect(): void {
    this.#exchange.start(this);
  }

  onResponseStarted(): void {
    this.#exchange.beginResponse();
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    if (this.#aborted) return true;
    const read = this.#exchange.request.readsAllHeaders ? readAllHeaders : readHeaders;
    this.#exchange.onHead(this, status, read(headers));
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (!this.#aborted) this.#exchange.onData(chunk);
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
    this.#endConnection();
  }
}

/** The response headers that the client reads. */
const READ_HEADERS = [
  "x-etcd-cluster-id",
  "x-etcd-index",
  "x-raft-index",
  "x-raft-term",
  "location",
  "transfer-encoding",
  NOT_PROCESSED_HEADER,
];

/** The names by their length: most headers have the length of none, or of one. */
const NAMES_BY_LENGTH: readonly (readonly string[] | undefined)[] = Array.from(
  { length: 1 + Math.max(...READ_HEADERS.map(({ length }) => length)) },
  (_, length) => {
    const names = READ_HEADERS.filter((name) => name.length === length);
    return names.length === 0 ? undefined : names;
  },
);

function readHeaders(raw: readonly Buffer[]): HttpResponseHead["headers"] {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const [bytes, value] = [raw[i], raw[i + 1]];
    if (bytes === undefined || value === undefined) continue;
    for (const name of NAMES_BY_LENGTH[bytes.length] ?? NO_NAMES) {
      if (isNamed(bytes, name)) headers[name] = value.toString("latin1");
    }
  }
  return headers;
}

const NO_NAMES: readonly string[] = [];

function readAllHeaders(raw: readonly Buffer[]): HttpResponseHead["headers"] {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i], raw[i + 1]];
    if (name !== undefined && value !== undefined)
      headers[name.toString("latin1").toLowerCase()] = value.toString("latin1");
  }
  return headers;
}

/** Compares with a lower-case name of the same length, ignoring case. Faster than conversion to a string. */
function isNamed(bytes: Buffer, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (((bytes[i] ?? 0) | 0x20) !== name.charCodeAt(i)) return false;
  }
  return true;
}
