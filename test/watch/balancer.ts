import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of the connections of watches, while all others work. */
export type Harm =
  /** What is sent is lost, both ways. */
  | "dead"
  /** What the server sends is held back. */
  | "buffered"
  /** The server's side is closed, and the client is not told. */
  | "half-open";

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  isWatch: boolean;
  harm: Harm | undefined;
}

/** A TCP load balancer before one member. */
export class Balancer implements AsyncDisposable {
  readonly #server: Server;
  readonly #port: number;
  readonly #passesHalfClose: boolean;
  readonly #links = new Set<Link>();

  /** `passesHalfClose`: or else both halves are closed when the client closes its own. */
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

  /** Harms the watches that are open. @returns how many */
  harmWatches(how: Harm): number {
    const watches = [...this.#links].filter(({ isWatch }) => isWatch);
    for (const link of watches) {
      link.harm = how;
      if (how === "half-open") link.server.destroy();
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
    const link: Link = { client, server, isWatch: false, harm: undefined };
    this.#links.add(link);
    client.on("data", (chunk) => {
      link.isWatch ||= chunk.includes("wait=true");
      if (link.harm === undefined) server.write(chunk);
    });
    server.on("data", (chunk) => {
      if (link.harm === undefined) client.write(chunk);
    });
    client.on("end", () => {
      if (!this.#passesHalfClose) client.destroy();
      else if (link.harm === undefined) server.end();
    });
    server.on("end", () => {
      if (link.harm === undefined) client.end();
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
        if (link.harm === undefined) client.destroy();
      });
  }
}
