import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../../src/server/index.js";
import { certificateAuthority, serverCertificate } from "../support/certificates.js";
import { ask } from "./raw-client.js";

let etcd: EmbeddedEtcd;
let address: string;

beforeAll(async () => {
  etcd = await startEmbeddedEtcd({ host: "0.0.0.0" });
  address = `http://127.0.0.1:${new URL(etcd.url).port}`;
});
afterAll(() => etcd.close());

/** The response body of `/v2/machines` for a request with these headers. */
async function machines(version: string, ...headers: readonly string[]): Promise<string> {
  const lines = [`GET /v2/machines HTTP/${version}`, ...headers, "Connection: close", "", ""];
  const [, body = ""] = (await ask(address, lines.join("\r\n"))).split("\r\n\r\n");
  return body;
}

it("each client receives the address that it connected to", async () => {
  const port = new URL(etcd.url).port;
  for (const url of [address, `http://localhost:${port}`]) {
    await using client = new EtcdClient({ urls: [url] });
    expect(await client.machines()).toEqual([url]);
    expect(await client.members.list()).toMatchObject([{ clientURLs: [url] }]);
    expect(await client.members.leader()).toMatchObject({ clientURLs: [url] });
  }
});

it("a client without a valid Host header receives the local address of its connection", async () => {
  expect(await machines("1.0")).toBe(address);
  expect(await machines("1.1", "Host:")).toBe(address);
  expect(await machines("1.1", "Host: user@elsewhere")).toBe(address);
});

it("the Host header of one client does not affect other clients", async () => {
  expect(await machines("1.1", "Host: elsewhere:1")).toBe("http://elsewhere:1");
  expect(await machines("1.0")).toBe(address);
});

it("headers of proxies are ignored", async () => {
  const forwarded = [
    "X-Forwarded-Host: elsewhere",
    "X-Forwarded-Proto: https",
    "Forwarded: host=elsewhere;proto=https",
  ];
  expect(await machines("1.1", "Host: here:1", ...forwarded)).toBe("http://here:1");
});

it("with TLS, clients receive https URLs", async () => {
  await using secure = await startEmbeddedEtcd({ tls: serverCertificate() });
  const ca = certificateAuthority().cert;
  await using client = new EtcdClient({ urls: [secure.url], ca });
  expect(await client.machines()).toEqual([secure.url]);
});

it("every client receives the advertised URLs", async () => {
  const advertise = ["https://etcd.example"];
  await using advertised = await startEmbeddedEtcd({ advertise });
  await using client = new EtcdClient({ urls: [advertised.url] });
  expect(await client.machines()).toEqual(advertise);
  expect(await client.members.list()).toMatchObject([{ clientURLs: advertise }]);
});
