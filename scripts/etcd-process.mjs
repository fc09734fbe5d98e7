// @ts-check
/**
 * One etcd process for tests, benchmarks and examples: on 127.0.0.1, with data of its own. Both are
 * gone when this process is gone, however it ends.
 *
 *     const etcd = await startEtcdProcess({ binary: "/usr/bin/etcd", v2: true });
 *     await fetch(`${etcd.url}/v2/keys/`);
 *     await etcd.remove();
 */

import { spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, statfsSync, writeFileSync } from "node:fs";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasRunningThread } from "./process-threads.mjs";

const READY_WITHIN_MS = 30_000;
const POLL_EVERY_MS = 10;
const REQUEST_TIMEOUT_MS = 1_000;
const STOPPED_WITHIN_MS = 5_000;
const LOG_TAIL_CHARACTERS = 8_192;

/**
 * Reads the pid of the running etcd, a line each time it changes (empty: none runs), until the
 * pipe closes. That is the end of the process that holds its other end, even by SIGKILL: then the
 * etcd ends and its files go.
 */
const GUARD = `
  pid=
  while read -r line; do pid=$line; done
  [ -z "$pid" ] || kill -KILL "$pid"
  rm -rf "$0" || { sleep 1; rm -rf "$0"; }
`;

/** @typedef {{ cert: string, key: string }} PemPair */
/** @typedef {{ name: string, clientPort: number, peerPort: number, httpPort: number }} Place */

/**
 * @typedef {object} EtcdProcessOptions
 * @property {string} binary path of the etcd server
 * @property {boolean} [v2] serve the v2 API, which etcd 3.4 and 3.5 can. Default: false
 * @property {{ ca: string, server: PemPair, client?: PemPair }} [tls] PEM texts. With `client`,
 *   etcd demands a client certificate, and we show it this one. Default: plain HTTP
 * @property {string[]} [args] more flags; they win over ours
 * @property {(peerUrls: string[]) => Promise<readonly string[]>} [advertisePeers] tells by which
 *   URLs the members reach each other: proxies before these, for example. Default: by these
 * @property {boolean} [grpcOnly] serve gRPC alone at the client URL, and HTTP at a port that nobody is
 *   told. Default: both at the client URL
 * @property {boolean} [onDisk] data in the temporary directory even where there is memory for it,
 *   so that fsync costs what it costs. Default: false
 */

/** @param {EtcdProcessOptions} options @returns {Promise<EtcdProcess>} when it is healthy */
export async function startEtcdProcess(options) {
  const [etcd] = await startEtcdCluster(1, options);
  return etcd;
}

/**
 * Starts a cluster with no data on free ports, and on others when one is taken meanwhile.
 *
 * @param {1 | 3 | 5} size
 * @param {EtcdProcessOptions} options
 * @returns {Promise<[EtcdProcess, ...EtcdProcess[]]>} when all are healthy, and each knows the URLs of all
 */
export async function startEtcdCluster(size, options, attempts = 5) {
  const names = Array.from({ length: size }, (_, index) => `m${index + 1}`);
  const places = await Promise.all(names.map(freePlace));
  const peerUrls = places.map(peerUrlOf);
  const advertised = (await options.advertisePeers?.(peerUrls)) ?? peerUrls;
  const members = formCluster(places, advertised, options);
  try {
    await Promise.all(members.map((member) => member.start()));
    if (size > 1) await Promise.all(members.map((member) => member.untilPublished(size)));
    return members;
  } catch (error) {
    await Promise.all(members.map((member) => member.remove()));
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!taken || attempts <= 1) throw error;
    return startEtcdCluster(size, options, attempts - 1);
  }
}

/** @param {Place[]} places @param {readonly string[]} advertised @param {EtcdProcessOptions} options */
function formCluster(places, advertised, options) {
  const peers = places.map(({ name }, index) => `${name}=${advertised[index]}`);
  const flags = [`--initial-cluster=${peers.join()}`, `--initial-cluster-token=${randomUUID()}`];
  const members = places.map((place, index) => {
    const own = `--initial-advertise-peer-urls=${advertised[index]}`;
    const args = [...flags, own, ...(options.args ?? [])];
    return new EtcdProcess(place, { ...options, args });
  });
  return /** @type {[EtcdProcess, ...EtcdProcess[]]} */ (members);
}

