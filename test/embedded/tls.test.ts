import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { type ConnectionOptions, connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { type EmbeddedEtcdOptions, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import {
  certificateAuthority,
  clientCertificate,
  serverCertificate,
} from "../support/certificates.js";

const ca = certificateAuthority().cert;
const withTls: EmbeddedEtcdOptions = { tls: serverCertificate() };
const withClientCa: EmbeddedEtcdOptions = { tls: { ...serverCertificate(), clientCa: ca } };

describe("with TLS", () => {
  it("serves clients that trust its certificate", async () => {
    await using etcd = await startEmbeddedEtcd(withTls);
    expect(etcd.url).toMatch(/^https:/);
    await using client = new EtcdClient({ urls: [etcd.url], ca });
    expect((await client.setNode("/a", "1")).node.value).toBe("1");
  });

  it("closes connections without TLS, and ends watches when it closes", async () => {
    await using etcd = await startEmbeddedEtcd(withTls);
    const plain = connectTcp(Number(new URL(etcd.url).port), "127.0.0.1");
    plain.on("error", () => {}).resume();
    plain.write("GET /version HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => plain.once("close", resolve));
    const watch = await openTls(etcd.url, "GET /v2/keys/a?wait=true HTTP/1.1\r\nHost: a\r\n\r\n");
    await watch.got("\r\n\r\n");
    await etcd.close();
    expect(await watch.rest()).toMatch(/\r\n\r\n0\r\n\r\n$/);
  });

  it("closes although a handshake never completes", async () => {
    await using etcd = await startEmbeddedEtcd({ ...withTls, limits: { closeTimeout: 50 } });
    const silent = connectTcp(Number(new URL(etcd.url).port), "127.0.0.1");
    silent.on("error", () => {}).resume();
    await once(silent, "connect");
    await Promise.all([etcd.close(), new Promise((resolve) => silent.once("close", resolve))]);
  });
});

describe("with client certificates", () => {
  it("serves only clients that have one", async () => {
    await using etcd = await startEmbeddedEtcd(withClientCa);
    await using known = new EtcdClient({
      urls: [etcd.url],
      ca,
      x509Certificate: clientCertificate("ann"),
    });
    expect((await known.getNode("/")).action).toBe("get");
    await using stranger = new EtcdClient({ urls: [etcd.url], ca, timeout: 1_000 });
    await expect(stranger.getNode("/")).rejects.toMatchObject({ code: "ETCD_CLUSTER_UNAVAILABLE" });
  });

  it("uses the Common Name as the user name", async () => {
    await using etcd = await startEmbeddedEtcd({ ...withClientCa, rootPassword: "secret" });
    const own = { urls: [etcd.url], ca };
    const ann = clientCertificate("ann");
    await using root = new EtcdClient({
      ...own,
      x509Certificate: ann,
      username: "root",
      password: "secret",
    });
    await root.auth.roles.create("writer", { read: ["/ann/*"], write: ["/ann/*"] });
    await root.auth.users.create("ann", { password: "unused", roles: ["writer"] });
    await using client = new EtcdClient({ ...own, x509Certificate: ann });
    expect((await client.setNode("/ann/a", "1")).node.value).toBe("1");
    await expect(client.setNode("/bob/a", "1")).rejects.toMatchObject({ errorCode: 110 });
    await using bob = new EtcdClient({ ...own, x509Certificate: clientCertificate("bob") });
    await expect(bob.setNode("/ann/a", "1")).rejects.toMatchObject({ errorCode: 110 });
  });
});

/** Opens a TLS connection and sends a text. */
async function openTls(url: string, text: string, options: ConnectionOptions = {}) {
  const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1", ca, ...options });
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  await once(socket, "secureConnect");
  socket.write(text);
  return {
    got: (part: string) => expect.poll(() => received).toContain(part),
    rest: async () => {
      if (!socket.closed) await once(socket, "close");
      return received;
    },
  };
}
