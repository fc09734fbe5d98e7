// @ts-check
/** A gateway in a process of its own, as etcd is: `node gateway-process.mjs URL` with a channel to its parent. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { isMain } from "./measured.mjs";

/** What docs/running-the-gateway.md advises. */
const ADVISED = ["--max-semi-space-size=64"];

if (isMain(import.meta.url)) await serve(process.argv[2] ?? "");

/** @param {string} etcd */
async function serve(etcd) {
  const { createGateway } = await import("../dist/server/index.js");
  const gateway = await createGateway({ etcd: { urls: [etcd] } });
  process.on("message", () => {
    globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage.rss() });
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ url: gateway.url });
}

/**
 * @typedef {object} GatewayProcess
 * @property {string} url
 * @property {number} pid
 * @property {() => Promise<number>} memory bytes in use after garbage collection
 * @property {() => Promise<void>} stop
 */

/** @param {string} etcd its URL @returns {Promise<GatewayProcess>} */
export async function startGateway(etcd) {
  const child = fork(new URL(import.meta.url), [etcd], { execArgv: ["--expose-gc", ...ADVISED] });
  const [{ url }] = await once(child, "message");
  return {
    url,
    pid: Number(child.pid),
    memory: async () => {
      child.send("memory");
      return (await once(child, "message"))[0].rss;
    },
    stop: async () => {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}
