import { expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { createGateway } from "../../src/server/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeWithEtcd(release, `the v3 API of etcd ${release} over TLS`, () => {
    it("is used with a client certificate, watches as streams of HTTP/2", async () => {
      await using etcd = await startEtcd({ release, v2: false, clientCertAuth: true });
      const { urls, ca = "", clientCertificate } = etcd;
      const tls = { urls, ca, ...(clientCertificate && { x509Certificate: clientCertificate }) };
      await using client = new EtcdClient({ ...tls, api: "v3" });
      const { etcdIndex } = await client.setNode("/a", "1");
      const event = client.watchNode("/a", { waitIndex: etcdIndex + 1 });
      await client.setNode("/a", "2");
      expect(await event).toMatchObject({ node: { value: "2" }, prevNode: { value: "1" } });
      expect(await client.health()).toEqual([{ endpoint: urls[0], healthy: true }]);

      await using gateway = await createGateway({ etcd: tls });
      await using v2 = new EtcdClient({ urls: [gateway.url] });
      expect(await v2.watchNode("/a", { waitIndex: etcdIndex })).toMatchObject({
        node: { value: "1" },
      });
    });
  });
}
