import { createPrivateKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions, UnauthorizedError } from "../../src/index.js";
import { clientCertificate } from "../support/certificates.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { foreignCertificate } from "./foreign-certificate.js";

const PASSPHRASE = "open sesame";
/** More than fits into the socket buffers before the server's refusal arrives. */
const LARGE_VALUE = "x".repeat(4 * 1024 * 1024);

describeWithEtcd("3.4", "a client certificate", () => {
  let cluster: EtcdCluster;
  let root: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", clientCertAuth: true, rootPassword: "pw" });
    root = clientWith({ x509Certificate: clientCertificate("root") });
  });
  afterAll(async () => {
    await root.close();
    await cluster.stop();
  });

  const clientWith = (options: EtcdClientOptions = {}) =>
    new EtcdClient({ urls: cluster.urls, ...(cluster.ca && { ca: cluster.ca }), ...options });

  describe("is accepted", () => {
    const { cert, key, pkcs12 } = clientCertificate("anybody");
    const encrypted = createPrivateKey(key).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: PASSPHRASE,
    });

    test.each([
      ["PEM texts", { cert, key }],
      ["PEM bytes", { cert: Buffer.from(cert), key: Buffer.from(key) }],
      ["PEM with an encrypted key", { cert, key: encrypted, passphrase: PASSPHRASE }],
      ["PKCS#12", { pfx: pkcs12(PASSPHRASE), passphrase: PASSPHRASE }],
    ])("as %s", async (_, x509Certificate) => {
      await using etcd = clientWith({ x509Certificate });
      expect(await etcd.setNode("/a", "1")).toMatchObject({ etcdServer: cluster.urls[0] });
    });

    test.each([
      ["PEM with a wrong passphrase", { cert, key: encrypted, passphrase: "wrong" }],
      ["PEM with a missing passphrase", { cert, key: encrypted }],
      ["PKCS#12 with a wrong passphrase", { pfx: pkcs12(PASSPHRASE), passphrase: "wrong" }],
      ["PKCS#12 with a missing passphrase", { pfx: pkcs12(PASSPHRASE) }],
      ["data that is not PKCS#12", { pfx: Buffer.from("not PKCS#12") }],
      ["data that is not PEM", { cert: "not a certificate", key }],
      ["PEM with the key of another certificate", { cert, key: clientCertificate("root").key }],
    ])("not as %s: the constructor throws", (_, x509Certificate) => {
      expect(() => clientWith({ x509Certificate })).toThrow(
        expect.objectContaining({
          name: "TypeError",
          message: expect.stringMatching(/^x509Certificate: /),
        }),
      );
    });
  });

  describe("from a function", () => {
    test("is renewed for the next connection", async () => {
      let current = foreignCertificate("root");
      await using etcd = clientWith({ x509Certificate: () => current });
      await expect(etcd.getNode("/")).rejects.toMatchObject({ name: "ClusterUnavailableError" });
      current = clientCertificate("root");
      expect(await etcd.getNode("/")).toMatchObject({ etcdServer: cluster.urls[0] });
      await using v3 = clientWith({ api: "v3", x509Certificate: () => current });
      expect(await v3.getNode("/")).toMatchObject({ etcdServer: cluster.urls[0] });
    });

    test.each(["v2", "v3"] as const)("is read again when it is refused: %s", async (api) => {
      const refused = foreignCertificate("root");
      await using proxy = await FaultProxy.before(cluster.urls[0]);
      const x509Certificate = () => (proxy.connections === 0 ? refused : clientCertificate("root"));
      await using etcd = clientWith({ urls: [proxy.url], api, x509Certificate });
      await etcd.setNode("/read-again", "1");
      expect(proxy.connections).toBeGreaterThan(1);
    });

    test("stays the last valid one while the function fails", async () => {
      const good = clientCertificate("root");
      let read = () => good;
      await using etcd = clientWith({ x509Certificate: () => read() });
      for (const broken of [
        () => ({ ...good, key: clientCertificate("other").key }),
        () => ({ ...good, cert: "half a f" }),
        () => ({}) as typeof good,
        () => {
          throw new Error("ENOENT");
        },
      ]) {
        read = broken;
        expect(await etcd.getNode("/")).toMatchObject({ etcdServer: cluster.urls[0] });
      }
    });

    test("must be valid at first", () => {
      const x509Certificate = () => ({ cert: "none", key: "none" });
      expect(() => clientWith({ x509Certificate })).toThrow(/^x509Certificate: /);
      expect(() => clientWith({ ca: () => "none" })).toThrow(/^ca: contains no certificate/);
    });
  });

  describe("that the server does not accept", () => {
    const cases: [string, EtcdClientOptions][] = [
      ["none", {}],
      ["one of another authority", { x509Certificate: foreignCertificate("root") }],
    ];

    test.each(cases)("(%s) is named as the reason", async (_, options) => {
      await using etcd = clientWith(options);
      const endpoint = cluster.urls[0];
      const refused = {
        name: "ClusterUnavailableError",
        message: expect.stringMatching(/bad certificate|certificate required|unknown ca/),
        attempts: [expect.objectContaining({ endpoint })],
      };
      await expect(etcd.getNode("/")).rejects.toMatchObject(refused);
      await expect(etcd.watchNode("/")).rejects.toMatchObject(refused);
    });

    // With TLS 1.3, the refusal arrives after the client has sent its request.
    test.each(cases)("(%s) proves that a write was not processed", async (_, options) => {
      for (const value of ["small", LARGE_VALUE]) {
        await using etcd = clientWith(options);
        const writes = Array.from({ length: 5 }, () => etcd.setNode("/refused", value));
        const refused = { reason: expect.objectContaining({ name: "ClusterUnavailableError" }) };
        expect(await Promise.allSettled(writes)).toMatchObject(writes.map(() => refused));
      }
      expect(await root.getNode("/refused", { ignoreKeyNotFound: true })).toBeNull();
    });
  });

  describe("names a user of v2 auth", () => {
    const as = (commonName: string, options: EtcdClientOptions = {}) =>
      clientWith({ x509Certificate: clientCertificate(commonName), ...options });

    beforeAll(async () => {
      await root.auth.roles.create("reader", { read: ["/for-alice"] });
      await root.auth.users.create("alice", { password: "pw", roles: ["reader"] });
      await root.auth.roles.update("guest", { revoke: { read: ["/*"], write: ["/*"] } });
      await root.setNode("/for-alice", "1");
    });

    test("without a password", async () => {
      await using alice = as("alice");
      expect(await alice.getNodeValue("/for-alice")).toBe("1");
      await expect(alice.setNode("/for-alice", "2")).rejects.toBeInstanceOf(UnauthorizedError);
      expect(await root.auth.users.list()).toMatchObject([{ user: "alice" }, { user: "root" }]);
    });

    test("or guest if there is no such user", async () => {
      await using guest = as("nobody-known");
      await expect(guest.getNode("/for-alice")).rejects.toBeInstanceOf(UnauthorizedError);
      await expect(guest.auth.users.list()).rejects.toMatchObject({
        name: "AdminError",
        status: 401,
        detail: "Insufficient credentials",
      });
    });

    test("unless username and password name another", async () => {
      await using alice = as("nobody-known", { username: "alice", password: "pw" });
      expect(await alice.getNodeValue("/for-alice")).toBe("1");
      await using wrong = as("root", { username: "alice", password: "guess" });
      await expect(wrong.getNode("/for-alice")).rejects.toBeInstanceOf(UnauthorizedError);
    });
  });
});
