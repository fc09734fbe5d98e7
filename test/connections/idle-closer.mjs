// @ts-check
// A relay before an endpoint, in a thread of its own, so that it works while the test blocks its event loop.
// While it is told to, it closes connections that are idle, as load balancers do. A connection on which a
// response is awaited is not idle, however slow the machine, nor one that has just carried something.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

/** `counts`: the connections that were opened, and those that are closed. */
/** @type {{ port: number, counts: Int32Array }} */
const { port, counts } = workerData;
const [OPENED, CLOSED] = [0, 1];
const IDLE_MS = 50;
let isClosing = false;
/** Closes each open connection if it is idle. */
/** @type {Set<() => void>} */
const closers = new Set();
parentPort?.on("message", (isToClose) => {
  isClosing = isToClose;
});
setInterval(() => {
  if (isClosing) for (const closeIfIdle of [...closers]) closeIfIdle();
}, 10);

const server = createServer((client) => {
  Atomics.add(counts, OPENED, 1);
  let isAwaiting = false;
  let usedAt = performance.now();
  const closeIfIdle = () => {
    if (isAwaiting || performance.now() - usedAt < IDLE_MS) return;
    client.end();
    countClosed();
  };
  const countClosed = () => {
    if (!closers.delete(closeIfIdle)) return;
    Atomics.add(counts, CLOSED, 1);
    Atomics.notify(counts, CLOSED);
  };
  closers.add(closeIfIdle);
  const upstream = connect(port, "127.0.0.1");
  client
    .on("error", () => {})
    .on("close", () => {
      upstream.destroy();
      countClosed();
    });
  upstream.on("error", () => {}).on("close", () => client.destroy());
  client.on("data", () => {
    isAwaiting = true;
  });
  upstream.on("data", () => {
    isAwaiting = false;
    usedAt = performance.now();
  });
  client.pipe(upstream).pipe(client);
});
await once(server.listen(0, "127.0.0.1"), "listening");
parentPort?.postMessage(server.address());