/** @param {Place} place */
function peerUrlOf({ peerPort }) {
  return `http://127.0.0.1:${peerPort}`;
}

/** An etcd with its ports and data, which can be ended and started again any number of times. */
export class EtcdProcess {
  /** @readonly */ name;
  /** @readonly */ url;
  /** @readonly */ peerUrl;
  /** @readonly */ dataDir;
  #directory;
  #options;
  /** @type {string | undefined} where HTTP is served, if not at `url` */
  #httpUrl;
  #flags;
  #guard;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  /** @type {Promise<unknown>} */
  #ended = Promise.resolve();
  /** The end of what etcd has logged since it was last started. */
  log = "";

  /** @param {Place} place @param {EtcdProcessOptions} options */
  constructor(place, options) {
    const { name, clientPort } = place;
    this.#options = options;
    this.name = name;
    this.url = `${options.tls ? "https" : "http"}://127.0.0.1:${clientPort}`;
    this.peerUrl = peerUrlOf(place);
    if (options.grpcOnly) this.#httpUrl = this.url.replace(`:${clientPort}`, `:${place.httpPort}`);
    this.#directory = mkdtempSync(join(options.onDisk ? tmpdir() : fastDirectory(), "etcdnet-"));
    this.dataDir = join(this.#directory, "data");
    this.#guard = startGuard(this.#directory);
    this.#flags = this.#writeFlags();
  }

  /** Of the running etcd; undefined when it has ended. */
  get pid() {
    return this.#child?.pid;
  }

  /**
   * Starts etcd, again on the same ports and data when it has ended, and waits until it is healthy:
   * a member of a cluster is so when a majority runs.
   *
   * @param {{ binary?: string, args?: readonly string[] }} [upgrade] another release of etcd from this start
   *   on, and more flags for this start
   */
  async start({ binary = this.#options.binary, args = [] } = {}) {
    if (this.#child) throw new Error(`etcd ${this.name} is running already`);
    this.log = "";
    // In a process group of its own: Ctrl-C is for the program that uses etcd, not for etcd.
    this.#options = { ...this.#options, binary };
    const child = spawn(binary, [...this.#flags, ...args], {
      detached: true,
      env: environment(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#guard.watch(child.pid);
    await once(child, "spawn");
    this.#child = child;
    child.stderr.on("data", (text) => {
      this.log = (this.log + text).slice(-LOG_TAIL_CHARACTERS);
    });
    this.#ended = once(child, "close").then(() => {
      this.#child = undefined;
      this.#guard.watch(undefined);
    });
    await this.#untilHealthy();
  }

  /** SIGKILL, as if the machine died; the data stays for `start`. */
  async kill() {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** SIGTERM, and SIGKILL when that takes too long; the data stays for `start`. */
  async stop() {
    this.resume();
    this.#child?.kill("SIGTERM");
    const impatient = setTimeout(() => this.#child?.kill("SIGKILL"), STOPPED_WITHIN_MS);
    await this.#ended;
    clearTimeout(impatient);
  }

  /** SIGSTOP: connections stay open and nothing answers, from the moment that this returns. */
  pause() {
    this.#child?.kill("SIGSTOP");
    while (this.pid !== undefined && hasRunningThread(this.pid));
  }

  /** SIGCONT, after `pause`. */
  resume() {
    this.#child?.kill("SIGCONT");
  }

  /** Ends etcd for good and removes its data now, not only when this process ends. */
  async remove() {
    await this.kill();
    await this.#guard.dismiss();
  }

  #untilHealthy() {
    return this.#until("is not healthy in time", async () => {
      const { status } = await this.#request("GET", "/health");
      return status === 200 ? undefined : `/health says ${status}`;
    });
  }

  /** Waits until this member knows the client URLs of all. A member publishes its own when it is healthy already. @param {number} size */
  untilPublished(size) {
    return this.#until("does not know the URLs of all members in time", async () => {
      const { text } = await this.#request("POST", "/v3/cluster/member/list", "{}");
      /** @type {{ members?: { clientURLs?: string[] }[] }} */
      const { members = [] } = JSON.parse(text);
      const published = members.filter(({ clientURLs = [] }) => clientURLs.length > 0);
      return published.length === size ? undefined : `${published.length} of ${size}`;
    });
  }

  /** @param {string} failure @param {() => Promise<string | undefined>} findProblem */
  async #until(failure, findProblem) {
    const problemNow = () => findProblem().catch((/** @type {Error} */ error) => error.message);
    const deadline = Date.now() + READY_WITHIN_MS;
    let problem = await problemNow();
    while (problem !== undefined && this.#child && Date.now() < deadline) {
      await delay(POLL_EVERY_MS);
      problem = await problemNow();
    }
    if (problem === undefined) return;
    const what = this.#child ? `${failure} (${problem})` : "ended at its start";
    const message = `etcd ${this.name} at ${this.url} ${what}; its log ends:\n${this.log}`;
    const code = this.log.includes("address already in use") ? "EADDRINUSE" : "ERR_ETCD_START";
    throw Object.assign(new Error(message), { code });
  }

