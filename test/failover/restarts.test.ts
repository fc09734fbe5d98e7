import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, OutcomeUnknownError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

const KILLS = 6;
const LOOPS = 32;

describeWithEtcd(
  "3.4",
  "while the member in use is killed and started again, over and over",
  () => {
    let cluster: EtcdCluster;

    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.4", members: 3 });
    });

    afterAll(() => cluster?.stop());

    /**
     * Runs `round` many times, concurrently. Each returns the member that responded, and that member is killed.
     * Kills until `isEnough`. Returns the number of rounds.
     */
    async function whileKilling(
      round: (count: number) => Promise<string>,
      isEnough = () => true,
    ): Promise<number> {
      let [count, killing, inUse] = [0, true, ""];
      const loop = async (): Promise<void> => {
        while (killing) inUse = await round(count++);
      };
      const loops = Promise.all(Array.from({ length: LOOPS }, loop));
      const kill = async (): Promise<void> => {
        for (let kills = 0; kills < KILLS || !isEnough(); kills++) {
          await expect.poll(() => inUse).not.toBe("");
          const victim = cluster.members.find(({ url }) => url === inUse);
          await victim?.kill();
          inUse = "";
          await victim?.start();
        }
      };
      await Promise.all([loops, kill().finally(() => (killing = false))]);
      return count;
    }

    test("no local read fails", async () => {
      await using etcd = new EtcdClient({ urls: cluster.urls });
      await etcd.setNode("/file", "value");
      const reads = await whileKilling(async () => {
        const { node, etcdServer } = await etcd.getNode("/file");
        expect(node.value).toBe("value");
        return etcdServer;
      });
      expect(reads).toBeGreaterThan(100);
    });

    test("acknowledged writes exist once, unknown ones at most once, and nothing else exists", async () => {
      await using etcd = new EtcdClient({ urls: cluster.urls, writeTimeout: 1_000 });
      const [acknowledged, unknown] = [new Set<string>(), new Set<string>()];
      const create = async (count: number): Promise<string> => {
        const value = `value ${count}`;
        try {
          const { etcdServer } = await etcd.createInOrderNode("/queue", value);
          acknowledged.add(value);
          return etcdServer;
        } catch (error) {
          if (error instanceof OutcomeUnknownError) unknown.add(value);
          return "";
        }
      };
      // Between two writes, a kill interrupts none.
      await whileKilling(create, () => unknown.size > 0);
      const { node } = await etcd.getNode("/queue", { quorum: true });
      const found = (node.nodes ?? []).map(({ value }) => value ?? "");
      expect(found.length).toBe(new Set(found).size);
      expect(found).toEqual(expect.arrayContaining([...acknowledged]));
      expect(found.filter((value) => !acknowledged.has(value) && !unknown.has(value))).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(LOOPS);
    });
  },
);
