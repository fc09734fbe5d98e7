/** What the doctor finds out through endpoints, also through servers that hang or lie. */

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import type { EtcdProcess } from "../../scripts/etcd-process.mjs";
import { buildIfStale } from "../../scripts/project.mjs";
import { collectCluster } from "../../src/doctor/collect/cluster-facts.js";
import { ClusterCommands } from "../../src/doctor/commands.js";
import { diagnoseCluster } from "../../src/doctor/diagnose.js";
import type { Diagnosis, Finding } from "../../src/doctor/finding.js";
import { etcdnet } from "../cli/etcdnet.js";
import { describeWithEtcd } from "../support/etcd.js";
import { putKey, startMembers, v2 } from "./old-member.js";

beforeAll(buildIfStale);

interface Options {
  readonly to?: string;
  readonly walkTimeout?: number;
  readonly requestTimeout?: number;
  readonly username?: string;
  readonly password?: string;
}

async function doctor(urls: readonly string[], options: Options = {}): Promise<Diagnosis> {
  const { to, walkTimeout = 60_000, ...client } = options;
  const facts = await collectCluster({ client: { ...client, urls }, keyPrefix: "", walkTimeout });
  return diagnoseCluster(facts, new ClusterCommands(urls), to);
}

function found({ findings }: Diagnosis, id: string): Finding | undefined {
  return findings.find((finding) => finding.id === id);
}

const ids = ({ findings }: Diagnosis): readonly string[] => findings.map(({ id }) => id);

