// @ts-check
// A relay before an endpoint, in a thread of its own, so that it works while the test blocks its event loop.
// It closes connections that have been idle for `idleFor` milliseconds, as load balancers do. A connection on which
// a response is awaited is not idle, however slow the machine.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

/** `counts`: the connections that were opened, and those that are closed. */
/** @type {{ port: number, idleFor: number, counts: Int32Array }} */
const { port, idleFor, counts } = workerData;
const [OPENED, CLOSED] = [0, 1];
const server = createServer((client) => {
  Atomics.add(counts, OPENED, 1);
  let isCounted = false;
  const countClosed = () => {
    if (isCounted) return;
    isCounted = true;
    Atomics.add(counts, CLOSED, 1);
    Atomics.notify(counts, CLOSED);
  };
  const close = () => {
    client.end();
    countClosed();
  };
  const upstream = connect(port, "127.0.0.1");
  client
    .on("error", () => {})
    .on("close", () => {
      upstream.destroy();
      countClosed();
    });
  upstream.on("error", () => {}).on("close", () => client.destroy());
  let timer = setTimeout(close, idleFor);
  client.on("data", () => clearTimeout(timer));
  upstream.on("data", () => {
    clearTimeout(timer);
    timer = setTimeout(close, idleFor);
  });
  client.pipe(upstream).pipe(client);
});
await once(server.listen(0, "127.0.0.1"), "listening");
parentPort?.postMessage(server.address());
