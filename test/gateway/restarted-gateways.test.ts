/** The way of docs/migrating-to-v3.md with gateways: their restart is the only change that applications see. */

import { setTimeout } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { freePort } from "../../scripts/etcd-process.mjs";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient, isEtcdError } from "../../src/index.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

const WRITERS = 4;

/** Creates keys of its own, one after the other, until it is stopped. */
class Writer {
  readonly acknowledged = new Set<string>();
  failures = 0;
  readonly #etcd: EtcdClient;
  readonly #name: number;

  constructor(etcd: EtcdClient, name: number) {
    this.#etcd = etcd;
    this.#name = name;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let number = 0; !signal.aborted; number++) {
      const key = `/app/${this.#name}/${number}`;
      try {
        await this.#etcd.createNode(key, "x");
        this.acknowledged.add(key);
      } catch (error) {
        const isExpected =
          isEtcdError(error, "OutcomeUnknown") || isEtcdError(error, "ClusterUnavailable");
        if (!isExpected) throw error;
        this.failures++;
        await setTimeout(20);
      }
    }
  }
}

describeWithEtcd("3.7", "gateways that are restarted from v2 to v3", () => {
  beforeAll(buildIfStale);

  it("lose no acknowledged write, and their clients continue", async () => {
    await using old = await startEtcd({ release: "3.4", members: 3 });
    await using target = await startEtcd({ release: "3.7" });
    const ports = [await freePort(), await freePort()];
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const start = async (...cluster: readonly string[]) => {
      const gateways = ports.map((port) => new Cli("gateway", "--port", `${port}`, ...cluster));
      await Promise.all(gateways.map((gateway) => gateway.url()));
      const end = async () => {
        for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
      };
      return { gateways, [Symbol.asyncDispose]: end };
    };
    await using before = await start("--source", old.urls.join(","));

    await using etcd = new EtcdClient({ urls });
    const locked = await etcd.lock("/lock", { ttl: 120 }).acquire();
    const writers = Array.from({ length: WRITERS }, (_, name) => new Writer(etcd, name));
    const stop = new AbortController();
    const writing = Promise.all(writers.map((writer) => writer.run(stop.signal)));
    const seen = new Set<string>();
    const watcher = etcd.watch("/app", { recursive: true });
    const watching = (async () => {
      for await (const item of watcher) {
        if (item.type === "change") seen.add(item.response.node.key);
        else for (const key of await keysBelow(etcd)) seen.add(key);
        if (seen.has("/app/last")) break;
      }
    })();

    await using migration = new Cli(
      ...["migrate", "--from", old.urls.join(","), "--to", target.urls.join(",")],
      ...["--to-api", "v3", "--follow"],
    );
    await expect.poll(() => migration.stderr).toContain("following");

    for (const gateway of before.gateways) gateway.kill("SIGTERM");
    for (const gateway of before.gateways) expect(await gateway.exit).toBe(0);
    migration.kill("SIGINT");
    expect(await migration.exit).toBe(0);
    expect(migration.stderr).toMatch(/^done: /m);
    await using _after = await start("--endpoints", target.urls.join(","));

    const counts = writers.map(({ acknowledged }) => acknowledged.size);
    const haveWritten = () =>
      writers.every(({ acknowledged }, at) => acknowledged.size > (counts[at] ?? 0));
    await expect.poll(haveWritten).toBe(true);
    stop.abort();
    await writing;
    for (const { failures } of writers) expect(failures).toBeGreaterThan(0);
    await etcd.setNode("/app/last", "x");
    await watching;
    const all = new Set(await keysBelow(etcd));
    for (const { acknowledged } of writers) {
      for (const key of acknowledged)
        expect([key, all.has(key), seen.has(key)]).toEqual([key, true, true]);
    }
    locked.assertHeld();
    await locked.release();
  });
});

async function keysBelow(etcd: EtcdClient): Promise<readonly string[]> {
  const { node } = await etcd.getNode("/app", { recursive: true, quorum: true });
  return (node.nodes ?? []).flatMap(({ key, nodes = [] }) => [
    key,
    ...nodes.map((child) => child.key),
  ]);
}
