/** A TCP proxy in front of one etcd member, whose faults are switched while it runs. */

import { randomInt } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";

/** What happens to the traffic. */
export type Fault =
  /** All traffic passes. */
  | "pass"
  /** The port is closed, and open connections are cut. */
  | "refuse"
  /** Connections are accepted, but nothing passes in either direction. */
  | "hang"
  /** As "hang", but what was sent in either direction arrives when the fault ends. */
  | "hold"
  /** Connections are closed as soon as they are accepted. */
  | "cut on connect"
  /** Connections are closed at the first byte of a request, which is not forwarded. */
  | "cut before request"
  /** The request is forwarded and takes effect. The connection is closed before the response. */
  | "cut after request"
  /** The request is forwarded and takes effect. The response is held back: see `takeHeld`. */
  | "hold response"
  /** The connection is closed before the last bytes of a response. */
  | "cut in response"
  /** The response arrives byte by byte, too slowly. */
  | "drip"
  /** The response arrives a second late. */
  | "late";

/** A response head of about 400 bytes takes more than a minute. */
const DRIP_EVERY_MS = 200;
const LATE_BY_MS = 1_000;
const WITHHELD_BYTES = 8;
/**
 * Outside of the ports of members and of the ephemeral ports of operating systems. Each vitest worker has its own, since
 * a proxy that refuses connections does not hold its port.
 */
const PORTS_EACH = 600;
const FIRST_PORT = 5_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 8) * PORTS_EACH;
/** Proxies of this process so far. Their ports are used again when all others were: the tests that had them are over. */
let started = randomInt(PORTS_EACH);
const REQUEST_LINE = /^(?:GET|PUT|POST|DELETE) \S+/;

interface FaultProxyEvents {
  /** Method and path of a request that arrived, even if it is not forwarded. */
  request: [string];
}

export class FaultProxy extends EventEmitter<FaultProxyEvents> implements AsyncDisposable {
  /** Method and path of each request so far. Empty with TLS. */
  readonly requests: string[] = [];
  /** Number of connections accepted so far. */
  connections = 0;
  /** Largest number of connections open at the same time. */
  peak = 0;
  /** URL of the member to which new connections are forwarded. */
  target: string;
  readonly #port: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #address = "127.0.0.1";
  #fault: Fault = "pass";

