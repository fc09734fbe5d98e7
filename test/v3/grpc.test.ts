import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { EtcdClient, TimeoutError, UnauthorizedError, V3DisabledError } from "../../src/index.js";
import { createGateway } from "../../src/server/index.js";
import { startHttpProxy } from "../connections/http-proxy.js";
import { startTcpRelay } from "../connections/tcp-relay.js";
import { toBase64 } from "../support/base64.js";
import { certificateAuthority, serverCertificate } from "../support/certificates.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { grpcCalls, V3Tool } from "./v3-tools.js";

type Incoming = IncomingMessage | Http2ServerRequest;
type Outgoing = ServerResponse | Http2ServerResponse;

/** An HTTP/1 proxy in front of an etcd, like some load balancers. */
async function startHttp1(target: string): Promise<Server> {
  const server = createServer(onwardTo(target));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

/** A proxy that accepts HTTP/2 and forwards in HTTP/1. */
async function startHttp2(target: string): Promise<Http2SecureServer> {
  const server = createSecureServer({ ...serverCertificate(), allowHTTP1: true }, onwardTo(target));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

function onwardTo(target: string): (incoming: Incoming, outgoing: Outgoing) => void {
  return (incoming, outgoing) => {
    const { method, url = "" } = incoming;
    const hopByHop = /^(?::|connection$|keep-alive$|transfer-encoding$|host$|te$)/;
    const passed = (headers: object) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.test(name)));
    const options = { method, headers: passed(incoming.headers) };
    const onward = httpRequest(new URL(url, target), options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, passed(answer.headers));
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
    outgoing.on("close", () => onward.destroy());
  };
}

const WITHOUT_JSON = { release: "3.4", v2: false, args: ["--enable-grpc-gateway=false"] } as const;

describeWithEtcd("3.4", "an etcd whose gateway from JSON is off", () => {
  it("is called with gRPC by clients and gateways", async () => {
    await using etcd = await startEtcd(WITHOUT_JSON);
    await using gateway = await createGateway({ etcd: { urls: etcd.urls } });
    await using v2 = new EtcdClient({ urls: [gateway.url] });
    await using v3 = new EtcdClient({ urls: etcd.urls, api: "v3", autoSync: true });
    const { etcdIndex } = await v2.setNode("/a", "1");
    expect(await v3.watchNode("/a", { waitIndex: etcdIndex })).toMatchObject({
      node: { value: "1" },
    });
    expect(await v3.members.list()).toHaveLength(1);
  });

  it("is not reachable through an HTTP proxy if its JSON API is off, and the error names the flag", async () => {
    await using etcd = await startEtcd(WITHOUT_JSON);
    await using proxy = await startHttpProxy();
    const options = { urls: etcd.urls, useProxy: proxy.url };
    await using client = new EtcdClient({ ...options, api: "v3" });
    for (const ask of [() => client.getNode("/"), () => createGateway({ etcd: options })]) {
      const refused = ask();
      await expect(refused).rejects.toThrow(V3DisabledError);
      await expect(refused).rejects.toThrow(/enable-grpc-gateway/);
    }
  });
});

for (const release of ["3.4", "3.7"] as const) {
  describeWithEtcd(release, `the v3 API of etcd ${release} as gRPC`, () => {
    it("carries all calls on one connection, and all watches on another", async () => {
      await using etcd = await startEtcd({ release, v2: false });
      await using proxy = await FaultProxy.before(etcd.urls[0]);
      await using client = new EtcdClient({ urls: [proxy.url], api: "v3" });
      const keys = Array.from({ length: 300 }, (_, number) => `/${number}`);
      const { etcdIndex } = await client.setNode("/0", "");
      const events = keys.map((key) => client.watchNode(key, { waitIndex: etcdIndex + 1 }));
      await Promise.all(keys.map((key) => client.setNode(key, key)));
      expect((await Promise.all(events)).map(({ node }) => node.value)).toEqual(keys);
      expect(proxy.connections).toBe(2);
      expect(await grpcCalls(etcd.urls[0], "Put")).toBeGreaterThan(0);
    });

    it("leaves a dead connection after one timeout", async () => {
      await using etcd = await startEtcd({ release, v2: false });
      await using relay = await startTcpRelay(etcd.urls[0], "127.0.0.1");
      const requestTimeout = 500;
      await using client = new EtcdClient({ urls: [relay.url], api: "v3", requestTimeout });
      await client.setNode("/a", "1");
      relay.freeze();
      await expect(client.getNode("/a")).rejects.toThrow(TimeoutError);
      expect((await client.getNode("/a")).node.value).toBe("1");
    });

    it("is JSON if only HTTP/1 works", async () => {
      await using etcd = await startEtcd({ release, v2: false });
      const front = await startHttp1(etcd.urls[0]);
      const { port } = front.address() as AddressInfo;
      await using client = new EtcdClient({ urls: [`http://127.0.0.1:${port}`], api: "v3" });
      const { etcdIndex } = await client.setNode("/a", "1");
      expect((await client.watchNode("/a", { waitIndex: etcdIndex })).node.value).toBe("1");
      await client.close();
      front.close();
      front.closeAllConnections();
    });

    it("is JSON if a proxy accepts HTTP/2 and refuses gRPC", async () => {
      await using etcd = await startEtcd({ release, v2: false });
      const front = await startHttp2(etcd.urls[0]);
      const { port } = front.address() as AddressInfo;
      const options = { ca: certificateAuthority().cert, api: "v3" } as const;
      await using client = new EtcdClient({ urls: [`https://127.0.0.1:${port}`], ...options });
      const keys = Array.from({ length: 20 }, (_, number) => `/${number}`);
      const answers = await Promise.all(keys.map((key) => client.setNode(key, key)));
      expect(answers.map(({ node }) => node.key).sort()).toEqual(keys.sort());
      const [{ etcdIndex } = { etcdIndex: 0 }] = answers;
      expect((await client.watchNode("/0", { waitIndex: etcdIndex })).node.value).toBe("/0");
      await client.close();
      front.close();
    });

    it("uses the name in a client certificate as the user", async () => {
      await using etcd = await startEtcd({ release, v2: false, clientCertAuth: true });
      await enableAuth(etcd);
      const { urls, ca = "", clientCertificate } = etcd;
      const tls = { urls, ca, ...(clientCertificate && { x509Certificate: clientCertificate }) };
      await using client = new EtcdClient({ ...tls, api: "v3", keyPrefix: "/client" });
      await client.setNode("/a", "1");
      expect((await client.getNode("/a")).node.value).toBe("1");
      await using stranger = new EtcdClient({ ...tls, api: "v3", keyPrefix: "/other" });
      await expect(stranger.setNode("/a", "1")).rejects.toThrow(UnauthorizedError);
    });
  });
}

/** Creates root, and "client" as in the certificate, which may use `/client`. */
async function enableAuth({ urls, ca = "", clientCertificate }: EtcdCluster): Promise<void> {
  const tls = { ca, ...(clientCertificate && { x509Certificate: clientCertificate }) };
  const tool = new V3Tool(urls, undefined, tls);
  for (const name of ["root", "client"]) {
    await tool.ask("auth/user/add", { name, password: "secret" });
    await tool.ask("auth/role/add", { name });
    await tool.ask("auth/user/grant", { user: name, role: name });
  }
  const range = { key: toBase64("/client\0"), range_end: toBase64("/client0") };
  await tool.ask("auth/role/grant", { name: "client", perm: { permType: "READWRITE", ...range } });
  await tool.ask("auth/enable", {});
  tool.close();
}
