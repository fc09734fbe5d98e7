import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EtcdClient, OutcomeUnknownError, ProtocolError } from "../src/index.js";
import { good, type OddServer, type Responder, reply, startOddServer } from "./odd-server.js";

/** A server that is an endpoint of the client, and one that is not. */
let server: OddServer;
let stranger: OddServer;
let client: EtcdClient;

const CREDENTIALS = { username: "root", password: "secret" };
const to = (location: string, status = 307): Responder => reply(status, "", { location });

beforeAll(async () => {
  server = await startOddServer(good);
  stranger = await startOddServer(good);
  client = new EtcdClient({ urls: [server.url], ...CREDENTIALS });
});
beforeEach(() => {
  server.requests.length = 0;
  stranger.requests.length = 0;
  stranger.respond = good;
});
afterAll(async () => {
  await client?.close();
  await server?.[Symbol.asyncDispose]();
  await stranger?.[Symbol.asyncDispose]();
});

/** Redirects the first request, and responds to the next. */
const once =
  (first: Responder): Responder =>
  (response, request) => {
    server.respond = good;
    first(response, request);
  };

describe("followed redirects", () => {
  test.each([301, 302, 307, 308])("%i keeps method, body and headers", async (status) => {
    server.respond = once(to("/v2/keys/a", status));
    expect((await client.setNode("/a", "odd & value", { ttl: 5 })).node.value).toBe("1");
    const [first, second] = server.requests;
    expect(first).toMatchObject({ method: "PUT", body: "value=odd%20%26%20value&ttl=5" });
    expect(second).toEqual(first);
  });

  test("to a path, the whole URL of the same server, or one without a scheme", async () => {
    const host = server.url.replace("http:", "");
    for (const place of [
      "/v2/keys/b?c=d",
      `${server.url}/v2/keys/b?c=d`,
      `${host}/v2/keys/b?c=d`,
    ]) {
      server.requests.length = 0;
      server.respond = once(to(place));
      const { etcdServer } = await client.getNode("/a", { recursive: true });
      expect(etcdServer).toBe(server.url);
      expect(server.requests[1]).toMatchObject({ method: "GET", path: "/v2/keys/b?c=d" });
      expect(server.requests[1]?.headers.authorization).toMatch(/^Basic /);
    }
  });

  test("to another member of the list, with credentials", async () => {
    await using both = new EtcdClient({ urls: [server.url, stranger.url], ...CREDENTIALS });
    const there: Responder = (response, request) => {
      [server.respond, stranger.respond] = [good, good];
      to(`${server.url}/v2/keys/a`)(response, request);
    };
    [server.respond, stranger.respond] = [there, there];
    expect((await both.setNode("/a", "1")).etcdServer).toBe(server.url);
    for (const { headers } of [...server.requests, ...stranger.requests]) {
      expect(headers.authorization).toMatch(/^Basic /);
    }
  });

  test("at most ten in a row", async () => {
    const countdown: Responder = (response, request) => {
      const left = Number(request.path.split("left=")[1] ?? 10);
      (left === 0 ? good : to(`/v2/keys/a?left=${left - 1}`))(response, request);
    };
    server.respond = countdown;
    expect((await client.setNode("/a", "1")).node.value).toBe("1");
    expect(server.requests).toHaveLength(11);
  });
});

describe("refused redirects: the request was not processed", () => {
  test.each([
    ["in a circle", "/v2/keys/a", 11],
    ["to another scheme", "https://127.0.0.1/v2/keys/a", 1],
    ["to a URL that is not http", "ftp://127.0.0.1/v2/keys/a", 1],
    ["without a Location", "http://[", 1],
    ["with an empty Location", undefined, 1],
  ])("%s", async (_what, location, requests) => {
    server.respond = reply(307, "", { location });
    for (const call of [
      () => client.getNode("/a"),
      () => client.setNode("/a", "1"),
      () => client.watchNode("/a"),
    ]) {
      server.requests.length = 0;
      const error = await call().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(ProtocolError);
      expect(error).toHaveProperty("message", expect.stringMatching(/ \/a at http.*redirect/));
      expect(server.requests).toHaveLength(requests);
    }
  });

  test("to a server that is not an endpoint: it receives nothing", async () => {
    server.respond = (response, request) => to(`${stranger.url}${request.path}`)(response, request);
    for (const call of [
      () => client.getNode("/a"),
      () => client.setNode("/a", "1"),
      () => client.deleteNode("/a"),
      () => client.watchNode("/a"),
      () => client.auth.users.create("ann", { password: "NEW" }),
    ]) {
      const error = await call().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ProtocolError);
      expect(error).toHaveProperty("message", expect.stringContaining(`${stranger.url}, which is`));
    }
    expect(stranger.requests).toEqual([]);
  });

  test("such a server does not receive the password of v3 auth either", async () => {
    const options = { urls: [server.url], api: "v3", ...CREDENTIALS } as const;
    await using v3 = new EtcdClient(options);
    server.respond = to(`${stranger.url}/v3/auth/authenticate`);
    await expect(v3.getNode("/a")).rejects.toThrow("is not one of the endpoints");
    expect(stranger.requests).toEqual([]);
  });

  test.each([300, 303, 304, 305])("%i is not treated as a redirect", async (status) => {
    server.respond = to(`${stranger.url}/v2/keys/a`, status);
    await expect(client.getNode("/a")).rejects.toThrow(ProtocolError);
    await expect(client.setNode("/a", "1")).rejects.toThrow(OutcomeUnknownError);
    expect(stranger.requests).toEqual([]);
  });
});
