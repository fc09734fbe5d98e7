/** Clients that send valid or invalid HTTP as raw bytes. */

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** A connection, and the data that it has received. */
export class RawClient {
  readonly url: string;
  readonly socket: Socket;
  /** All data received so far, one character per byte. */
  received = "";

  /** `ca` is the certificate to trust, for an `https` URL. */
  constructor(url: string, ca?: string) {
    this.url = url;
    const { hostname, port } = new URL(url);
    const address = { host: hostname, port: Number(port), allowHalfOpen: true };
    this.socket = ca === undefined ? connect(address) : connectTls({ ...address, ca });
    this.socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
    });
    this.socket.setMaxListeners(0).on("error", () => {});
  }

  /** Sends text, one byte per character, without waiting. */
  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Half-closes the connection. */
  halfClose(): this {
    this.socket.end();
    return this;
  }

  /** Resolves when the received data matches. @throws Error if the connection ends before that */
  async got(pattern: RegExp): Promise<string> {
    const { socket } = this;
    while (!pattern.test(this.received)) {
      if (socket.readableEnded || socket.closed) {
        throw new Error(`no ${pattern} in ${JSON.stringify(this.received.slice(-1000))}`);
      }
      await new Promise((resolve) => {
        socket.once("data", resolve).once("end", resolve).once("close", resolve);
      });
    }
    return this.received;
  }

  /** Resolves with all received data when the server has closed the connection. */
  async ended(): Promise<string> {
    const { socket } = this;
    if (!socket.readableEnded && !socket.closed) {
      await new Promise((resolve) => socket.once("end", resolve).once("close", resolve));
    }
    return this.received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Sends a raw request on a new connection. @returns all data until the server closes it */
export async function ask(url: string, text: string): Promise<string> {
  using client = new RawClient(url);
  return await client.send(text).ended();
}

/** A PUT request with a form and `Connection: close`. */
export function put(key: string, form: string): string {
  const type = "Content-Type: application/x-www-form-urlencoded";
  const head = `PUT /v2/keys${key} HTTP/1.1\r\nHost: localhost\r\n${type}\r\nConnection: close`;
  return `${head}\r\nContent-Length: ${form.length}\r\n\r\n${form}`;
}

/** A request without a body. */
export function get(target: string, headers = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}
