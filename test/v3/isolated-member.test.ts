import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import type { EtcdProcess } from "../../scripts/etcd-process.mjs";
import { EtcdClient, OutcomeUnknownError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { PeerLinks } from "../support/peer-links.js";

/** Less than etcd takes to report that it has no leader, so that the client leaves a silent member. */
const OPTIONS = { api: "v3", writeTimeout: 1_000 } as const;
const WRITES = 20;
/** Milliseconds: two elections, the three election timeouts for which a watch waits for a leader, and a reserve. */
const FOUND_OUT_WITHIN = 6_000;
const HEALED_WITHIN = { timeout: 60_000 };

for (const release of ["3.4", "3.7"] as const) {
  describeWithEtcd(
    release,
    `a member whose links are cut, on the v3 API of etcd ${release}`,
    () => {
      const links = new PeerLinks();
      let cluster: EtcdCluster;
      let all: EtcdClient;
      beforeAll(async () => {
        cluster = await startEtcd({ release, v2: false, members: 3, peerLinks: links });
        all = new EtcdClient({ ...OPTIONS, urls: cluster.urls });
      });
      afterEach(() => links.heal());
      afterAll(async () => {
        await all?.close();
        await cluster?.stop();
        links.close();
      });

      /** A client of the whole cluster whose current endpoint is this member. */
      async function clientAt({ url }: EtcdProcess): Promise<EtcdClient> {
        for (;;) {
          const client = new EtcdClient({ ...OPTIONS, urls: cluster.urls });
          if ((await client.getNode("/")).etcdServer === url) return client;
          await client.close();
        }
      }

      /** The leader, or a follower. */
      async function choose(role: string): Promise<EtcdProcess> {
        const [leader] = (await all.members.leader()).clientURLs;
        const isIt = ({ url }: EtcdProcess): boolean => (url === leader) === (role === "leader");
        return cluster.members.find(isIt) as EtcdProcess;
      }

      it.each(["follower", "leader"])(
        "a %s: watches and quorum reads continue elsewhere, and the outcomes of writes are correct",
        async (role) => {
          const key = `/${role}`;
          await all.setNode(key, "before");
          const isolated = await choose(role);
          const others = cluster.urls.filter((url) => url !== isolated.url);
          await using healthy = new EtcdClient({ ...OPTIONS, urls: others });
          await using watching = await clientAt(isolated);
          await using reading = await clientAt(isolated);
          await using writing = await clientAt(isolated);
          await using single = new EtcdClient({ ...OPTIONS, urls: [isolated.url] });
          expect(await single.getNodeValue(key, { quorum: true })).toBe("before");
          const watcher = watching.watch(key, { initial: true });
          await watcher.next();

          links.isolate(isolated.peerUrl);
          const cutAt = performance.now();
          const outcomes = Promise.all([
            createMany(single, `${key}-single`),
            createMany(writing, `${key}-writing`),
          ]);
          await vi.waitFor(() => healthy.getNode("/", { quorum: true }), HEALED_WITHIN);
          await healthy.setNode(key, "meanwhile");
          expect(await single.getNodeValue(key)).toBe("before");
          const read = await reading.getNode(key, { quorum: true });
          expect(read).toMatchObject({ node: { value: "meanwhile" } });
          expect(others).toContain(read.etcdServer);
          expect(await watcher.next()).toMatchObject(changeTo("meanwhile"));
          expect(performance.now() - cutAt).toBeLessThan(FOUND_OUT_WITHIN);
          const [alone, first] = await outcomes;
          expect(alone.filter(({ error }) => error === undefined)).toEqual([]);
          const elsewhere = await createMany(reading, `${key}-elsewhere`);
          expect(elsewhere.filter(({ error }) => error !== undefined)).toEqual([]);

          links.heal();
          await vi.waitFor(() => single.getNode("/", { quorum: true }), HEALED_WITHIN);
          for (const { key, error } of [...alone, ...first, ...elsewhere]) {
            if (error instanceof OutcomeUnknownError) continue;
            const found = await single.getNode(key, { quorum: true, ignoreKeyNotFound: true });
            expect(found === null, `${key}: ${error}`).toBe(error !== undefined);
          }
          await single.setNode(key, "after");
          expect(await watcher.next()).toMatchObject(changeTo("after"));
        },
      );
    },
  );
}

interface Outcome {
  readonly key: string;
  readonly error: unknown;
}

function createMany(client: EtcdClient, key: string): Promise<readonly Outcome[]> {
  const names = Array.from({ length: WRITES }, (_, number) => `${key}/${number}`);
  return Promise.all(
    names.map((name) =>
      client.createNode(name, "1").then(
        () => ({ key: name, error: undefined }),
        (error: unknown) => ({ key: name, error }),
      ),
    ),
  );
}

const changeTo = (value: string) => ({
  value: { type: "change", response: { node: { value } } },
});
