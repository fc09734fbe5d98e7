import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Shows an endpoint at another address. */
export interface TcpRelay extends AsyncDisposable {
  /** The endpoint's URL with the address of the relay. */
  readonly url: string;
  /** Stops the current connections without closing them. */
  freeze(): void;
}

/** @param address where to listen; IPv6 without brackets */
export async function startTcpRelay(endpoint: string, address: string): Promise<TcpRelay> {
  const { protocol, hostname, port: targetPort } = new URL(endpoint);
  const clients = new Map<Socket, Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(targetPort), hostname);
    clients.set(client, upstream);
    client.on("error", () => {}).on("close", () => upstream.destroy());
    upstream.on("error", () => {}).on("close", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, address), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${protocol}//${address.includes(":") ? `[${address}]` : address}:${port}`,
    freeze() {
      for (const [client, upstream] of clients) {
        client.unpipe(upstream).pause();
        upstream.unpipe(client).pause();
      }
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const client of clients.keys()) client.destroy();
      await once(server, "close");
    },
  };
}
