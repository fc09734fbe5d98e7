import { describe, expect, it, test } from "vitest";
import { MemoryClusterApi } from "../../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { createV2Handler } from "../create-v2-handler.js";
import type { BrowserAccessOptions } from "./browser-access.js";

type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly cors: readonly string[];
  readonly body: string;
}

const LOCAL = { host: "127.0.0.1" };
const EVERYWHERE = { host: "0.0.0.0" };
const EVIL = { origin: "https://evil.example" };
const UI = { origin: "https://ui.example" };

/** Requests that change anything but keys. */
const ADMINISTRATION = [
  ["POST", "/v2/members"],
  ["PUT", "/v2/members/1"],
  ["DELETE", "/v2/members/1"],
  ["PUT", "/v2/auth/enable"],
  ["DELETE", "/v2/auth/enable"],
  ["PUT", "/v2/auth/users/root"],
  ["DELETE", "/v2/%61uth/users/root"],
  ["PUT", "/v2/auth/roles/guest"],
  ["PUT", "/config/local/log"],
] as const;

function server(options: BrowserAccessOptions = LOCAL) {
  const keySpace = new MemoryKeySpace();
  const handler = createV2Handler({
    keySpace,
    authKeySpace: new MemoryKeySpace(),
    clusterApi: new MemoryClusterApi(keySpace),
    clusterId: async () => keySpace.clusterId,
    ...options,
  });
  return async (method: string, target: string, headers: Headers = {}, tls = false) => {
    const reply = await handler({
      method,
      target,
      headers: { host: "127.0.0.1:2379", ...headers },
      serverUrl: `${tls ? "https" : "http"}://127.0.0.1:2379`,
      body: async () => "",
      signal: new AbortController().signal,
    });
    const cors = reply.headers.filter((name) => /^access-control|^vary/i.test(name));
    return { status: reply.status, cors, body: String(reply.body) } satisfies Answer;
  };
}

/** The status of a read with this Host header. */
async function statusFor(host: string, options: BrowserAccessOptions, headers: Headers = {}) {
  return (await server(options)("GET", "/v2/keys/", { ...headers, host })).status;
}

describe("without --cors", () => {
  test.each(["GET", "HEAD", "OPTIONS"])(
    "a page of another origin cannot read the response to %s",
    async (method) => {
      const { status, cors } = await server()(method, "/v2/keys/", EVIL);
      expect(status).toBe(200);
      expect(cors).toEqual([]);
    },
  );

  test.each([
    ["of another site", EVIL],
    ["of another port", { origin: "http://127.0.0.1:3000" }],
    ["of another name of this machine", { origin: "http://localhost:2379" }],
    ["of a sandbox or a file", { origin: "null" }],
    ["of an extension", { origin: "chrome-extension://abc" }],
    ["with several origins", { origin: "http://127.0.0.1:2379, https://evil.example" }],
    ["with an empty origin", { origin: "" }],
    ["whose origin was removed", { "sec-fetch-site": "cross-site" }],
    [
      "of another server of the same site, whose origin was removed",
      { "sec-fetch-site": "same-site" },
    ],
  ])("a page %s cannot write", async (_what, headers) => {
    const ask = server();
    for (const method of ["PUT", "POST", "DELETE"]) {
      const { status, body, cors } = await ask(method, "/v2/keys/a", headers as Headers);
      expect([status, cors]).toEqual([403, []]);
      expect(body).toContain("--cors");
    }
    expect((await ask("GET", "/v2/keys/a")).status).toBe(404);
  });

  test.each(ADMINISTRATION)("a page of another origin cannot %s %s", async (method, target) => {
    expect((await server()(method, target, EVIL)).status).toBe(403);
  });

  test.each<[string, Headers]>([
    ["a program, which sends no origin", {}],
    ["Node's fetch", { "sec-fetch-mode": "cors" }],
    ["a page of the same origin", { origin: "http://127.0.0.1:2379" }],
    [
      "a page behind a proxy that terminates TLS",
      { origin: "https://localhost", host: "localhost" },
    ],
    ["the same, with the port", { origin: "https://localhost", host: "LOCALHOST:443" }],
    ["the address bar", { "sec-fetch-site": "none" }],
  ])("%s may write", async (_who, headers) => {
    expect((await server()("PUT", "/v2/keys/a", headers)).status).toBe(201);
    expect((await server()("PUT", "/v2/auth/roles/guest", headers)).status).not.toBe(403);
  });
});

