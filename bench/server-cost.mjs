// @ts-check
/**
 * CPU time of the embedded server for one request, in µs: of this build, and of another one in turn with it. After a build:
 *
 *     node bench/server-cost.mjs [--against DIST] [--only get,set,…] [--requests N] [--rounds N] [--connections N]
 *                                [--polls N] [--profile DIR]
 *
 * `event`: for each of the polls that one set ends; `poll`: for the next poll of such a connection.
 * The load writes complete requests to sockets and counts the responses, so that it needs little of the other core.
 * `--profile`: the servers write CPU profiles there.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../scripts/project.mjs";
import { median } from "./measured.mjs";

const VALUE = "0123456789".repeat(10);
const KEYS = 1_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: "string" },
    requests: { type: "string", default: "20000" },
    rounds: { type: "string", default: "9" },
    connections: { type: "string", default: "32" },
    only: { type: "string", default: "set,get,mixed,miss,poll,event" },
    polls: { type: "string", default: "1000" },
    profile: { type: "string" },
  },
});

const [what, dist = ""] = positionals;
if (what === "serve") await serve();
else await measure();

/** In a process of its own, which says its CPU time when it is asked. */
async function serve() {
  const { startEmbeddedEtcd } = await import(join(dist, "server", "index.js"));
  const server = await startEmbeddedEtcd();
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: user + system });
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ url: server.url });
}

async function measure() {
  const builds = [join(root, "dist"), ...(options.against ? [resolve(options.against)] : [])];
  const servers = await Promise.all(builds.map(start));
  for (const load of options.only.split(",")) {
    for (const server of servers) await costOf(server, load);
    /** @type {number[][]} */
    const costs = servers.map(() => []);
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [at, server] of servers.entries()) costs[at]?.push(await costOf(server, load));
    }
    const [own = 0, other] = costs.map(median);
    const ratios = costs[0]?.map((cost, round) => cost / (costs[1]?.[round] ?? cost)) ?? [];
    const compared =
      other === undefined
        ? ""
        : `, against ${other.toFixed(1)}; ratio ${median(ratios).toFixed(2)}`;
    console.log(`${load}, µs: ${own.toFixed(1)}${compared}`);
  }
  for (const { child } of servers) child.disconnect();
}

/** @param {string} build */
async function start(build) {
  const profiler = options.profile ? ["--cpu-prof", "--cpu-prof-dir", options.profile] : [];
  const child = fork(import.meta.filename, ["serve", build], { execArgv: profiler });
  const [{ url }] = await once(child, "message");
  return { child, port: Number(new URL(url).port) };
}

/** @typedef {Awaited<ReturnType<typeof start>>} Server */

/** µs of CPU for a request. @param {Server} server @param {string} load */
async function costOf(server, load) {
  if (load === "poll" || load === "event") return pollCost(server, load);
  const before = await cpuOf(server);
  const requests = Number(options.requests);
  let left = requests;
  const next = () => (left-- > 0 ? requestOf(load, left) : undefined);
  const count = Number(options.connections);
  await Promise.all(Array.from({ length: count }, () => send(server.port, next)));
  return ((await cpuOf(server)) - before) / requests;
}

/** @param {Server} server @param {"poll" | "event"} wanted */
async function pollCost(server, wanted) {
  const count = Number(options.polls);
  const head = "HTTP/1.1\r\nhost: 127.0.0.1:2379\r\nconnection: keep-alive\r\n\r\n";
  const sockets = Array.from({ length: count }, () => connect(server.port, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  /** Of all polls, until each has sent this. @param {string} end @param {() => unknown} begin */
  const costUntil = async (end, begin) => {
    const all = sockets.map((socket) => received(socket, end));
    const before = await cpuOf(server);
    await begin();
    await Promise.all(all);
    return ((await cpuOf(server)) - before) / count;
  };
  const poll = () => {
    for (const socket of sockets) socket.write(`GET /v2/keys/watched?wait=true ${head}`);
  };
  const form = `value=${VALUE}`;
  const type = "content-type: application/x-www-form-urlencoded\r\nconnection: close";
  const length = `content-length: ${form.length}`;
  const set = `PUT /v2/keys/watched HTTP/1.1\r\nhost: localhost\r\n${type}\r\n${length}\r\n\r\n${form}`;
  const write = () => connect(server.port, "127.0.0.1").end(set);
  await costUntil("\r\n\r\n", poll);
  const event = await costUntil("\r\n0\r\n\r\n", write);
  const next = await costUntil("\r\n\r\n", poll);
  for (const socket of sockets) socket.destroy();
  return wanted === "event" ? event : next;
}

/** @param {import("node:net").Socket} socket @param {string} end @returns {Promise<void>} */
function received(socket, end) {
  let text = "";
  return new Promise((resolve) => {
    const onData = (/** @type {Buffer} */ bytes) => {
      text += bytes.toString("latin1");
      if (!text.endsWith(end)) return;
      socket.off("data", onData);
      resolve();
    };
    socket.on("data", onData);
  });
}

/** @param {Server} server @returns {Promise<number>} */
async function cpuOf({ child }) {
  child.send("cpu");
  return (await once(child, "message"))[0].cpu;
}

/** Sends requests one after the other. @param {number} port @param {() => string | undefined} next */
function send(port, next) {
  return new Promise((done, fail) => {
    const socket = connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
    let received = "";
    const write = () => {
      received = "";
      const text = next();
      if (text === undefined) socket.end();
      else socket.write(text, "latin1");
    };
    socket.on("connect", write).on("error", fail).on("close", done);
    socket.on("data", (text) => {
      received += text;
      // The end of the JSON, whose values contain no newline.
      if (received.endsWith("}\n")) write();
    });
  });
}

/** As this client sends it. @param {string} load @param {number} n */
function requestOf(load, n) {
  const key = load === "miss" ? `/missing/${n}` : `/bench/${n % KEYS}`;
  const head = `/v2/keys${key} HTTP/1.1\r\nhost: 127.0.0.1:2379\r\nconnection: keep-alive\r\n`;
  const isSet = load === "set" || (load === "mixed" && n % 2 === 0);
  if (!isSet) return `GET ${head}accept: application/json\r\n\r\n`;
  const type = "content-type: application/x-www-form-urlencoded";
  const form = `value=${VALUE}`;
  return `PUT ${head}${type}\r\ncontent-length: ${form.length}\r\n\r\n${form}`;
}
