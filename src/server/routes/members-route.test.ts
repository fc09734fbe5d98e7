import { expect, it } from "vitest";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import { MemoryClusterApi } from "../../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { ClientUrls } from "../http/client-urls.js";
import { BodyError, type ServerReply, type ServerRequest } from "../http/message.js";
import { Router } from "../http/router.js";
import { membersRoute } from "./members-route.js";

const { members } = new MemoryClusterApi(new MemoryKeySpace(), { id: "f00", name: "m1" });
const membersOwn: ClientUrls = () => undefined;
const options = {
  members,
  clientUrls: membersOwn,
  clusterId: async () => "abc",
  isRoot: async () => true,
};
const NO_ANSWER = new ClusterUnavailableError("anything", []);

it("refuses a body whose sender is no longer root when it has arrived", async () => {
  for (const [method, path] of [
    ["POST", "/v2/members"],
    ["PUT", "/v2/members/f00"],
  ] as const) {
    let isRoot = true;
    const body = async () => {
      isRoot = false;
      return '{"peerURLs":["http://a:1"]}';
    };
    const reply = await send(method, path, { isRoot: async () => isRoot }, body);
    expect(reply).toMatchObject({ status: 401, body: '{"message":"Insufficient credentials"}' });
  }
});

function send(
  method: string,
  path: string,
  served: Partial<typeof options> = {},
  body: ServerRequest["body"] = async () => '{"peerURLs":["http://a:1"]}',
): Promise<ServerReply> {
  const router = new Router([membersRoute({ ...options, ...served })]);
  const headers = { "content-type": "application/json" };
  const { signal } = new AbortController();
  return router.serve({ method, target: path, headers, body, signal }, path, "");
}

it("lists the members", async () => {
  expect(await send("GET", "/v2/members")).toEqual({
    status: 200,
    headers: ["Content-Type", "application/json", "X-Etcd-Cluster-Id", "abc"],
    body: '{"members":[{"id":"f00","name":"m1","peerURLs":[],"clientURLs":[]}]}\n',
  });
});

it("returns the advertised URLs for every started member, also the leader", async () => {
  const own = { peerURLs: [], clientURLs: ["http://etcd:2379"] };
  const list = async () => [
    { ...own, id: "1", name: "m1" },
    { ...own, id: "2", name: "m2" },
    { ...own, id: "3", name: "", clientURLs: [] },
  ];
  const leader = async () => ({ ...own, id: "2", name: "m2" });
  const served = { members: { ...members, list, leader }, clientUrls: () => ["http://a:1"] };
  const shown = JSON.parse(String((await send("GET", "/v2/members", served)).body)).members;
  expect(shown).toMatchObject([
    { id: "1", clientURLs: ["http://a:1"] },
    { id: "2", clientURLs: ["http://a:1"] },
    { id: "3", clientURLs: [] },
  ]);
  expect(JSON.parse(String((await send("GET", "/v2/members/leader", served)).body))).toEqual(
    shown[1],
  );
});

it("lets only root change the membership, and checks this first", async () => {
  const isRoot = async () => false;
  const body = () => Promise.reject(new Error("the body was read"));
  for (const method of ["POST", "PUT", "DELETE"]) {
    expect(await send(method, "/v2/members", { isRoot }, body)).toEqual({
      status: 401,
      headers: ["Content-Type", "application/json"],
      body: '{"message":"Insufficient credentials"}',
    });
  }
  expect(await send("GET", "/v2/members", { isRoot })).toMatchObject({ status: 200 });
});

it("responds like etcd during an election", async () => {
  const leaderless = { ...members, leader: () => Promise.reject(NO_ANSWER) };
  expect(await send("GET", "/v2/members/leader", { members: leaderless })).toMatchObject({
    status: 503,
    body: '{"message":"During election"}',
  });
});

it("responds like etcd if the cluster does not respond", async () => {
  const broken = { ...members, add: () => Promise.reject(NO_ANSWER) };
  expect(await send("POST", "/v2/members", { members: broken })).toMatchObject({
    status: 500,
    body: '{"message":"Internal Server Error"}',
  });
});

it("refuses an invalid body", async () => {
  const body = () => Promise.reject(new BodyError("http: too large"));
  expect(await send("POST", "/v2/members", {}, body)).toMatchObject({
    status: 400,
    body: '{"message":"http: too large"}',
  });
});

it("contains no details of an internal error", async () => {
  const broken = { ...members, list: () => Promise.reject(new TypeError("a mistake")) };
  expect(await send("GET", "/v2/members", { members: broken })).toEqual({
    status: 500,
    headers: [],
    body: "",
  });
});
