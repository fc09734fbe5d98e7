// @ts-check
/** A gateway in a process of its own, as etcd is: `node gateway-process.mjs URL...` with a channel to its parent. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { isMain } from "./measured.mjs";

/** What docs/running-the-gateway.md advises. */
const ADVISED = ["--max-semi-space-size=32"];

if (isMain(import.meta.url)) await serve(process.argv.slice(2));

/** @param {string[]} urls */
async function serve(urls) {
  const { createGateway } = await import("../dist/server/index.js");
  const gateway = await createGateway({ etcd: { urls } });
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

/** @param {string[]} urls of etcd @returns {Promise<GatewayProcess>} */
export async function startGateway(...urls) {
  const child = fork(new URL(import.meta.url), urls, { execArgv: ["--expose-gc", ...ADVISED] });
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