  /** @param {string} method @param {string} path @param {string} [body] @returns {Promise<{ status: number | undefined, text: string }>} */
  #request(method, path, body) {
    const { ca, client } = this.#options.tls ?? {};
    const send = ca === undefined ? requestHttp : requestHttps;
    return new Promise((resolve, reject) => {
      const options = { ...client, ca, method, agent: false, timeout: REQUEST_TIMEOUT_MS };
      const request = send(`${this.#httpUrl ?? this.url}${path}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode, text }));
        response.on("error", reject);
      });
      request.on("timeout", () => request.destroy(new Error(`${path} does not answer`)));
      request.on("error", reject);
      request.end(body);
    });
  }

  #writeFlags() {
    const { v2, tls, args = [] } = this.#options;
    return [
      `--name=${this.name}`,
      `--data-dir=${this.dataDir}`,
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${this.peerUrl}`,
      ...(v2 ? ["--enable-v2=true"] : []),
      ...(this.#httpUrl ? [`--listen-client-http-urls=${this.#httpUrl}`] : []),
      ...(tls ? this.#writeTlsFlags(tls) : []),
      ...args,
    ];
  }

  /** @param {NonNullable<EtcdProcessOptions["tls"]>} tls */
  #writeTlsFlags({ ca, server, client }) {
    const cert = `--cert-file=${this.#writeFile("server.crt", server.cert)}`;
    const key = `--key-file=${this.#writeFile("server.key", server.key)}`;
    if (!client) return [cert, key];
    return [cert, key, "--client-cert-auth", `--trusted-ca-file=${this.#writeFile("ca.crt", ca)}`];
  }

  /** @param {string} name @param {string} text */
  #writeFile(name, text) {
    const path = join(this.#directory, name);
    writeFileSync(path, text);
    return path;
  }
}

/** @type {Set<number>} never given twice: the member that has one may be down just now */
const given = new Set();

/** Ports of each of the processes that run tests side by side, for the same reason. */
const PORTS_EACH = 2_800;
const firstPort = 10_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 8) * PORTS_EACH;

/** @param {string} name @returns {Promise<Place>} */
async function freePlace(name) {
  const [clientPort, peerPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  return { name, clientPort, peerPort, httpPort };
}

/**
 * Below the range from which systems number outgoing connections: else the port of a member that
 * is down could become the local port of a client, which could even connect to itself.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  const port = firstPort + randomInt(PORTS_EACH);
  if (given.has(port)) return freePort();
  given.add(port);
  const probe = createServer().listen(port, "127.0.0.1");
  const free = await once(probe, "listening").then(Boolean, () => false);
  if (!free) return freePort();
  await once(probe.close(), "close");
  return port;
}

/** @param {string} directory removed when the guard ends */
function startGuard(directory) {
  const guard = spawn("sh", ["-c", GUARD, directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const gone = once(guard, "exit");
  guard.unref();
  return {
    /** @param {number | undefined} pid */
    watch: (pid) => guard.stdin.write(`${pid ?? ""}\n`),
    async dismiss() {
      guard.ref();
      guard.stdin.end();
      await gone;
    },
  };
}

/** A flag that is also set by a variable ends etcd 3.4; and on arm64 it only starts when told to. */
function environment() {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("ETCD_"));
  return { ...Object.fromEntries(inherited), ETCD_UNSUPPORTED_ARCH: process.arch };
}

/** In memory, given room: etcd lays out 128 MiB of log at once; a container may have 64 there. */
function fastDirectory() {
  const memory = "/dev/shm";
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= 2 * 1024 ** 3 ? memory : tmpdir();
}
