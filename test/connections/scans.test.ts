import { expect, test } from "vitest";
import { completeOptions } from "../../src/client/normalize-options.js";
import { Cluster } from "../../src/cluster/cluster.js";
import type { EtcdClientOptions } from "../../src/index.js";
import { RemoteKeySpace } from "../../src/key-space/remote/remote-key-space.js";
import { RemoteRequests } from "../../src/key-space/remote/remote-requests.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { startHttpProxy } from "./http-proxy.js";

for (const tls of [false, true]) {
  describeWithEtcd("3.4", `scans of history ${tls ? "over TLS" : "in plain text"}`, () => {
    test("find changes, or prove that there are none, on a connection that the client half-closes", async () => {
      await using cluster = await startEtcd({ release: "3.4", tls });
      await using proxy = await startHttpProxy();
      const options = { urls: cluster.urls, ...(cluster.ca && { ca: cluster.ca }) };
      const connect = (more: EtcdClientOptions = {}) => {
        const { cluster: settings, deserialize } = completeOptions({ ...options, ...more });
        const cluster = new Cluster(settings);
        const keySpace = new RemoteKeySpace(cluster, deserialize);
        const port = new RemoteRequests(cluster, deserialize);
        const scan = (key: string, recursive: boolean, since: number) =>
          port.scan({ key, recursive, since }, {});
        return { keySpace, scan };
      };
      const direct = connect();
      const { node } = await direct.keySpace.execute({ action: "set", key: "/a", value: "1" });
      const { modifiedIndex: since } = node;
      const found = { events: [{ node }], provenIndex: since - 1 };
      const quiet = { events: [], provenIndex: since };
      expect(await direct.scan("/a", false, since)).toMatchObject(found);
      expect(await direct.scan("/b", true, since)).toMatchObject(quiet);

      // A proxy can treat a half-close in any way: it must cause neither a proof nor an error.
      const proxied = connect({ useProxy: proxy.url });
      expect(await proxied.scan("/a", false, since)).toMatchObject(found);
      const { events, provenIndex } = await proxied.scan("/b", true, since);
      expect(events).toEqual([]);
      expect([undefined, since]).toContain(provenIndex);
      console.info(`through a proxy, a quiet scan proves ${provenIndex ?? "nothing"}`);
      for (const { keySpace } of [direct, proxied]) await keySpace.close();
    });
  });
}