  /** Starts a proxy that forwards everything. */
  static async before(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, FIRST_PORT + (started++ % PORTS_EACH));
    try {
      await proxy.#listen();
      return proxy;
    } catch (error) {
      const isPortInUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (isPortInUse) return FaultProxy.before(target);
      throw error;
    }
  }

  private constructor(target: string, port: number) {
    super();
    this.target = target;
    this.#port = port;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  get url(): string {
    return `${new URL(this.target).protocol}//${this.#address}:${this.#port}`;
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** Number of open connections. */
  get open(): number {
    return this.#links.size;
  }

  /** Switches the fault, also for open connections. Data that was dropped or withheld stays lost. */
  async become(fault: Fault): Promise<void> {
    const before = this.#fault;
    this.#fault = fault;
    if (fault === "refuse") await this.close();
    else if (before === "refuse") await this.#listen();
    for (const link of this.#links) {
      link.hold(fault === "hold");
      if (link.broken) link.destroy();
    }
  }

  /**
   * Continues at another address of this machine, with the same port. Connections to the old address are closed, or
   * stay open and nothing passes on them.
   */
  async moveTo(address: string, connections: "cut" | "freeze"): Promise<void> {
    this.#address = address;
    this.#server.close();
    if (connections === "cut") await this.cut();
    else for (const link of this.#links) link.frozen = true;
    await this.#listen();
  }

  /** Takes the data that is held back until now. It stays lost unless the returned function forwards it. */
  takeHeld(): () => void {
    const forwards = [...this.#links].map((link) => link.takeHeld());
    return () => {
      for (const forward of forwards) forward();
    };
  }

  /** Ends a fault and closes every open connection. Everything passes on connections opened later. */
  async recover(): Promise<void> {
    await Promise.all([this.become("pass"), this.cut()]);
  }

  /** Closes every open connection. Resolves when both sides have noticed. */
  async cut(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.destroy()));
    // The client is in this process, too. Its sockets are polled once per turn of the event loop.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  }

  /**
   * Stops forwarding on the connections that carry no request during `during`, which are those of
   * watches. They stay open, as with a router that has lost their state.
   */
  async freezeIdle(during: () => Promise<unknown>): Promise<void> {
    for (const link of this.#links) link.idle = true;
    await during();
    for (const link of this.#links) link.frozen = link.idle;
  }

  /** Connections that {@link freezeIdle} has frozen. */
  get frozen(): number {
    return [...this.#links].filter((link) => link.frozen).length;
  }

  /** Half-closes the connections to etcd, which then ends the responses of watches without an event. */
  endWatches(): void {
    for (const link of this.#links) link.endRequests();
  }

  /** Closes the port and every connection. */
  async close(): Promise<void> {
    if (this.#server.listening) this.#server.close();
    await this.cut();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<void> {
    await once(this.#server.listen(this.#port, this.#address), "listening");
  }

  #accept(client: Socket): void {
    this.connections++;
    const link = new Link(client, this);
    this.#links.add(link);
    this.peak = Math.max(this.peak, this.open);
    client.on("close", () => this.#links.delete(link));
    link.hold(this.#fault === "hold");
    if (this.#fault === "cut on connect") void link.destroy();
  }
}

/** A connection of a client, and its connection to etcd. */
class Link {
  /** Whether a part of the traffic was dropped. */
  broken = false;
  /** Whether no request has arrived since this was set. */
  idle = false;
  /** Whether nothing passes in either direction, independently of the proxy's fault. */
  frozen = false;
  readonly #client: Socket;
  readonly #proxy: FaultProxy;
  #held: Buffer[] = [];
  #etcd: Socket | undefined;
  #delivered = Promise.resolve();

  constructor(client: Socket, proxy: FaultProxy) {
    this.#client = client;
    this.#proxy = proxy;
    client.setNoDelay(true);
    client.on("data", (chunk) => this.#onRequest(chunk));
    client.on("error", () => {});
    client.on("end", () => this.#onRequestsEnd());
    client.on("close", () => this.#etcd?.destroy());
  }

  /** The sockets keep what arrives, also the end of a connection. */
  hold(isHeld: boolean): void {
    for (const socket of [this.#client, this.#etcd]) {
      if (isHeld) socket?.pause();
      else socket?.resume();
    }
  }

  async destroy(): Promise<void> {
    if (this.#client.closed) return;
    this.#client.destroy();
    await once(this.#client, "close");
  }

  takeHeld(): () => void {
    const held = this.#held;
    this.#held = [];
    return () => {
      for (const chunk of held) this.#write(chunk);
      this.broken = this.#held.length > 0;
    };
  }

  endRequests(): void {
    this.#etcd?.end();
  }

  #onRequestsEnd(): void {
    if (this.#etcd === undefined || this.#proxy.fault === "hang") this.#client.end();
    else this.#etcd.end();
  }

  #onRequest(chunk: Buffer): void {
    this.idle = false;
    if (this.frozen) return;
    const [request] = REQUEST_LINE.exec(chunk.toString("latin1")) ?? [];
    const { fault } = this.#proxy;
    if (fault === "hang") this.broken = true;
    else if (fault === "cut before request") this.#client.destroy();
    else this.#forward(chunk);
    if (request === undefined) return;
    this.#proxy.requests.push(request);
    this.#proxy.emit("request", request);
  }

  #forward(chunk: Buffer): void {
    this.#etcd ??= this.#connect();
    this.#etcd.write(chunk);
  }

  #connect(): Socket {
    const { hostname, port } = new URL(this.#proxy.target);
    const etcd = connect(Number(port), hostname).setNoDelay(true);
    etcd.on("data", (chunk) => {
      const { fault } = this.#proxy;
      const arrivedAt = performance.now();
      this.#inOrder(() => this.#onResponse(chunk, fault, arrivedAt));
    });
    etcd.on("error", () => this.#client.destroy());
    etcd.on("end", () => this.#inOrder(() => void this.#client.end()));
    return etcd;
  }

  /** A chunk does not overtake one that is still delayed. */
  #inOrder(deliver: () => Promise<void> | void): void {
    this.#delivered = this.#delivered.then(deliver);
  }

  async #onResponse(chunk: Buffer, fault: Fault, arrivedAt: number): Promise<void> {
    if (this.frozen) return;
    if (fault === "pass" || fault === "hold") this.#write(chunk);
    else if (fault === "cut in response") this.#client.end(chunk.subarray(0, -WITHHELD_BYTES));
    else if (fault === "drip") await this.#drip(chunk);
    else if (fault === "late") await this.#late(chunk, arrivedAt);
    else if (fault === "hang") this.broken = true;
    else if (fault === "hold response") this.#hold(chunk);
    else this.#client.destroy();
  }

  #hold(chunk: Buffer): void {
    this.broken = true;
    this.#held.push(chunk);
  }

  async #late(chunk: Buffer, arrivedAt: number): Promise<void> {
    const left = arrivedAt + LATE_BY_MS - performance.now();
    if (left > 0) await setTimeout(left, undefined, { ref: false });
    this.#write(chunk);
  }

  #write(chunk: Buffer): void {
    if (this.#client.writable) this.#client.write(chunk);
  }

  async #drip(chunk: Buffer): Promise<void> {
    this.broken = true;
    for (const byte of chunk) {
      if (!this.#client.writable) return;
      this.#client.write(Uint8Array.of(byte));
      await setTimeout(DRIP_EVERY_MS, undefined, { ref: false });
    }
  }
}
