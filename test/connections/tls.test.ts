import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions, isEtcdError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { foreignCertificate } from "./foreign-certificate.js";
import { startTcpRelay } from "./tcp-relay.js";

describeWithEtcd("3.4", "TLS", () => {
  let cluster: EtcdCluster;
  let trusting: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", tls: true });
    trusting = clientWith();
  });
  afterAll(async () => {
    await trusting.close();
    await cluster.stop();
  });

  const clientWith = (options: EtcdClientOptions = {}) =>
    new EtcdClient({ urls: cluster.urls, ...(cluster.ca && { ca: cluster.ca }), ...options });

  /** Checks the errors of calls to an endpoint that is not trusted: a write was not sent. */
  const expectDistrust = async (etcd: EtcdClient, endpoint: string, reason: string) => {
    const unavailable = {
      name: "ClusterUnavailableError",
      message: expect.stringMatching(`${endpoint.replace(/[[\].]/g, "\\$&")}: .*${reason}`),
      attempts: [expect.objectContaining({ endpoint })],
    };
    await expect(etcd.getNode("/")).rejects.toMatchObject(unavailable);
    await expect(etcd.watchNode("/")).rejects.toMatchObject(unavailable);
    await expect(etcd.setNode("/distrusted", "1")).rejects.toMatchObject(unavailable);
    expect(await trusting.getNode("/distrusted", { ignoreKeyNotFound: true })).toBeNull();
  };

  test("trusts the given authority, as text, bytes or in a list", async () => {
    const ca = cluster.ca ?? "";
    const foreign = foreignCertificate("another authority").cert;
    for (const authorities of [ca, Buffer.from(ca), [foreign, ca], `${foreign}${ca}`]) {
      await using etcd = clientWith({ ca: authorities });
      expect(await etcd.setNode("/a", "1")).toMatchObject({ etcdServer: cluster.urls[0] });
    }
  });

  test("accepts an endpoint by its host name", async () => {
    const { port } = new URL(cluster.urls[0]);
    await using etcd = clientWith({ urls: [`https://localhost:${port}`] });
    expect(await etcd.getNode("/")).toMatchObject({ action: "get" });
  });

  test("does not trust a certificate of an unknown authority", async () => {
    await using etcd = new EtcdClient({ urls: cluster.urls });
    await expectDistrust(etcd, cluster.urls[0], "unable to verify the first certificate");
  });

  test("does not trust a certificate of another authority than the given one", async () => {
    await using etcd = clientWith({ ca: foreignCertificate("another authority").cert });
    await expectDistrust(etcd, cluster.urls[0], "unable to verify the first certificate");
  });

  test("does not trust a certificate for another host", async () => {
    await using relay = await startTcpRelay(cluster.urls[0], "127.0.0.2");
    await using etcd = clientWith({ urls: [relay.url] });
    await expectDistrust(etcd, relay.url, "Hostname/IP does not match certificate's altnames");
  });

  test.each(["v2", "v3"] as const)("accepts servername, on %s", async (api) => {
    await using relay = await startTcpRelay(cluster.urls[0], "127.0.0.2");
    const named = (servername: string) =>
      new EtcdClient({ api, endpoints: relay.url, tls: { ca: cluster.ca, servername } });
    await using etcd = named("localhost");
    expect(await etcd.setNode("/named", "1")).toMatchObject({ etcdServer: relay.url });
    await using other = named("other.example");
    await expect(other.setNode("/named", "2")).rejects.toMatchObject({
      name: "ClusterUnavailableError",
      message: expect.stringContaining("Host: other.example. is not in the cert's altnames"),
    });
  });

  test("does not fall back to plaintext at an endpoint without TLS", async () => {
    await using plain = await startEtcd({ release: "3.4" });
    await using etcd = clientWith({ urls: [plain.urls[0].replace("http:", "https:")] });
    await expect(etcd.setNode("/a", "1")).rejects.toSatisfy((error) =>
      isEtcdError(error, "ClusterUnavailable"),
    );
  });

  test("continues at another, trusted endpoint, also with writes", async () => {
    await using relay = await startTcpRelay(cluster.urls[0], "127.0.0.2");
    await using etcd = clientWith({ urls: [relay.url, cluster.urls[0]] });
    for (let i = 0; i < 4; i++) {
      expect(await etcd.setNode("/a", "1")).toMatchObject({ etcdServer: cluster.urls[0] });
    }
  });

  test("accepts any certificate with the option, only for that client and without a warning", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    try {
      await using careless = new EtcdClient({ urls: cluster.urls, ignoreCertificateError: true });
      await using careful = new EtcdClient({ urls: cluster.urls });
      expect(await careless.setNode("/careless", "1")).toMatchObject({ action: "set" });
      await expectDistrust(careful, cluster.urls[0], "unable to verify the first certificate");
      expect(await careless.getNodeValue("/careless")).toBe("1");
    } finally {
      process.off("warning", onWarning);
    }
    expect(warnings).toEqual([]);
    expect(process.env).not.toHaveProperty("NODE_TLS_REJECT_UNAUTHORIZED");
  });

  test.each([
    ["no certificate", "not a certificate"],
    ["an empty text", ""],
    ["a damaged one", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
  ])("refuses %s as an authority, and names the option", (_, ca) => {
    expect(() => clientWith({ ca })).toThrow(
      expect.objectContaining({ name: "TypeError", message: expect.stringMatching(/^ca: /) }),
    );
  });
});
