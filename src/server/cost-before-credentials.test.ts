import { expect, it } from "vitest";
import { AuthStore } from "../auth/auth-store.js";
import { MemoryClusterApi } from "../key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { enforceAuth } from "./auth/enforce-auth.js";
import { createV2Handler } from "./create-v2-handler.js";
import type { V2Handler } from "./http/message.js";
import { BodyError, type ServerReply } from "./http/message.js";

const MIB = 1024 * 1024;

/** CPU milliseconds for a request without credentials. The limit also holds on a busy machine. */
const MAX_CPU_MS = 50;

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JSON_TYPE = { "content-type": "application/json" };

const ROUTES: readonly (readonly [string, string])[] = [
  ...["PUT", "POST", "GET", "DELETE", "HEAD", "OPTIONS", "PATCH"].map(
    (method) => [method, "/v2/keys/a"] as const,
  ),
  ["POST", "/v2/members"],
  ["PUT", "/v2/members/1"],
  ["GET", "/v2/members"],
  ["PUT", "/v2/auth/users/a"],
  ["PUT", "/v2/auth/roles/a"],
  ["PUT", "/v2/auth/enable"],
  ["GET", "/v2/auth/enable"],
  ["PUT", "/config/local/log"],
  ["GET", "/v2/machines"],
  ["GET", "/v2/stats/self"],
  ["GET", "/version"],
  ["GET", "/health"],
  ["GET", "/metrics"],
  ["PUT", "/nowhere"],
];

const BODIES: readonly (readonly [string, string])[] = [
  ["many parameters", "a&".repeat(5 * MIB)],
  ["escapes", "%41=&".repeat(2 * MIB)],
  ["a large list", `[${"1,".repeat(5 * MIB)}1]`],
  ["many members", `{${Array.from({ length: 500_000 }, (_, i) => `"a${i}":1`).join(",")}}`],
  ["a large field", `{"Level":"${"<".repeat(9 * MIB)}","user":"a","peerURLs":[]}`],
];

/** Bytes of a user, a role or a member. */
const MAX_JSON = 256 * 1024;

/** JSON of the maximum size, each split into its beginning and its end. */
const JSON_BODIES: readonly (readonly [string, string, string])[] = [
  ["numbers", `[${"1,".repeat(MAX_JSON / 2 - 2)}`, "1]"],
  ["fractions", `[${"1.5e1,".repeat(MAX_JSON / 6 - 2)}`, "1]"],
  ["lists", `[${"[],".repeat(MAX_JSON / 3 - 2)}`, "1]"],
  ["objects", `[${"{},".repeat(MAX_JSON / 3 - 2)}`, "1]"],
  ["spaces", `[${"1 ,".repeat(MAX_JSON / 3 - 2)}`, "1]"],
  ["texts", `[${'"",'.repeat(MAX_JSON / 3 - 2)}`, "1]"],
  ["letters", `["${"a".repeat(MAX_JSON - 6)}`, '"]'],
  ["escapes", `["${"\\n".repeat(MAX_JSON / 2 - 3)}`, '"]'],
  ["Unicode escapes", `["${"\\u0041".repeat(MAX_JSON / 6 - 2)}`, '"]'],
  ["texts of a member", `{"roles":[${'"",'.repeat(MAX_JSON / 3 - 10)}`, '""]}'],
  [
    "members",
    `{${Array.from({ length: 15_000 }, (_, i) => `"${i.toString(36)}":1,`).join("")}`,
    '"b":1}',
  ],
  ["equal members", `{${'"":1,'.repeat(MAX_JSON / 5 - 2)}`, '"":1}'],
  ["members of one name", `{${'"user":"",'.repeat(MAX_JSON / 10 - 2)}`, '"":1}'],
  ["levels", "[".repeat(9_000), "]".repeat(9_000)],
];