describe("with --cors", () => {
  const listed = { ...LOCAL, cors: ["https://other.example", "https://UI.example/"] };

  it("a listed origin reads and writes keys", async () => {
    const ask = server(listed);
    for (const method of ["OPTIONS", "PUT", "GET"]) {
      const { status, cors } = await ask(method, "/v2/keys/a", UI);
      expect(status).toBeLessThan(300);
      expect(cors).toEqual([
        "Access-Control-Allow-Headers",
        "Access-Control-Allow-Methods",
        "Access-Control-Allow-Origin",
        "Vary",
      ]);
    }
  });

  it("others do not", async () => {
    const ask = server(listed);
    for (const headers of [EVIL, { origin: "http://ui.example" }, { origin: "null" }]) {
      const { status, cors } = await ask("PUT", "/v2/keys/a", headers);
      expect([status, cors]).toEqual([403, ["Vary"]]);
    }
    expect((await ask("GET", "/v2/keys/a")).status).toBe(404);
  });

  it("every origin reads and writes keys with *", async () => {
    const ask = server({ ...LOCAL, cors: ["*"] });
    expect((await ask("PUT", "/v2/keys/a", EVIL)).status).toBe(201);
    expect((await ask("GET", "/v2/keys/a", EVIL)).cors).toHaveLength(3);
  });

  test.each(ADMINISTRATION)("no origin may %s %s", async (method, target) => {
    for (const cors of [["*"], ["https://ui.example"]]) {
      const { status } = await server({ ...LOCAL, cors })(method, target, UI);
      expect(status).toBe(403);
    }
  });

  it("is refused without an origin", () => {
    for (const origin of ["ui.example", "https://ui.example/path", "null", ""]) {
      expect(() => server({ cors: [origin] })).toThrow(`cors: "${origin}"`);
    }
  });
});

describe("on a loopback address", () => {
  test.each([
    ...["localhost", "localhost:2379", "LOCALHOST.", "app.localhost:1", "127.0.0.1", "127.1.2.3:4"],
    ...["[::1]", "[::1]:2379", "10.0.0.1:2379", "[fd00::1]", ""],
  ])("a request to %o is served", async (host) => {
    expect(await statusFor(host, LOCAL)).toBe(200);
  });

  test.each([
    "evil.example",
    "evil.example:2379",
    "a",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
  ])("a request to %s is refused from any program", async (host) => {
    for (const method of ["GET", "OPTIONS", "PUT"]) {
      const { status, body } = await server(LOCAL)(method, "/v2/keys/", { host });
      expect(status).toBe(421);
      expect(body).toContain("--allowed-hosts");
    }
    expect(await statusFor(host, { host: "localhost" })).toBe(421);
    expect(await statusFor(host, { host: "::1" })).toBe(421);
  });

  it("allowed and advertised names are served", async () => {
    const allowedHosts = ["etcd.example", "Other.example"];
    const advertise = ["https://front.example:8443"];
    const options = { ...LOCAL, allowedHosts, advertise };
    for (const name of ["etcd.example", "OTHER.example:1", "front.example", "etcd.example.:80"]) {
      expect(await statusFor(name, options)).toBe(200);
    }
    expect(await statusFor("evil.example", options)).toBe(421);
    expect(await statusFor("evil.example", { ...LOCAL, allowedHosts: ["*"] })).toBe(200);
  });

  it("any name is served with TLS: no certificate is valid for it", async () => {
    const ask = server(LOCAL);
    expect((await ask("GET", "/v2/keys/", { host: "evil.example" }, true)).status).toBe(200);
  });

  it("an invalid host name is refused as an option", () => {
    for (const name of ["etcd:2379", "http://etcd", "a b", ""]) {
      expect(() => server({ allowedHosts: [name] })).toThrow(`allowedHosts: "${name}"`);
    }
  });
});

describe("on all addresses, and if the address is unknown", () => {
  test.each([EVERYWHERE, {}])("programs may use any name: %o", async (options) => {
    expect(await statusFor("etcd-gw:4001", options)).toBe(200);
    expect(await statusFor("etcd-gw:4001", options, { "sec-fetch-mode": "cors" })).toBe(200);
  });

  test.each([EVERYWHERE, {}])("browsers may use known names only: %o", async (options) => {
    const page = { origin: "http://evil.example" };
    expect(await statusFor("evil.example", options, page)).toBe(421);
    expect(await statusFor("evil.example", options, { "sec-fetch-site": "same-origin" })).toBe(421);
    expect(await statusFor("10.0.0.1", options, page)).toBe(200);
    expect(await statusFor("gw", { ...options, allowedHosts: ["gw"] }, page)).toBe(200);
  });

  it("the name of the listen address is known", async () => {
    expect(await statusFor("gw.example:1", { host: "gw.example" }, EVIL)).toBe(200);
  });
});
