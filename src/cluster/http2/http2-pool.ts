import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import type { Exchange } from "../exchange/exchange.js";
import { Http2Error } from "./frame.js";
import { Http2Connection, type Http2ConnectionSettings } from "./http2-connection.js";

/**
 * Runs exchanges at one endpoint on few HTTP/2 connections. A connection for each watch would need
 * several times the memory, and over TLS a handshake each.
 */
export class Http2Pool {
  readonly #origin: URL;
  readonly #connect: buildConnector.connector;
  readonly #settings: Http2ConnectionSettings;
  readonly #connections = new Set<Http2Connection>();
  #opening: Promise<boolean> | undefined;
  #socket: Socket | undefined;
  #destroyed = false;

  /** @param connect opens sockets. It negotiates HTTP/2 if it uses TLS */
  constructor(
    origin: string,
    connect: buildConnector.connector,
    settings: Http2ConnectionSettings,
  ) {
    this.#settings = settings;
    this.#origin = new URL(origin);
    this.#connect = connect;
  }

  /** Runs an exchange. @returns false, unsent, if the endpoint does not support HTTP/2 */
  async run(exchange: Exchange, headers: string[]): Promise<boolean> {
    try {
      while (!exchange.settled && !this.start(exchange, headers)) {
        this.#opening ??= this.#open();
        if (!(await this.#opening)) return false;
      }
    } catch (error) {
      exchange.fail(error as Error);
    }
    return true;
  }

  /** Sends a ping on every connection. A connection without a response is closed. */
  ping(): void {
    for (const connection of this.#connections) connection.onSilentStream();
  }

  /** Closes every connection at once. */
  destroy(): void {
    this.#destroyed = true;
    this.#socket?.destroy();
    for (const connection of this.#connections) connection.destroy();
  }

  /** Starts an exchange if a connection accepts it. */
  start(exchange: Exchange, headers: string[]): boolean {
    for (const connection of this.#connections) {
      if (connection.start(exchange, headers)) return true;
    }
    return false;
  }

  /** Opens a connection. @returns false if the endpoint does not support HTTP/2 */
  async #open(): Promise<boolean> {
    try {
      const socket = await this.#openSocket();
      // It reports its end no more.
      if (socket.destroyed) throw new Error("the server closed the new connection");
      const isHttp1 = this.#isSecure && socket.alpnProtocol !== "h2";
      if (this.#destroyed || isHttp1) {
        socket.destroy();
        return this.#destroyed;
      }
      const connection = new Http2Connection(this.#origin, socket, this.#settings, () =>
        this.#connections.delete(connection),
      );
      this.#connections.add(connection);
      return await this.#isReady(connection);
    } finally {
      this.#opening = undefined;
    }
  }

  /** Without TLS there is no negotiation. An HTTP/1 server sends bytes that are not HTTP/2. */
  async #isReady(connection: Http2Connection): Promise<boolean> {
    try {
      await connection.ready;
      return true;
    } catch (error) {
      if (!this.#isSecure && error instanceof Http2Error) return false;
      throw error;
    }
  }

  get #isSecure(): boolean {
    return this.#origin.protocol === "https:";
  }

  #openSocket(): Promise<TLSSocket> {
    const { protocol, hostname, host, port } = this.#origin;
    const address = hostname.replace(/^\[|\]$/g, "");
    return new Promise((resolve, reject) => {
      // The connector returns the socket, though its type does not say so.
      this.#socket = this.#connect({ protocol, hostname: address, host, port }, (error, socket) => {
        if (error === null) resolve(socket as TLSSocket);
        else reject(error);
      }) as unknown as Socket;
    });
  }
}
