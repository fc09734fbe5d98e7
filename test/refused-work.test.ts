import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClusterUnavailableError, EtcdClient, OutcomeUnknownError } from "../src/index.js";
import { MemoryClusterApi } from "../src/key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../src/key-space/memory/memory-key-space.js";
import { createV2Handler } from "../src/server/create-v2-handler.js";
import { OverloadError, type ServerReply } from "../src/server/http/message.js";
import { good, type OddServer, type Responder, reply, startOddServer } from "./odd-server.js";

const keySpace = new MemoryKeySpace();
const handler = createV2Handler({
  keySpace,
  authKeySpace: new MemoryKeySpace(),
  clusterApi: new MemoryClusterApi(keySpace),
  clusterId: async () => "abc",
});

/** The response of an etcdnet server that ends a request to free memory for others. */
function refuse(method: string, target: string, type: string): Promise<ServerReply> {
  return handler({
    ...{ method, target, headers: { "content-type": type } },
    body: () => Promise.reject(new OverloadError()),
    signal: new AbortController().signal,
  });
}

const FORM = "application/x-www-form-urlencoded";
const MARK = { "etcdnet-processed": "no" };

let servers: OddServer[];
let client: EtcdClient;
beforeEach(async () => {
  servers = await Promise.all([startOddServer(good), startOddServer(good)]);
  client = new EtcdClient({ urls: servers.map(({ url }) => url) });
});
afterEach(async () => {
  await client.close();
  for (const server of servers) await server[Symbol.asyncDispose]();
});

function respondAll(respond: Responder): void {
  for (const server of servers) server.respond = respond;
}

/** Has one response for the first request and another for all later ones, at any endpoint. */
function counted(respond: Responder, after: Responder = respond): { requests: number } {
  const count = { requests: 0 };
  respondAll((response, request) => (count.requests++ === 0 ? respond : after)(response, request));
  return count;
}

describe("a request that a server of etcdnet refuses for too many requests", () => {
  it.each([
    ["PUT", "/v2/keys/a", FORM],
    ["POST", "/v2/keys/a", FORM],
    ["PUT", "/v2/auth/users/root", "application/json"],
    ["PUT", "/v2/auth/roles/dev", "application/json"],
    ["POST", "/v2/members", "application/json"],
  ])("is marked as not processed: %s %s", async (method, target, type) => {
    const { status, headers, body } = await refuse(method, target, type);
    expect(status).toBe(503);
    expect(headers.slice(headers.indexOf("etcdnet-processed"))).toEqual([
      "etcdnet-processed",
      "no",
    ]);
    expect(body).toContain("etcdserver: too many requests");
  });

  it("is tried at the next endpoint, also if it is a write", async () => {
    const { status, headers, body } = await refuse("PUT", "/v2/keys/a", FORM);
    const refused: Responder = (response) => response.writeHead(status, [...headers]).end(body);
    const count = counted(refused, good);
    expect((await client.setNode("/a", "1")).node.value).toBe("1");
    expect(count.requests).toBe(2);
  });

  it("fails as not processed when all endpoints refuse it", async () => {
    const count = counted(reply(503, '{"message":"etcdserver: too many requests"}', MARK));
    await expect(client.setNode("/a", "1")).rejects.toThrow(ClusterUnavailableError);
    expect(count.requests).toBe(2);
  });
});

describe("the outcome of a write stays unknown", () => {
  const body =
    '{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: too many requests"}';
  it.each<[string, Responder]>([
    ["after any other 503", reply(503, body)],
    ["after a 503 of a proxy", reply(503, "<html>Service Unavailable</html>")],
    ["when the mark has another value", reply(503, body, { "etcdnet-processed": "yes" })],
    ["when another status has the mark", reply(500, body, MARK)],
    ["when a proxy's timeout has the mark", reply(504, "", MARK)],
  ])("%s", async (_when, respond) => {
    const count = counted(respond);
    await expect(client.setNode("/a", "1")).rejects.toThrow(OutcomeUnknownError);
    expect(count.requests).toBe(1);
  });
});
