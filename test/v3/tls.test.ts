import { expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { createGateway } from "../../src/server/index.js";
import { startHttpProxy } from "../connections/http-proxy.js";
import { serverCertificate } from "../support/certificates.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { ALICE, enableAuth } from "./v3-auth.js";
import { V3Tool } from "./v3-tools.js";

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

    it("with v3 auth on, takes certificates with a name by gRPC only, and says so", async () => {
      await using etcd = await startEtcd({ release, v2: false, clientCertAuth: true });
      const { urls, ca = "", clientCertificate: named } = etcd;
      const tool = new V3Tool(urls, undefined, { ca, x509Certificate: serverCertificate() });
      await enableAuth(tool);
      tool.close();
      const options = { urls, ca, api: "v3", keyPrefix: "/alice", ...ALICE } as const;
      await using nameless = new EtcdClient({ ...options, x509Certificate: serverCertificate() });
      await nameless.setNode("/a", "1");
      const withName = { ...options, ...(named && { x509Certificate: named }) };
      await using client = new EtcdClient(withName);
      expect((await client.getNode("/a")).node.value).toBe("1");
      await using proxy = await startHttpProxy();
      await using proxied = new EtcdClient({ ...withName, useProxy: proxy.url });
      const reason = { message: expect.stringMatching(/certificate without a Common Name/) };
      await expect(proxied.getNode("/a")).rejects.toMatchObject(reason);
      await expect(proxied.setNode("/a", "2")).rejects.toMatchObject(reason);
    });
  });
}
