import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIfStale, root } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

const run = promisify(execFile);

/** Far below every timeout, idle timeout and backoff of a client. */
const AT_ONCE_MS = 3_000;

describeWithEtcd("3.4", "a process that uses a client", () => {
  let cluster: EtcdCluster;
  let hung: FaultProxy;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    await using etcd = new EtcdClient({ urls: cluster.urls });
    await etcd.setNode("/file", "value");
    hung = await FaultProxy.before(cluster.urls[0] ?? "");
    await hung.become("hang");
    buildIfStale();
  });

  afterAll(async () => {
    await hung?.close();
    await cluster?.stop();
  });

  /** Runs a program. Returns its output and the time until its exit. */
  async function live(program: string): Promise<{ printed: string; outlived: number }> {
    const index = JSON.stringify(pathToFileURL(join(root, "dist/index.js")));
    const code = `
      import { subscribe } from "node:diagnostics_channel";
      import { setTimeout as delay } from "node:timers/promises";
      import { EtcdClient } from ${index};
      const urls = ${JSON.stringify(cluster.urls)};
      const hung = ${JSON.stringify(hung.url)};
      const sockets = [];
      subscribe("net.client.socket", ({ socket }) => sockets.push(socket));
      const written = async (count) => {
        while (sockets.filter(({ bytesWritten }) => bytesWritten > 0).length < count) await delay(10);
      };
      ${program}
      console.log(Date.now());`;
    const flags = ["--input-type=module", "--unhandled-rejections=strict", "--eval", code];
    const { stdout } = await run(process.execPath, flags, { timeout: 150_000 });
    const ended = Date.now();
    const lines = stdout.trim().split("\n");
    return { outlived: ended - Number(lines.pop()), printed: lines.join("\n") };
  }

  test.each([
    ["has only created a client", "new EtcdClient({ urls });"],
    [
      "has made its calls",
      `const etcd = new EtcdClient({ urls });
       await Promise.all([1, 2, 3].map((n) => etcd.setNode("/exit/" + n, "x")));
       await etcd.getNode("/exit", { recursive: true, quorum: true });
       await etcd.watchNode("/file", { waitIndex: 1 });`,
    ],
    [
      "has made its calls with all options enabled",
      `const etcd = new EtcdClient({
         urls: [...urls, hung], autoSync: 10, endpointSelection: "leader", hedgeReadsAfter: 20,
         requestTimeout: 1_000,
       });
       for (let n = 0; n < 5; n++) await etcd.getNode("/file");`,
    ],
    [
      "has aborted a watch",
      `const etcd = new EtcdClient({ urls });
       const caller = new AbortController();
       const watch = etcd.watchNode("/file", { signal: caller.signal }).catch(() => {});
       await etcd.getNode("/file");
       caller.abort();
       await watch;`,
    ],
    [
      "has closed the client during calls",
      `const etcd = new EtcdClient({ urls: [hung] });
       const calls = [etcd.getNode("/file"), etcd.setNode("/file", "x"), etcd.watchNode("/file")];
       const outcomes = Promise.allSettled(calls);
       await written(3);
       await etcd.close();
       console.log((await outcomes).map(({ reason }) => reason.name + " " + reason.outcome).join());`,
      "AbortError none,AbortError unknown,AbortError none",
    ],
    [
      "has closed the client while it connected",
      `const shakingHands = [hung.replace("http:", "https:")];
       const etcd = new EtcdClient({ urls: shakingHands, connectTimeout: 60_000 });
       const write = etcd.setNode("/file", "x").catch(({ outcome }) => outcome);
       while (!process.getActiveResourcesInfo().some((name) => /TCP/.test(name))) await delay(10);
       await etcd.close();
       console.log(await write);`,
      "not-sent",
    ],
  ])("exits by itself after it %s", async (_name, program, expected = "") => {
    const { printed, outlived } = await live(program);
    expect(printed).toBe(expected);
    expect(outlived).toBeLessThan(AT_ONCE_MS);
  });

  test("has no socket and no timer of a client after close", async () => {
    const { printed } = await live(`
      const etcd = new EtcdClient({ urls, autoSync: 10, hedgeReadsAfter: 10 });
      const watch = etcd.watchNode("/file").catch(() => {});
      await Promise.all([1, 2, 3].map(() => etcd.getNode("/file")));
      await etcd.close();
      await watch;
      const left = () => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name));
      for (let wait = 0; wait < 500 && left().length > 0; wait++) await delay(10);
      console.log(left().join());`);
    expect(printed).toBe("");
  });
});