const TARGETS: readonly (readonly [string, string])[] = [
  ["slashes", `/v2/keys${"/".repeat(MIB)}`],
  ["levels", `/v2/keys${"/a".repeat(MIB / 2)}`],
  ["levels up", `/v2/keys${"/a/..".repeat(MIB / 5)}`],
  ["escapes", `/v2/keys/${"%61".repeat(MIB / 3)}`],
  ["escapes that are not UTF-8", `/v2/keys/${"%ff".repeat(MIB / 3)}`],
  ["escapes in a path to be cleaned", `/v2/keys//${"%20".repeat(MIB / 3)}`],
  ["parameters", `/v2/keys/a?${"a&".repeat(MIB / 2)}`],
  ["a member", `/v2/members/${"f".repeat(MIB)}`],
  ["a user", `/v2/auth/users/${"<".repeat(MIB)}`],
];

const HEADERS: readonly (readonly [string, Record<string, string>])[] = [
  ["an open string", { "content-type": `a/b;x="${"\\(".repeat(MIB / 2)}` }],
  ["parameters", { "content-type": `a/b${";x=1".repeat(MIB / 4)}` }],
  ["spaces", { "content-type": `a/b;${" ".repeat(MIB)}x` }],
  ["an origin", { host: "127.0.0.1", origin: `http://${"é".repeat(MIB)}` }],
  ["a host", { host: ":".repeat(MIB), origin: "http://a" }],
  ["a host of a program", { host: "é".repeat(MIB) }],
  ["credentials", { ...FORM, authorization: `Basic ${"QUFB".repeat(MIB / 4)}` }],
];

async function handlerWith(auth: "on" | "off"): Promise<V2Handler> {
  const keySpace = new MemoryKeySpace();
  const authKeySpace = new MemoryKeySpace();
  if (auth === "on") await enforceAuth(new AuthStore(authKeySpace), "secret");
  const clusterApi = new MemoryClusterApi(keySpace);
  return createV2Handler({ keySpace, authKeySpace, clusterApi, clusterId: async () => "abc" });
}

const withAuth = await handlerWith("on");
const withoutAuth = await handlerWith("off");

/** The response, and the CPU milliseconds it took: the minimum of three, because the first run compiles. */
async function cost(
  method: string,
  target: string,
  headers: Record<string, string>,
  text = "",
  handler = withAuth,
): Promise<readonly [ServerReply, number]> {
  const body = async (maxSize = text.length): Promise<string> => {
    if (text.length > maxSize) throw new BodyError("http: POST too large");
    return text;
  };
  const { signal } = new AbortController();
  const costs: number[] = [];
  for (;;) {
    const before = process.cpuUsage();
    const reply = await handler({ method, target, headers, body, signal });
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1_000);
    if (costs.length === 3) return [reply, Math.min(...costs)];
  }
}

/** Also expects a response of at most three times the size of the request. */
async function expectCheap(
  method: string,
  target: string,
  headers = {},
  text = "",
  handler = withAuth,
): Promise<void> {
  const [reply, cpu] = await cost(method, target, headers, text, handler);
  expect(cpu).toBeLessThan(MAX_CPU_MS);
  const size = target.length + JSON.stringify(headers).length + text.length;
  expect(String(reply.body).length).toBeLessThan(3 * size + 10_000);
}

for (const [method, path] of ROUTES) {
  it.each(BODIES)(`${method} ${path} with %s in the body`, async (_what, text) => {
    const isForm = path.startsWith("/v2/keys");
    await expectCheap(method, path, isForm ? FORM : JSON_TYPE, text);
  });
}

for (const path of ["/v2/auth/users/a", "/v2/members"]) {
  it.each(JSON_BODIES)(
    `${path} with %s in the body while auth is off`,
    async (_what, begin, end) => {
      const method = path === "/v2/members" ? "POST" : "PUT";
      for (const text of [begin, begin + end, `${begin}${end}x`]) {
        await expectCheap(method, path, JSON_TYPE, text, withoutAuth);
      }
    },
  );
}

it.each(TARGETS)("a target of %s", async (_what, target) => {
  for (const method of ["GET", "PUT", "DELETE"]) await expectCheap(method, target);
});

it.each(HEADERS)("a header with %s", (_what, headers) => expectCheap("PUT", "/v2/keys/a", headers));