async function call({ url }: EtcdProcess, path: string, body: object): Promise<string> {
  const response = await fetch(`${url}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
  return await response.text();
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Index of the last entry in raft's log. */
async function lastEntry(member: EtcdProcess): Promise<string | undefined> {
  const [, index] = /"raftIndex":"(\d+)"/.exec(await call(member, "maintenance/status", {})) ?? [];
  return index;
}

describeWithEtcd("3.5", "the doctor on endpoints of etcd 3.5", () => {
  test("counts the v2 keys, says what stands in the way, and writes nothing", async () => {
    await using members = await startMembers("3.5", { v2: true });
    const [member] = members;
    await putKey(member, "/a/b", "x".repeat(1000));
    await putKey(member, `/deep${"/d".repeat(70)}`);
    await putKey(member, "/odd/%FF");
    await putKey(member, "/_hidden");
    await call(member, "kv/put", { key: base64("/a/b"), value: base64("other") });
    const before = await lastEntry(member);
    await doctor([member.url]);
    expect(await lastEntry(member)).toBe(before);

    // From now on, etcd itself adds an entry every 500 ms.
    await v2(member, "PUT", "/v2/keys/t", new URLSearchParams({ value: "1", ttl: "1000" }));
    const diagnosis = await doctor([member.url]);

    expect(diagnosis).toMatchObject({ from: "3.5", to: "3.6" });
    expect(found(diagnosis, "v2-keys")).toMatchObject({ severity: "blocks" });
    expect(found(diagnosis, "v2-keys")?.found[0]).toMatch(
      /^4 keys and 72 directories, 1 with a TTL, \d+ bytes$/,
    );
    expect(found(diagnosis, "v2-keys")?.found).toContain('largest value: 1000 bytes, "/a/b"');
    expect(found(diagnosis, "v2-too-deep")).toMatchObject({ severity: "warning" });
    expect(found(diagnosis, "v2-not-utf8")).toMatchObject({ severity: "warning" });
    expect(found(diagnosis, "v3-keys")?.found).toEqual(["1 key"]);
    expect(found(diagnosis, "v2-hidden-keys")?.problem).toMatch(/^Not checked: /);
    expect(found(diagnosis, "v2-hidden-keys")?.mend).toContain("etcdnet doctor --data-dir DIR");
    expect(found(diagnosis, "v2-api")?.found).toEqual([member.url]);
    expect(found(diagnosis, "files-not-checked")).toMatchObject({ severity: "blocks" });
    expect(JSON.stringify(diagnosis)).not.toContain("xxx");
  });

  test("names what it could not find out, because a user is needed", async () => {
    await using members = await startMembers("3.5", { v2: true });
    const [member] = members;
    const root = { user: "root", password: "secret" };
    await v2(member, "PUT", "/v2/auth/users/root", JSON.stringify(root));
    await v2(member, "PUT", "/v2/auth/enable");
    await v2(member, "DELETE", "/v2/auth/roles/guest");
    const anonymous = await doctor([member.url]);
    expect(found(anonymous, "v2-keys-unknown")).toMatchObject({ severity: "blocks" });
    expect(found(anonymous, "v2-auth-unknown")).toMatchObject({ severity: "blocks" });

    await call(member, "auth/user/add", { name: "root", password: "secret" });
    await call(member, "auth/role/add", { name: "root" });
    await call(member, "auth/user/grant", { user: "root", role: "root" });
    await call(member, "auth/enable", {});
    const refused = await doctor([member.url]);
    expect(found(refused, "endpoint-failed")?.found.join()).toContain("user name is empty");

    const asRoot = await doctor([member.url], { username: "root", password: "secret" });
    expect(ids(asRoot)).not.toContain("v2-keys-unknown");
    expect(found(asRoot, "v3-auth")?.problem).toContain("v3 auth is enabled");
    expect(found(asRoot, "v2-auth")?.mend).toContain(
      `etcdnet --endpoints ${member.url} user remove root`,
    );
    expect(JSON.stringify(asRoot)).not.toContain("secret");
  });

  test("notices members that were not asked, and members that hang", async () => {
    await using members = await startMembers("3.5", { v2: true, size: 3 });
    const [first, second, third] = members.map(({ url }) => url);
    const one = await doctor([first ?? ""]);
    expect(found(one, "member-not-asked")?.found).toHaveLength(2);
    expect(found(one, "member-not-asked")?.mend[0]).toContain(second);

    members.at(-1)?.pause();
    const hanging = await doctor([first ?? "", second ?? "", third ?? ""], {
      requestTimeout: 1_000,
    });
    members.at(-1)?.resume();
    expect(found(hanging, "endpoint-failed")?.problem).toContain(third);
    expect(found(hanging, "member-not-asked")?.found).toHaveLength(1);
  });

  test("the command prints the findings and exits with 1, or prints JSON", async () => {
    await using members = await startMembers("3.5", { args: ["--quota-backend-bytes=10000"] });
    const [member] = members;
    await call(member, "kv/put", { key: base64("k"), value: base64("v") });
    const text = await etcdnet(["doctor", "--endpoints", member.url]);
    expect(text).toMatchObject({ code: 1, stderr: "" });
    expect(text.stdout).toContain("blocks: files-not-checked: Not checked: ");
    expect(text.stdout).toMatch(
      /\nnot clear: \d+ findings? blocks? the upgrade from etcd 3\.5 to 3\.6\n$/,
    );

    const json = await etcdnet(["doctor", "--endpoints", member.url, "-o", "json"]);
    expect(json.code).toBe(1);
    const diagnosis = JSON.parse(json.stdout);
    expect(diagnosis).toMatchObject({ from: "3.5", to: "3.6", clear: false });
    expect(found(diagnosis, "alarm-nospace")).toMatchObject({ severity: "blocks" });
  });

  test("the command refuses a directory in use, and one that is none", async () => {
    await using members = await startMembers("3.5");
    for (const directory of [members[0].dataDir, "/no/such/directory", "/"]) {
      const { code, stdout, stderr } = await etcdnet(["doctor", "--data-dir", directory]);
      expect([code, stderr]).toEqual([1, ""]);
      expect(stdout).toContain("blocks: files-unreadable: Not checked: ");
      expect(stdout).toContain(directory);
    }
    const both = await etcdnet(["doctor", "--data-dir", "/x", "--endpoints", "http://127.0.0.1:1"]);
    expect(both.code).toBe(1);
    expect(both.stderr).toContain("--endpoints is for a running cluster");
  });
});

describeWithEtcd("3.4", "the doctor on endpoints of etcd 3.4", () => {
  test("is clear for etcd 3.5, which keeps the v2 keys", async () => {
    await using members = await startMembers("3.4", { v2: true });
    await putKey(members[0], "/a");
    const diagnosis = await doctor([members[0].url]);
    expect(diagnosis).toMatchObject({ from: "3.4", to: "3.5" });
    expect(diagnosis.findings.filter(({ severity }) => severity === "blocks")).toEqual([]);
    expect(found(diagnosis, "v2-keys")).toMatchObject({ severity: "note" });
  });
});

/** Says that it is an etcd 3.5, and shows v2 keys without end. */
const endlessKeys: RequestListener = ({ url = "" }, response) => {
  const header = { cluster_id: "1", member_id: "1", revision: "1", raft_term: "1" };
  const [path = ""] = url.split("?");
  const key = path.replace("/v2/keys", "").replace(/\/$/, "");
  const node = { dir: true, createdIndex: 1, modifiedIndex: 1 };
  const own = key === "" ? {} : { key };
  const answers: readonly (readonly [string, object])[] = [
    ["/v3/maintenance/status", { header, version: "3.5.35", leader: "1" }],
    ["/v3/", { header }],
    ["/version", { etcdserver: "3.5.35", etcdcluster: "3.5.0" }],
    [
      "/v2/keys",
      { action: "get", node: { ...node, ...own, nodes: [{ ...node, key: `${key}/a` }] } },
    ],
  ];
  const [, answer = {}] = answers.find(([start]) => path.startsWith(start)) ?? [];
  response.setHeader("content-type", "application/json").setHeader("x-etcd-index", "1");
  response.end(JSON.stringify(answer));
};

test("the doctor ends on a server that shows keys without end", async () => {
  const server = createServer(endlessKeys).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const diagnosis = await doctor([`http://127.0.0.1:${port}`], { walkTimeout: 300 });
    const unknown = found(diagnosis, "v2-keys-unknown");
    expect(unknown?.found.join(), JSON.stringify(ids(diagnosis))).toMatch(
      /within 0.3 s: \d+ so far/,
    );
    expect(unknown?.severity).toBe("blocks");
  } finally {
    server.close().closeAllConnections();
  }
});

describe("the doctor on a server that is no etcd", () => {
  const answers: readonly (readonly [string, RequestListener])[] = [
    ["never responds", () => {}],
    ["sends one byte a second", (_, response) => void response.write(" ")],
    ["responds with a page", (_, response) => response.end("<html>hello</html>")],
    ["responds with an empty object", (_, response) => response.end("{}")],
    [
      "lies about its version",
      (_, response) => response.end('{"header":{"member_id":"1"},"version":"9.x","leader":"1"}'),
    ],
    ["cuts the connection", (_, response) => response.destroy()],
  ];

  test.concurrent.each(answers)("that %s, is not clear after bounded time", async (_, answer) => {
    const server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    try {
      const diagnosis = await doctor([url], { requestTimeout: 500, walkTimeout: 1_000 });
      const blocking = diagnosis.findings.filter(({ severity }) => severity === "blocks");
      expect(blocking.length).toBeGreaterThan(0);
      expect(JSON.stringify(blocking)).toMatch(/Not checked: /);
    } finally {
      server.close().closeAllConnections();
    }
  });
});
