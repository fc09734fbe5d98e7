import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { type Responder, reply, startOddServer } from "../odd-server.js";
import { toBase64 } from "../support/base64.js";
import { shortTtl } from "../support/cpu-share.js";

/** Milliseconds in which a busy process can send the first requests of a call. */
const TIMEOUT = 300 * shortTtl();

const HEADER = { cluster_id: "1", member_id: "1", revision: "5", raft_term: "1" };
const GRPC_CODE = 3;
const refusal = (message: string) => JSON.stringify({ error: message, message, code: GRPC_CODE });

/** Responds to v3 calls in JSON, by path; to unknown paths as a server without HTTP/2. */
function v3(respond: (path: string, body: string) => object | string): Responder {
  return (response, request) => {
    const content = respond(request.path, request.body);
    const isError = typeof content === "string";
    const body = isError ? refusal(content) : JSON.stringify({ header: HEADER, ...content });
    reply(isError ? 400 : 200, body)(response, request);
  };
}

/** Finds this in each operation of a transaction. */
const finds = (range: object) => ({
  succeeded: true,
  responses: Array(200).fill({ response_range: range }),
});

async function withServer(
  responder: Responder,
  options: Omit<EtcdClientOptions, "urls">,
  use: (client: EtcdClient, requests: readonly unknown[]) => Promise<void>,
): Promise<void> {
  await using server = await startOddServer(responder);
  const limits = { timeout: TIMEOUT, requestTimeout: TIMEOUT, writeTimeout: TIMEOUT };
  await using client = new EtcdClient({ urls: [server.url], ...limits, ...options });
  await use(client, server.requests);
}

interface RangeOperation {
  readonly request_range: { readonly key: string; readonly range_end?: string };
}

const NOT_COMPLETED = { name: "TimeoutError", timeout: TIMEOUT };
const COMPACTED = "etcdserver: mvcc: required revision has been compacted";
const LEASE_EXISTS = "etcdserver: lease already exists";
/** One page of a listing that is never complete. */
const PAGE = { kvs: [{ key: toBase64("/d/1"), mod_revision: "4" }], more: true };

test("a listing ends although every read is refused as compacted", async () => {
  const offsetIsKnown = (body: string) => !body.includes(toBase64("/d/"));
  const responder = v3((_path, body) => (offsetIsKnown(body) ? finds({}) : COMPACTED));
  await withServer(responder, { api: "v3" }, async (client) => {
    await expect(client.getNode("/d")).rejects.toMatchObject(NOT_COMPLETED);
  });
});

test("a listing ends although every page has another one", async () => {
  const responder = v3((_path, body) => {
    const { success: reads = [] } = JSON.parse(body || "{}");
    const responses = reads.map(({ request_range: { range_end } }: RangeOperation) => ({
      response_range: range_end === undefined ? {} : PAGE,
    }));
    return { succeeded: true, responses: body.includes(toBase64("/d/")) ? responses : [] };
  });
  await withServer(responder, { api: "v3" }, async (client) => {
    await expect(client.getNode("/d", { recursive: true })).rejects.toMatchObject({
      name: "ProtocolError",
    });
  });
});

test("an update of a directory ends although its nodes have no end", async () => {
  const text = (base64 = ""): string => Buffer.from(base64, "base64").toString();
  const responder = v3((path, body) => {
    if (path.endsWith("grant")) return { ID: "7", TTL: "60" };
    const { success = [] } = JSON.parse(body || "{}");
    const responses = success.map(({ request_range: range }: Partial<RangeOperation>) => {
      if (range === undefined) return { response_put: {} };
      const key = text(range.key);
      if (range.range_end !== undefined) {
        const page = { kvs: [{ key: toBase64(`${key}~`), mod_revision: "4" }], more: true };
        return { response_range: key.startsWith("/d/") ? page : {} };
      }
      const isMarker = key.endsWith("d/d");
      return { response_range: { kvs: isMarker ? [{ key: range.key, mod_revision: "4" }] : [] } };
    });
    return { succeeded: true, responses };
  });
  await withServer(responder, { api: "v3" }, async (client) => {
    const update = client.updateNode("/d", null, { dir: true, ttl: 60 });
    await expect(update).rejects.toMatchObject({ name: "OutcomeUnknownError" });
  });
});

test("a write ends although every lease exists already", async () => {
  const responder = v3((path) => (path.endsWith("grant") ? LEASE_EXISTS : finds({})));
  await withServer(responder, { api: "v3", timeout: 60_000 }, async (client, requests) => {
    await expect(client.setNode("/a", "1", { ttl: 60 })).rejects.toMatchObject({
      detail: LEASE_EXISTS,
    });
    expect(requests.length).toBeLessThan(50);
  });
});

test.each(["get", "set"])(
  "the timeout of a %s on v3 includes authentication and the read of the index offset",
  async (action) => {
    const slow: Responder = async (response, request) => {
      if (request.path.startsWith("/v3/")) await delay(TIMEOUT * 0.4);
      v3((path) => (path.endsWith("authenticate") ? { token: "t" } : finds({})))(response, request);
    };
    const credentials = { username: "u", password: "p" };
    await withServer(slow, { api: "v3", ...credentials }, async (client) => {
      const call = action === "get" ? client.getNode("/a") : client.setNode("/a", "1");
      await expect(call).rejects.toMatchObject(NOT_COMPLETED);
    });
  },
);

test("the timeout includes all redirects", async () => {
  const slow: Responder = async (response, request) => {
    await delay(TIMEOUT * 0.3);
    reply(307, "", { location: request.path })(response, request);
  };
  await withServer(slow, {}, async (client) => {
    await expect(client.getNode("/a")).rejects.toMatchObject({ name: "TimeoutError" });
    await expect(client.setNode("/a", "1")).rejects.toMatchObject({
      cause: { name: "TimeoutError" },
    });
    const [health] = await client.health();
    expect(health?.reason).toMatch(/no response within/);
  });
});

test("a watch on v3 waits between attempts when each response is from another cluster", async () => {
  let clusters = 0;
  const others = v3(() => ({ header: { ...HEADER, cluster_id: `${++clusters}` }, ...finds({}) }));
  await withServer(others, { api: "v3" }, async (client, requests) => {
    const watching = client.watch("/d", { recursive: true });
    const polling = client.watchNode("/a").catch(() => {});
    await delay(TIMEOUT);
    expect(requests.length).toBeLessThan(100);
    watching.close();
    await client.close();
    await polling;
  });
});
