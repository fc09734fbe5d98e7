import { describe, expect, it } from "vitest";
import { MemoryClusterApi } from "../../src/key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { createV2Handler } from "../../src/server/create-v2-handler.js";
import { listen } from "../../src/server/http/http-server.js";
import type { V2Handler } from "../../src/server/http/message.js";
import { decodeBytes } from "../../src/wire/decode-path.js";
import { HttpPipe } from "../fuzz/http-pipe.js";
import { headerObject } from "../support/header-object.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { BODY, FINDINGS, type Finding } from "./fuzz-findings.js";

describe("found by the differential fuzz", () => {
  it.each(FINDINGS)("$name", async ({ requests, status, body, headers = {} }) => {
    const handler = handlerOn(new MemoryKeySpace());
    const replies = [];
    for (const request of requests) replies.push(await send(handler, request));
    const reply = replies.at(-1);
    expect(reply).toMatchObject({ status, body });
    for (const [name, value] of Object.entries(headers)) {
      expect(reply?.headers.get(name)).toBe(value);
    }
  });

  it("nodes with the same expiry are removed in the order of their creation", async () => {
    const clock = new SimulatedClock();
    const keySpace = new MemoryKeySpace({ clock });
    const keys = ["/a", "/b", "/c", "/d", "/e", "/f", "/g"];
    for (const key of keys) await keySpace.execute({ action: "set", key, value: "", ttl: 1 });
    clock.advance(2_000);
    const expired = keySpace.snapshot().history.filter(({ action }) => action === "expire");
    expect(expired.map(({ node }) => node.key)).toEqual(keys);
  });

  it("a redirected HEAD has no Content-Length", async () => {
    const answer = await bySocket("HEAD", "/v2/keys//a");
    expect(answer.status).toBe(301);
    expect(answer.headers.has("content-length")).toBe(false);
    expect(answer.headers.has("transfer-encoding")).toBe(false);
  });
});

function handlerOn(keySpace: MemoryKeySpace): V2Handler {
  return createV2Handler({
    keySpace,
    clusterApi: new MemoryClusterApi(keySpace),
    authKeySpace: new MemoryKeySpace(),
    clusterId: async () => keySpace.clusterId,
    cors: ["*"],
  });
}

async function send(handler: V2Handler, [method, target, type]: Finding["requests"][number]) {
  const reply = await handler({
    method,
    target,
    headers: { host: "a", "content-type": type },
    body: async () => decodeBytes(BODY),
    signal: new AbortController().signal,
  });
  const names = Object.entries(headerObject(reply.headers)).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
  const headers = new Map(names as [string, string][]);
  if (typeof reply.body === "string") return { ...reply, headers, body: reply.body };
  let body = "";
  for await (const piece of reply.body) body += piece;
  return { ...reply, headers, body };
}

async function bySocket(method: string, target: string) {
  const server = await listen(handlerOn(new MemoryKeySpace()), { host: "127.0.0.1", port: 0 });
  const pipe = new HttpPipe(server.url);
  const reply = await pipe.call({ method, target });
  pipe.close();
  await server.close();
  return reply;
}
