import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Distributes connections to the servers in turn. Skips a server that does not respond. */
export class LoadBalancer implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async before(urls: readonly string[]): Promise<LoadBalancer> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const balancer = new LoadBalancer(server);
    let turn = 0;
    server.on("connection", (client) => {
      const order = urls.map((_, number) => urls[(turn + number) % urls.length] ?? "");
      turn++;
      balancer.#lead(client, order);
    });
    return balancer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #lead(client: Socket, [url, ...others]: readonly string[]): void {
    if (url === undefined) {
      client.destroy();
      return;
    }
    const { hostname, port } = new URL(url);
    const server = connect(Number(port), hostname);
    const tryOthers = (): void => this.#lead(client, others);
    server.once("error", tryOthers).once("connect", () => {
      server.off("error", tryOthers);
      this.#join(client, server);
    });
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from
        .on("error", () => {})
        .on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      from.pipe(to);
    }
  }
}
