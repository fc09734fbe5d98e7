import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What happens to the connections of watches, while all others work. */
export type WatchFault =
  /** Data is lost in both directions. */
  | "dead"
  /** Data from the server is withheld. */
  | "buffered"
  /** The connection to the server is closed, and the client is not notified. */
  | "half-open";

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  isWatch: boolean;
  fault: WatchFault | undefined;
}

/** A TCP load balancer in front of one member. */
export class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #port: number;
  readonly #passesHalfClose: boolean;
  readonly #links = new Set<Link>();

  /** Without `passesHalfClose`, both directions are closed when the client closes its own. */
  static async before(url: string, passesHalfClose = true): Promise<Balancer> {
    const balancer = new Balancer(Number(new URL(url).port), passesHalfClose);
    await once(balancer.#server.listen(0, "127.0.0.1"), "listening");
    return balancer;
  }

  private constructor(port: number, passesHalfClose: boolean) {
    this.#port = port;
    this.#passesHalfClose = passesHalfClose;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Applies a fault to the open connections of watches. @returns their number */
  breakWatches(fault: WatchFault): number {
    const watches = [...this.#links].filter(({ isWatch }) => isWatch);
    for (const link of watches) {
      link.fault = fault;
      if (fault === "half-open") link.server.destroy();
    }
    return watches.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const { client } of this.#links) client.destroy();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#port, host: "127.0.0.1", allowHalfOpen: true });
    const link: Link = { client, server, isWatch: false, fault: undefined };
    this.#links.add(link);
    client.on("data", (chunk) => {
      link.isWatch ||= chunk.includes("wait=true");
      if (link.fault === undefined) server.write(chunk);
    });
    server.on("data", (chunk) => {
      if (link.fault === undefined) client.write(chunk);
    });
    client.on("end", () => {
      if (!this.#passesHalfClose) client.destroy();
      else if (link.fault === undefined) server.end();
    });
    server.on("end", () => {
      if (link.fault === undefined) client.end();
    });
    client
      .on("error", () => {})
      .on("close", () => {
        this.#links.delete(link);
        server.destroy();
      });
    server
      .on("error", () => {})
      .on("close", () => {
        if (link.fault === undefined) client.destroy();
      });
  }
}
