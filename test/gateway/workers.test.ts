/** A gateway of several processes that share a port. */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { ask, get, RawClient } from "../embedded/raw-client.js";
import { certificateAuthority } from "../support/certificates.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

const DIRECTORY = mkdtempSync(join(tmpdir(), "etcdnet-workers-"));

beforeAll(buildIfStale);
afterAll(() => rmSync(DIRECTORY, { recursive: true }));

/** Only to end a test in which something waits without end. */
const HANG_MS = 120_000;

/** A sample of each worker, by its number. */
async function samples(url: string, name: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^${name}\\{worker="(\\d+)"\\} (\\S+)$`, "gm"));
  return Object.fromEntries([...lines].map(([, worker = "", value]) => [worker, Number(value)]));
}

/** Process IDs in the order in which the workers have begun to listen. */
const pidsIn = ({ stderr }: Cli): readonly number[] =>
  [...stderr.matchAll(/ gateway listens .* pid=(\d+)/g)].map(([, pid]) => Number(pid));

function childrenOf({ process: { pid } }: Cli): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

function limitDescriptors(pid: number, limit: number): void {
  execFileSync("prlimit", ["--pid", String(pid), `--nofile=${limit}:`]);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A long poll on a connection of its own. */
function poll(url: string): RawClient {
  const client = new RawClient(url);
  client.send("GET /v2/keys/polled?wait=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return client;
}

async function put(url: string, value: string): Promise<number> {
  const body = new URLSearchParams({ value });
  return (await fetch(`${url}/v2/keys/polled`, { method: "PUT", body })).status;
}

describeWithEtcd("3.7", "a gateway with workers", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    return () => etcd[Symbol.asyncDispose]();
  });

  const gateway = (...args: readonly (string | NodeJS.ProcessEnv)[]) =>
    new Cli("gateway", "--port", "0", "--endpoints", etcd.urls[0] ?? "", "--workers", "2", ...args);

  it("serves while a worker is dead, and starts it again; signals reach all workers", async () => {
    const ca = join(DIRECTORY, "ca.pem");
    writeFileSync(ca, certificateAuthority().cert);
    await using cli = gateway("--cacert", ca);
    const url = await cli.url();
    const [pid = 0, other = 0] = pidsIn(cli);
    const polls = [poll(url), poll(url)];
    // Connections go to the workers in turn.
    await expect.poll(() => samples(url, "etcdnet_watchers")).toEqual({ 1: 1, 2: 1 });
    process.kill(pid, "SIGKILL");
    await Promise.race(polls.map((each) => each.ended()));
    expect([200, 201]).toContain(await put(url, "1"));
    await expect
      .poll(() => polls.filter(({ received }) => received.includes('"value":"1"')))
      .toHaveLength(1);
    await expect
      .poll(() => samples(url, "etcdnet_worker_restarts_total"), { timeout: 30_000 })
      .toEqual({ 1: 1, 2: 0 });
    await expect
      .poll(() => samples(url, "etcdnet_worker_up"), { timeout: 30_000 })
      .toEqual({ 1: 1, 2: 1 });
    expect(cli.stderr).toMatch(/ ERROR a worker has ended .* worker=1 pid=\d+ signal=SIGKILL/);

    cli.kill("SIGHUP");
    const reloaded = () => cli.stderr.match(/INFO {2}the certificate for the cluster: not ch/g);
    await expect.poll(() => reloaded()?.length).toBe(2);

    const [first, second] = [poll(url), poll(url)];
    await expect.poll(() => samples(url, "etcdnet_watchers")).toEqual({ 1: 1, 2: 1 });
    // As a terminal and systemd do: all processes get the signal.
    for (const each of [...pidsIn(cli), other]) if (isRunning(each)) process.kill(each, "SIGTERM");
    cli.kill("SIGTERM");
    for (const each of [first, second]) expect(await each.ended()).toMatch(/\r\n\r\n0\r\n\r\n$/);
    expect(await cli.exit).toBe(0);
    expect(cli.stderr.match(/ stopped$/gm)).toHaveLength(3);
    expect(pidsIn(cli).filter(isRunning)).toEqual([]);
    expect(cli.stdout).toBe(`listening on ${url}\n`);
  });

  it("serves requests while it drains", async () => {
    await using cli = gateway("--shutdown-delay", "60s");
    const url = await cli.url();
    cli.kill("SIGTERM");
    await expect.poll(() => samples(url, "etcdnet_ready")).toEqual({ 1: 0, 2: 0 });
    expect([200, 201]).toContain(await put(url, "2"));
    const pids = pidsIn(cli);
    // A second signal ends everything at once.
    cli.kill("SIGTERM");
    expect(await cli.exit).toBe("SIGTERM");
    await expect.poll(() => pids.filter(isRunning)).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")(
    "lets no client wait for a connection that a worker has lost",
    async () => {
      const [waiting, preload] = [join(DIRECTORY, "waiting"), join(DIRECTORY, "preload.mjs")];
      writeFileSync(
        preload,
        `import { existsSync } from "node:fs";
        const view = new Int32Array(new SharedArrayBuffer(4));
        while (existsSync(${JSON.stringify(waiting)})) Atomics.wait(view, 0, 0, 20);`,
      );
      await using cli = gateway("--shutdown-delay", "600s", {
        NODE_OPTIONS: `--import=${preload}`,
      });
      const url = await cli.url();
      const [pid = 0, other = 0] = pidsIn(cli);
      const request = get("/version", "Connection: close\r\n");
      const served = (responses: readonly string[]) =>
        responses.filter((response) => response.startsWith("HTTP/1.1 200 "));

      // A worker takes few or none, because no file descriptor below the number of the open ones is free.
      for (const each of [pid, other])
        limitDescriptors(each, readdirSync(`/proc/${each}/fd`).length);
      const refused = Array.from({ length: 40 }, () => new RawClient(url).send(get("/version")));
      await expect
        .poll(() => refused.every(({ received, socket }) => received !== "" || socket.closed))
        .toBe(true);
      expect(refused.some(({ received }) => received === "")).toBe(true);
      for (const each of refused) each.socket.destroy();
      for (const each of [pid, other]) limitDescriptors(each, 1_000);
      const again = await Promise.all(Array.from({ length: 4 }, () => ask(url, request)));
      expect(served(again)).toHaveLength(4);

      process.kill(pid, "SIGSTOP");
      const responses: string[] = [];
      const asking = Array.from({ length: 3 }, async () => responses.push(await ask(url, request)));
      await expect.poll(() => served(responses)).toHaveLength(2);
      writeFileSync(waiting, "");
      for (const each of [pid, other]) process.kill(each, "SIGKILL");
      await Promise.all(asking);
      expect(served(responses)).toHaveLength(2);

      // Workers that still start do not read messages.
      const started = () => childrenOf(cli).filter((each) => each !== pid && each !== other);
      await expect.poll(() => started().length, { timeout: 30_000 }).toBe(2);
      const pids = started();
      cli.kill("SIGTERM");
      await expect.poll(() => pids.filter(isRunning), { timeout: 30_000 }).toEqual([]);
      expect(await cli.exit).toBe(0);
    },
    HANG_MS,
  );

  it("reports once that it cannot start", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await using cli = gateway("--port", String(port));
    expect(await cli.exit).toBe(1);
    expect(cli.stderr.match(/EADDRINUSE/g)).toHaveLength(1);
    taken.close();
  });
});

it("refuses a number of workers that is none, and a file that only one process can read", async () => {
  await using none = new Cli("gateway", "--port", "0", "--workers", "0");
  const pipe = join(DIRECTORY, "pipe");
  execFileSync("mkfifo", [pipe]);
  const user = ["--username", "a", "--password-file", pipe];
  await using piped = new Cli("gateway", "--port", "0", { ETCDNET_WORKERS: "2" }, ...user);
  await writeFile(pipe, "secret\n");
  expect(await none.exit).toBe(1);
  expect(none.stderr).toMatch(/--workers .* invalid\. It must be a number from 1 to 256/);
  expect(await piped.exit).toBe(1);
  expect(piped.stderr).toContain(
    `ETCDNET_WORKERS: each worker reads ${pipe}, which is a pipe; use a file\n`,
  );
});
