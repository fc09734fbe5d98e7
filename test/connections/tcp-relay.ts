import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Shows an endpoint at another address. */
export interface TcpRelay extends AsyncDisposable {
  /** The endpoint's URL with the relay's address in it. */
  readonly url: string;
}

/** @param address where to listen; IPv6 without brackets */
export async function startTcpRelay(endpoint: string, address: string): Promise<TcpRelay> {
  const { protocol, hostname, port: targetPort } = new URL(endpoint);
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    const upstream = connect(Number(targetPort), hostname);
    client.on("error", () => {}).on("close", () => upstream.destroy());
    upstream.on("error", () => {}).on("close", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await once(server.listen(0, address), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${protocol}//${address.includes(":") ? `[${address}]` : address}:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const client of clients) client.destroy();
      await once(server, "close");
    },
  };
}
