// @ts-check
// A relay before an endpoint, in a thread of its own, so that it works while the test blocks its event loop.
// It closes connections on which nothing was sent for `idleFor` milliseconds, as load balancers do.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

/** @type {{ port: number, idleFor: number }} */
const { port, idleFor } = workerData;
const server = createServer((client) => {
  const upstream = connect(port, "127.0.0.1");
  client.on("error", () => {}).on("close", () => upstream.destroy());
  upstream.on("error", () => {}).on("close", () => client.destroy());
  client.setTimeout(idleFor, () => client.end());
  client.pipe(upstream).pipe(client);
});
await once(server.listen(0, "127.0.0.1"), "listening");
parentPort?.postMessage(server.address());
