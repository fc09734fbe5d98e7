import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import type { Exchange } from "../exchange/exchange.js";
import { Http2Connection, type Http2ConnectionSettings } from "./http2-connection.js";

/**
 * Exchanges at one endpoint, as streams of a few HTTP/2 connections. Many watches with a connection
 * each would cost several times the memory, and over TLS a handshake each.
 */
export class Http2Pool {
  readonly #origin: URL;
  readonly #connect: buildConnector.connector;
  readonly #settings: Http2ConnectionSettings;
  readonly #connections = new Set<Http2Connection>();
  #opening: Promise<boolean> | undefined;
  #socket: Socket | undefined;
  #destroyed = false;

  /** @param connect offers HTTP/2 where it makes TLS; otherwise it is just spoken */
  constructor(
    origin: string,
    connect: buildConnector.connector,
    settings: Http2ConnectionSettings,
  ) {
    this.#settings = settings;
    this.#origin = new URL(origin);
    this.#connect = connect;
  }

  /** Runs an exchange. @returns false when the endpoint speaks no HTTP/2: then it was not run */
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

  /** Puts every connection to the test: the endpoint may hang. */
  doubt(): void {
    for (const connection of this.#connections) connection.silent();
  }

  /** Closes every connection at once. */
  destroy(): void {
    this.#destroyed = true;
    this.#socket?.destroy();
    for (const connection of this.#connections) connection.destroy();
  }

  /** Runs an exchange at once, if a connection has room for it. */
  start(exchange: Exchange, headers: string[]): boolean {
    for (const connection of this.#connections) {
      if (connection.start(exchange, headers)) return true;
    }
    return false;
  }

  /** Opens one more connection, if that is one of HTTP/2. */
  async #open(): Promise<boolean> {
    try {
      const socket = await this.#openSocket();
      // Of a socket that is closed already, Node's session would never tell anything.
      if (socket.destroyed) throw new Error("the connection was closed");
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

  /** Without TLS nobody agrees on HTTP/2 beforehand: a server of HTTP/1 answers in its own way. */
  async #isReady(connection: Http2Connection): Promise<boolean> {
    try {
      await connection.ready;
      return true;
    } catch (error) {
      if (!this.#isSecure && isOtherProtocol(error)) return false;
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

/** Node's error for bytes that are none of HTTP/2. */
function isOtherProtocol(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_HTTP2_ERROR";
}
