import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import {
  ClusterUnavailableError,
  EtcdClient,
  type EtcdResponse,
  OutcomeUnknownError,
} from "../../src/index.js";
import { createGateway } from "../../src/server/index.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { LoadBalancer } from "./load-balancer.js";

const WRITERS = 8;
const WRITES = 250;

/** Writes its own keys, one after the other. @returns the acknowledged ones, by index */
async function write(
  etcd: EtcdClient,
  name: number,
  onWrite: () => void,
): Promise<ReadonlyMap<string, number>> {
  const acknowledged = new Map<string, number>();
  for (let number = 0; number < WRITES; number++) {
    const key = `/load/${name}/${number}`;
    try {
      acknowledged.set(key, (await etcd.createNode(key, "x")).node.modifiedIndex);
    } catch (error) {
      // The death of a member also causes these errors.
      const isExpected =
        error instanceof OutcomeUnknownError || error instanceof ClusterUnavailableError;
      if (!isExpected) throw error;
    }
    onWrite();
  }
  return acknowledged;
}

describeWithEtcd("3.7", "two gateways before etcd 3.7", () => {
  beforeAll(buildIfStale);

  it("when one is killed under load, no write happens twice and no event is lost", async () => {
    await using cluster = await startEtcd({ release: "3.7" });
    const start = (): Cli =>
      new Cli("gateway", "--port", "0", "--endpoints", cluster.urls.join(","));
    await using victim = start();
    await using survivor = start();
    await using balancer = await LoadBalancer.before([await victim.url(), await survivor.url()]);
    await using watching = new EtcdClient({ urls: [balancer.url] });
    await using writing = new EtcdClient({ urls: [balancer.url] });

    const events: EtcdResponse[] = [];
    const watcher = watching.watch("/load", { recursive: true, from: 1 });
    const last = "/load/last";
    const reading = (async () => {
      for await (const item of watcher) {
        if (item.type === "resync") throw new Error(`resync: ${item.reason}`);
        events.push(item.response);
        if (item.response.node.key === last) break;
      }
    })();

    let written = 0;
    const onWrite = (): void => {
      written++;
      if (written === (WRITERS * WRITES) / 4) victim.kill("SIGKILL");
    };
    const writers = Array.from({ length: WRITERS }, (_, name) => write(writing, name, onWrite));
    const acknowledged = new Map((await Promise.all(writers)).flatMap((map) => [...map]));
    expect(await victim.exit).toBe("SIGKILL");
    await writing.setNode(last, "x");
    await reading;

    const seen = new Map(events.map(({ node }) => [node.key, node.modifiedIndex]));
    for (const [key, index] of acknowledged) expect(seen.get(key)).toBe(index);
    // Each key once, in the order of the indexes. Only keys that were not acknowledged may be missing.
    expect(events).toHaveLength(seen.size);
    const indexes = events.map(({ node }) => node.modifiedIndex);
    expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
    expect(acknowledged.size).toBeGreaterThan(WRITERS * WRITES - 2 * WRITERS);
  });

  it("changes of users and roles are effective at both at once", async () => {
    await using cluster = await startEtcd({ release: "3.7" });
    await using one = await createGateway({
      etcd: { urls: cluster.urls },
      rootPassword: "the root's",
    });
    await using other = await createGateway({ etcd: { urls: cluster.urls } });
    const user = { username: "root", password: "the root's" };
    await using root = new EtcdClient({ urls: [one.url], ...user });
    await using guest = new EtcdClient({ urls: [other.url] });
    const alice = new EtcdClient({ urls: [other.url], username: "alice", password: "hers" });
    await root.auth.roles.create("dev", { write: ["/dev/*"] });
    await root.auth.users.create("alice", { password: "hers", roles: ["dev"] });
    await expect(guest.setNode("/dev/a", "1")).rejects.toMatchObject({ errorCode: 110 });
    await alice.setNode("/dev/a", "1");
    await root.auth.users.update("alice", { revoke: ["dev"] });
    await expect
      .poll(() => alice.setNode("/dev/a", "2").catch(({ errorCode }) => errorCode))
      .toBe(110);
    // No request for keys shows them to any user.
    const all = await root.getNode("/", { recursive: true });
    expect(JSON.stringify(all.node)).not.toMatch(/alice|etcdnet/);
    await alice.close();
  });
});
