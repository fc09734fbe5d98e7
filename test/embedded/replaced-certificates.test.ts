import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import {
  certificateAuthority,
  nextAuthority,
  nextServerCertificate,
  serverCertificate,
} from "../support/certificates.js";
import { FaultProxy } from "../support/fault-proxy.js";

const OLD = certificateAuthority().cert;
const NEXT = nextAuthority().cert;
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "etcdnet-certificates-"));
});

afterAll(() => rm(directory, { recursive: true }));

describe("a server", () => {
  it("presents another certificate to new connections, and keeps the established ones", async () => {
    await using server = await startEmbeddedEtcd({ tls: serverCertificate() });
    const urls = [server.url];
    await using before = new EtcdClient({ urls, ca: OLD });
    await using watching = new EtcdClient({ urls, ca: [OLD, NEXT] });
    await before.setNode("/a", "1");
    const watch = watching.watch("/b", { from: 1 });
    server.setTls(nextServerCertificate());
    await using after = new EtcdClient({ urls, ca: NEXT });
    await after.setNode("/b", "2");
    expect(await before.getNodeValue("/a")).toBe("1");
    expect((await watch.next()).value).toMatchObject({ response: { node: { value: "2" } } });
    await watch.close();
  });

  it("refuses what it cannot use, and keeps the former certificate", async () => {
    const { cert, key } = serverCertificate();
    await using server = await startEmbeddedEtcd({ tls: { cert, key } });
    const mismatch = { cert, key: nextServerCertificate().key };
    expect(() => server.setTls(mismatch)).toThrow(/^tls: cannot be used \(.*mismatch/);
    expect(() => server.setTls({ cert, key, clientCa: OLD })).toThrow(/^tls.clientCa: cannot be/);
    await using client = new EtcdClient({ urls: [server.url], ca: OLD });
    await client.setNode("/a", "1");
    await using plain = await startEmbeddedEtcd();
    expect(() => plain.setTls({ cert, key })).toThrow(/^tls: the server was started without TLS/);
  });

  it("accepts the clients of another authority", async () => {
    const own = serverCertificate();
    await using server = await startEmbeddedEtcd({ tls: { ...own, clientCa: OLD } });
    const options = { urls: [server.url], ca: OLD, timeout: 2_000 };
    await using old = new EtcdClient({ ...options, x509Certificate: serverCertificate() });
    await old.setNode("/a", "1");
    server.setTls({ ...own, clientCa: NEXT });
    await using next = new EtcdClient({ ...options, x509Certificate: nextServerCertificate() });
    expect(await next.getNodeValue("/a")).toBe("1");
    await using late = new EtcdClient({ ...options, x509Certificate: serverCertificate() });
    await expect(late.getNode("/a")).rejects.toMatchObject({ code: "ETCD_CLUSTER_UNAVAILABLE" });
  });

  it("changes the password of root, which a client reads again when it is refused", async () => {
    await using server = await startEmbeddedEtcd({ rootPassword: "one" });
    let reads = 0;
    let password = "one";
    const options = {
      urls: [server.url],
      username: "root",
      password: async () => {
        reads++;
        return password;
      },
    };
    await using client = new EtcdClient(options);
    await Promise.all([client.setNode("/a", "1"), client.setNode("/b", "1"), client.getNode("/")]);
    expect(reads).toBe(1);
    const watch = client.watch("/a");
    await server.setRootPassword("two");
    const refused = expect.objectContaining({ name: "UnauthorizedError" });
    await expect(client.setNode("/a", "2")).rejects.toEqual(refused);
    password = "two";
    await Promise.all([client.setNode("/a", "2"), client.auth.users.list()]);
    expect((await watch.next()).value).toMatchObject({ response: { node: { value: "2" } } });
    await watch.close();
  });
});

describe("a client", () => {
  it("reads its files again for a new connection", async () => {
    const caFile = join(directory, "ca.pem");
    await writeFile(caFile, OLD);
    await using server = await startEmbeddedEtcd({ tls: serverCertificate() });
    await using proxy = await FaultProxy.before(server.url);
    await using client = new EtcdClient({ urls: [proxy.url], tls: { caFile } });
    await client.setNode("/a", "1");
    server.setTls(nextServerCertificate());
    await writeFile(caFile, `${OLD}${NEXT}`);
    await proxy.cut();
    expect(await client.getNodeValue("/a")).toBe("1");
    // A file that is being written does not replace the last valid one.
    await writeFile(caFile, NEXT.slice(0, 100));
    await proxy.cut();
    expect(await client.getNodeValue("/a")).toBe("1");
  });

  it("connects again when its files have changed during a failed handshake", async () => {
    await using server = await startEmbeddedEtcd({ tls: nextServerCertificate() });
    await using proxy = await FaultProxy.before(server.url);
    const ca = () => (proxy.connections === 0 ? OLD : NEXT);
    await using client = new EtcdClient({ urls: [proxy.url], ca });
    await client.setNode("/a", "1");
    expect(proxy.connections).toBe(2);
  });
});
