/** EtcdNet's options, one by one, on servers that show what they do. */

import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  ClusterUnavailableError,
  EtcdClient,
  type EtcdClientOptions,
  type EtcdResponse,
} from "../../src/index.js";
import { ETCD_HEADERS, GOOD_GET, good, type OddServer, startOddServer } from "../odd-server.js";
import {
  certificateAuthority,
  clientCertificate,
  serverCertificate,
} from "../support/certificates.js";
import { testRows } from "./guide.js";

describe("an option", () => {
  let server: OddServer;
  const { cert: ca } = certificateAuthority();
  const { cert, key, pkcs12 } = clientCertificate("client");
  /** Demands a client certificate. */
  const secure = createServer(
    { ...serverCertificate(), ca, requestCert: true },
    (_request, response) => response.writeHead(200, ETCD_HEADERS).end(GOOD_GET),
  );
  let secureUrls: readonly string[];

  beforeAll(async () => {
    server = await startOddServer(good);
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    secureUrls = [`https://127.0.0.1:${(secure.address() as AddressInfo).port}`];
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    secure.closeAllConnections();
    secure.close();
  });

  async function read(options: EtcdClientOptions): Promise<EtcdResponse> {
    await using etcd = new EtcdClient(options);
    return await etcd.getNode("/a");
  }

  async function authorization(username: string, password: string): Promise<string | undefined> {
    await read({ urls: [server.url], username, password });
    return server.requests.at(-1)?.headers.authorization;
  }

  testRows("Urls", {
    urls: async () => {
      const answer = await read({ urls: ["http://127.0.0.1:1", server.url] });
      expect(answer.etcdServer).toBe(server.url);
      for (const endpoints of [server.url, ["http://127.0.0.1:1", server.url]]) {
        expect((await read({ endpoints })).etcdServer).toBe(server.url);
      }
      for (const url of ["127.0.0.1:2379", "ftp://127.0.0.1", `${server.url}/path`]) {
        expect(() => new EtcdClient({ urls: [url] })).toThrow("urls[0]");
      }
      expect(() => new EtcdClient({ urls: [] })).toThrow("urls");
    },
    username: async () => {
      expect(await authorization("user", "secret")).toBe(`Basic ${btoa("user:secret")}`);
      await read({ urls: [server.url] });
      expect(server.requests.at(-1)?.headers).not.toHaveProperty("authorization");
      expect(() => new EtcdClient({ urls: [server.url], username: "user" })).toThrow("password");
    },
    password: async () => {
      const [, credentials = ""] = (await authorization("user", "schlüssel"))?.split(" ") ?? [];
      expect(Buffer.from(credentials, "base64").toString("utf8")).toBe("user:schlüssel");
    },
    useProxy: async () => {
      vi.stubEnv("HTTP_PROXY", server.url);
      for (const useProxy of [true, server.url]) {
        await read({ urls: ["http://etcd.example:2379"], useProxy });
        expect(server.requests.at(-1)?.path).toContain("http://etcd.example:2379/v2/keys/a");
        await read({ urls: ["http://etcd.example:2380"], proxy: useProxy });
        expect(server.requests.at(-1)?.path).toContain("http://etcd.example:2380/v2/keys/a");
      }
      await read({ urls: [server.url] });
      expect(server.requests.at(-1)?.path).toMatch(/^\/v2\/keys\/a/);
      vi.unstubAllEnvs();
    },
    ignoreCertificateError: async () => {
      const x509Certificate = { cert, key };
      const doubting = read({ urls: secureUrls, x509Certificate });
      await expect(doubting).rejects.toBeInstanceOf(ClusterUnavailableError);
      await read({ urls: secureUrls, x509Certificate, ca });
      await read({ urls: secureUrls, x509Certificate, ignoreCertificateError: true });
      await read({ urls: secureUrls, tls: { cert, key, rejectUnauthorized: false } });
      const strict = read({ urls: secureUrls, tls: { cert, key, rejectUnauthorized: true } });
      await expect(strict).rejects.toBeInstanceOf(ClusterUnavailableError);
    },
    x509Certificate: async () => {
      await expect(read({ urls: secureUrls, ca })).rejects.toBeInstanceOf(ClusterUnavailableError);
      await read({ urls: secureUrls, ca, x509Certificate: { cert, key } });
      const passphrase = "open sesame";
      const pfx = pkcs12(passphrase);
      await read({ urls: secureUrls, ca, x509Certificate: { pfx, passphrase } });
      await read({ urls: secureUrls, tls: { ca, cert, key } });
      await read({ urls: secureUrls, ca, tls: { pfx, passphrase } });
    },
    jsonDeserializer: async () => {
      const texts: string[] = [];
      const jsonDeserializer = (text: string): unknown => {
        texts.push(text);
        return JSON.parse(text.replace('"1"', '"read by me"'));
      };
      const { node } = await read({ urls: [server.url], jsonDeserializer });
      expect(node.value).toBe("read by me");
      expect(texts).toEqual([GOOD_GET]);
    },
  });

  test("that is unknown, impossible or contradictory is a TypeError that names it", () => {
    const urls = [server.url];
    // @ts-expect-error EtcdNet's spelling
    expect(() => new EtcdClient({ Urls: urls })).toThrow(/^Urls: /);
    expect(() => new EtcdClient({ urls, timeout: -1 })).toThrow(/^timeout: /);
    expect(() => new EtcdClient({ urls, discoverySrv: "a.example" })).toThrow(
      /^urls, discoverySrv/,
    );
  });
});
