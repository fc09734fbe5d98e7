import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { type HostileTraffic, hostileTraffic } from "./hostile-traffic.js";
import { ask, get, put, RawClient } from "./raw-client.js";
import { ServedProcess } from "./served-process.js";

const MIB = 1024 * 1024;

/** MiB of V8's heap, of which a quarter may be buffers. */
const HEAP = 256;

/**
 * MiB of memory for a process with that heap. It uses 70 without requests. V8's limit excludes its young generation
 * and buffers that wait for the garbage collector. The traffic sends up to 2 GiB.
 */
const MAX_RSS = 640;

const ALL = hostileTraffic("/files");

/** Rounds of all the traffic. A few hundred make a long run, in which the gateway receives all of it, too. */
const ROUNDS = Number(process.env.HOSTILE_ROUNDS ?? 1);

/** Number of files of 512 KiB in a directory. */
const FILES = 16;

beforeAll(buildIfStale);

function survives(traffic: readonly HostileTraffic[], start: () => Promise<ServedProcess>): void {
  let server: ServedProcess;

  beforeAll(async () => {
    server = await start();
    for (let file = 0; file < FILES; file++) {
      const response = await ask(server.url, put(`/files/${file}`, `value=${"v".repeat(MIB / 2)}`));
      expect(response).toMatch(/^HTTP\/1.1 201 /);
    }
  });

  afterAll(() => server[Symbol.asyncDispose]());

  for (let round = 0; round < ROUNDS; round++) {
    it.each(traffic)("$what", async ({ connections, send }) => {
      const clients = Array.from({ length: connections }, () => new RawClient(server.url));
      const sending = Promise.all(clients.map(send));
      await expectResponse(server.url);
      await sending;
      await expectResponse(server.url);
      for (const { socket } of clients) socket.destroy();
      expect(await server.maxRss()).toBeLessThan(MAX_RSS);
    });
  }
}

/** Expects that a well-behaved client gets its responses despite the others. */
async function expectResponse(url: string): Promise<void> {
  expect(await ask(url, put("/well-behaved", "value=1"))).toMatch(/^HTTP\/1.1 20[01] /);
  const read = get("/v2/keys/well-behaved", "Connection: close\r\n");
  expect(await ask(url, read)).toContain('"value":"1"');
}

describe("an embedded server with a heap of 256 MiB survives", () => {
  survives(ALL, () => ServedProcess.start("embedded", {}, HEAP));
});

describeWithEtcd("3.6", "a gateway with a heap of 256 MiB survives", () => {
  let etcd: EtcdCluster;

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.6" });
  });

  afterAll(() => etcd.stop());

  const traffic = process.env.HOSTILE_ROUNDS === undefined ? ALL.slice(-3) : ALL;
  survives(traffic, () => ServedProcess.start("gateway", { etcd: { urls: etcd.urls } }, HEAP));
});
