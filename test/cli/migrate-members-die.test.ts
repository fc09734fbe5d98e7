/** A migration between clusters of three members each. Some members are killed during it. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type Difference,
  diffTrees,
  EtcdClient,
  type MigrationProgress,
  migrate,
} from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

const KEYS = 1_000;
/** Keys per second, slow enough for faults during the copy. */
const RATE = 1_000;

/** Milliseconds, less than etcd waits without a leader. */
const HASTE = { requestTimeout: 1_000, writeTimeout: 1_000 };

/** The endpoint that each of some clusters has answered from last. */
class LastAsked implements Disposable {
  readonly #last = new Set<string>();

  readonly #heed = (message: unknown): void => {
    const { endpoint } = message as { readonly endpoint?: string };
    if (endpoint === undefined) return;
    this.#last.delete(endpoint);
    this.#last.add(endpoint);
  };

  constructor() {
    subscribe("tracing:etcdnet:request:asyncEnd", this.#heed);
  }

  [Symbol.dispose](): void {
    unsubscribe("tracing:etcdnet:request:asyncEnd", this.#heed);
  }

  of({ members }: EtcdCluster) {
    const url = [...this.#last].findLast((asked) => members.some((member) => member.url === asked));
    const member = members.find((one) => one.url === url);
    if (member === undefined) throw new Error("none was asked yet");
    return member;
  }
}

describeWithEtcd("3.4", "a migration on whose way members die", () => {
  describeWithEtcd("3.7", "from v2 to v3,", () => {
    let old: EtcdCluster;
    let target: EtcdCluster;
    beforeAll(async () => {
      [old, target] = await Promise.all([
        startEtcd({ release: "3.4", members: 3 }),
        startEtcd({ release: "3.7", members: 3 }),
      ]);
      await using etcd = new EtcdClient({ urls: old.urls });
      const keys = Array.from({ length: KEYS }, (_, n) => `/app/${n % 20}/${n}`);
      await Promise.all(keys.map((key) => etcd.setNode(key, "first")));
    });
    afterAll(async () => {
      await old?.stop();
      await target?.stop();
    });

    /** Migrates, runs a task halfway, and returns the differences. */
    async function differencesAfter(prefix: string, halfway: () => Promise<void>) {
      await using from = new EtcdClient({ urls: old.urls, ...HASTE });
      await using to = new EtcdClient({ urls: target.urls, ...HASTE, api: "v3" });
      const sides = { from, to, prefix: "/app", toPrefix: prefix };
      const over = new AbortController();
      let event: Promise<void> | undefined;
      const onProgress = ({ phase, written }: MigrationProgress): void => {
        if (phase === "copying" && written >= KEYS / 2) {
          event ??= halfway().finally(() => over.abort());
        }
      };
      await migrate({ ...sides, rate: RATE, until: over.signal, onProgress });
      await event;
      const differences: Difference[] = [];
      for await (const difference of diffTrees(sides)) differences.push(difference);
      return differences;
    }

    it("continues without the members that it used, and misses no change", async () => {
      using asked = new LastAsked();
      const dead: EtcdCluster["members"][number][] = [];
      const differences = await differencesAfter("/one", async () => {
        dead.push(asked.of(old), asked.of(target));
        await Promise.all(dead.map((member) => member.kill()));
        await using writer = new EtcdClient({ urls: old.urls, ...HASTE, retryUnknownWrites: true });
        const keys = Array.from({ length: 20 }, (_, n) => `/app/${n}/${n}`);
        await Promise.all(keys.map((key) => writer.setNode(key, "second")));
        await writer.deleteNode("/app/3", { recursive: true, ignoreKeyNotFound: true });
      });
      expect(differences).toEqual([]);
      await Promise.all(dead.map((member) => member.start()));
    });

    it("waits for a target that has lost its quorum", async () => {
      const [, ...most] = target.members;
      const differences = await differencesAfter("/two", async () => {
        await Promise.all(most.map((member) => member.kill()));
        await Promise.all(most.map((member) => member.start()));
      });
      expect(differences).toEqual([]);
    });
  });
});
