/** Whether users with the rights in docs/v3.md can reach the users and roles of the gateway. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { V3Credentials } from "../../src/etcd3/remote-v3-api.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { exportTree } from "../../src/transfer/export/export-tree.js";
import { toBase64 } from "../support/base64.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { SEED } from "../support/seed.js";
import { ROOT } from "../v3/v3-auth.js";
import { apiOf, V3Tool } from "../v3/v3-tools.js";

const GATEWAY = { username: "gateway", password: "of the gateway" };
/** Texts that no response may contain: hashes, and names that no path below has. */
const SECRET = /scrypt:|somebody|top-role/;
const BASIC = `Basic ${Buffer.from("root:top").toString("base64")}`;

interface Right {
  readonly who: string;
  readonly from: string;
  readonly to: string | undefined;
  readonly permType: "READ" | "READWRITE";
}

/** The table of rights in docs/v3.md, for a key prefix. */
function documentedRights(keyPrefix: string): readonly Right[] {
  const docs = readFileSync("docs/v3.md", "utf8");
  const [, section = ""] = docs.split("## Permissions under v3 auth");
  const rows = section.matchAll(/^\| (.+) \| `(.+)` \| (?:`(.+)`|one key) \| (read.*) \|$/gm);
  const keyOf = (shown: string): string =>
    shown
      .replace("\\0", "\0")
      .replace("/E", `/${encodeURIComponent(keyPrefix)}`)
      .replace(/^P/, keyPrefix);
  return [...rows].map(([, who = "", from = "", to, right]) => ({
    ...{ who, from: keyOf(from), to: to && keyOf(to) },
    permType: right === "read" ? "READ" : "READWRITE",
  }));
}

const isOfGateway = ({ who }: Right): boolean => who.includes("a gateway");
const isOfNobodyElse = ({ who }: Right): boolean => who === "a gateway";
const isOfApplication = ({ who }: Right): boolean => who.includes("application");

async function addUser(
  tool: V3Tool,
  { username, password }: V3Credentials,
  rights: readonly Right[],
) {
  await tool.ask("auth/user/add", { name: username, password });
  await tool.ask("auth/role/add", { name: username });
  await tool.ask("auth/user/grant", { user: username, role: username });
  for (const { from, to, permType } of rights) {
    const range = { key: toBase64(from), ...(to !== undefined && { range_end: toBase64(to) }) };
    await tool.ask("auth/role/grant", { name: username, perm: { permType, ...range } });
  }
}

/** Every key outside all trees, with its etcd fields. */
async function authRecords(tool: V3Tool): Promise<string> {
  const range = { key: toBase64("etcdnet_"), range_end: toBase64("etcdnet`") };
  return JSON.stringify((await tool.ask("kv/range", range)).kvs);
}

const segment = fc.oneof(
  fc.constantFrom(
    ...[
      "",
      ".",
      "..",
      "\0",
      "a\0",
      "\0etcdnet",
      "app\0etcdnet",
      "apps\0etcdnet",
      "apps",
      "app",
      "d",
      "o",
    ],
    ...[
      "auth",
      "users",
      "roles",
      "enabled",
      "=mallory",
      "=root",
      "etcdnet_auth",
      "%2Fapps=",
      "=",
      "etcdnet",
    ],
    ...["%00", "%2e%2e", "ü", "\u{10ffff}", "_hidden", "x".repeat(300), "etcdnet_auth/%2Fapps="],
  ),
  fc.string({ unit: "binary", maxLength: 3 }),
);
const path = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => `/${segments.join("/")}`.toWellFormed());

describeWithEtcd("3.7", "users and roles of a gateway", () => {
  let etcd: EtcdCluster;
  let tool: V3Tool;
  let gateway: Gateway;
  /** Key spaces of every prefix around the gateway's, for users with all rights in docs/v3.md. */
  let keySpaces: readonly V3KeySpace[];
  const rights = new Map(
    ["", "/apps", "/apps/app"].map(
      (keyPrefix) => [keyPrefix, documentedRights(keyPrefix)] as const,
    ),
  );

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    const starter = new V3Tool(etcd.urls);
    await addUser(starter, ROOT, []);
    await addUser(starter, GATEWAY, rights.get("/apps")?.filter(isOfGateway) ?? []);
    const users = [...rights].map(([keyPrefix, all], number) => ({
      ...{ keyPrefix, username: `app${number}`, password: `secret ${number}` },
      rights: all.filter(isOfApplication),
    }));
    for (const user of users) await addUser(starter, user, user.rights);
    const migrator = { keyPrefix: "", username: "migrator", password: "secret" };
    await addUser(
      starter,
      migrator,
      rights.get("")?.filter(({ who }) => /migrate/.test(who)) ?? [],
    );
    await starter.ask("auth/enable", {});
    starter.close();
    tool = new V3Tool(etcd.urls, ROOT);
    gateway = await createGateway({
      etcd: { urls: etcd.urls, keyPrefix: "/apps", ...GATEWAY },
      rootPassword: "top",
    });
    await ask("PUT", "/v2/auth/roles/top-role", { role: "top-role", permissions: {} });
    await ask("PUT", "/v2/auth/users/mallory", {
      user: "mallory",
      password: "m",
      roles: ["top-role"],
    });
    await ask("PUT", "/v2/auth/users/somebody", { user: "somebody", password: "s" });
    await ask("PUT", "/v2/keys/app/of-mine?value=x");
    keySpaces = [...users, migrator].map(
      ({ keyPrefix, username, password }) =>
        new V3KeySpace(apiOf(etcd.urls, { username, password }), { keyPrefix }),
    );
  });
  afterAll(async () => {
    await Promise.all((keySpaces ?? []).map((keySpace) => keySpace.close()));
    await gateway?.close();
    tool?.close();
    await etcd?.stop();
  });

  async function ask(method: string, target: string, body?: object): Promise<string> {
    const answer = await fetch(gateway.url + target, {
      method,
      headers: { authorization: BASIC },
      redirect: "manual",
      ...(body && { body: JSON.stringify(body) }),
    });
    return await answer.text();
  }

  it("exist in etcd and for root", async () => {
    expect(await authRecords(tool)).toMatch(
      toBase64("etcdnet_auth/%2Fapps=/users/=mallory").slice(0, -4),
    );
    expect(await ask("GET", "/v2/auth/users")).toMatch(SECRET);
  });

  it("are in no range for which docs/v3.md names a right of another user", async () => {
    expect(rights.get("/apps")).toHaveLength(8);
    const auth = documentedRights("/apps").find(({ from }) => from.startsWith("etcdnet_auth"));
    for (const right of [...rights.values()].flat().filter((each) => !isOfNobodyElse(each))) {
      const isBeside = right.to === undefined ? right.from < "etcdnet_" : right.to <= "etcdnet_";
      expect(isBeside, JSON.stringify(right)).toBe(true);
    }
    for (const { username, password } of [0, 1, 2].map((number) => ({
      ...{ username: `app${number}`, password: `secret ${number}` },
    }))) {
      const other = new V3Tool(etcd.urls, { username, password });
      const key = toBase64(`${auth?.from}/users/=mallory`);
      await expect(other.ask("kv/range", { key })).rejects.toThrow(/permission denied/);
      await expect(other.ask("kv/put", { key, value: "" })).rejects.toThrow(/permission denied/);
      await expect(other.ask("kv/deleterange", { key })).rejects.toThrow(/permission denied/);
      other.close();
    }
  });

  it("the documented rights are enough for an application of every prefix", async () => {
    const [outer, own] = keySpaces;
    for (const keySpace of [outer, own]) {
      await keySpace?.execute({ action: "set", key: "/app/x/y", value: "1", ttl: 100 });
      await keySpace?.execute({ action: "create", key: "/app/q", value: "1", inOrder: true });
      await keySpace?.execute({ action: "delete", key: "/app/x", recursive: true });
      const { node } =
        (await keySpace?.execute({ action: "get", key: "/", recursive: true })) ?? {};
      expect(JSON.stringify(node)).toContain("/app/q");
      (await keySpace?.openWatch({ key: "/", recursive: true }))?.close();
    }
  });

  describe("are not reachable for other users", () => {
    const runs = { seed: SEED, numRuns: Number(process.env.ETCDNET_AUTH_RUNS ?? 25) };

    it("through any path, by any operation", async () => {
      const before = await authRecords(tool);
      await fc.assert(
        fc.asyncProperty(path, async (key) => {
          const shown = await Promise.all(keySpaces.map((keySpace) => allOf(keySpace, key)));
          for (const text of shown.flat()) expect(text).not.toMatch(SECRET);
          const target = `/v2/keys${key.split("/").map(encodeURIComponent).join("/")}`;
          expect(await ask("GET", `${target}?recursive=true&sorted=true`)).not.toMatch(SECRET);
          await ask("PUT", `${target}?value=1`);
          await ask("PUT", `${target}?value=2&prevExist=true`);
          await ask("DELETE", target);
        }),
        runs,
      );
      expect(await authRecords(tool)).toBe(before);
    });

    it("through listings and exports of any key", async () => {
      for (const keySpace of keySpaces) {
        // Records of other prefixes have no name in v2, so the export skips them.
        const pieces = exportTree(keySpace, ["/"], { lossy: true });
        for await (const piece of pieces) expect(piece).not.toMatch(SECRET);
      }
      expect(await ask("GET", "/v2/keys/?recursive=true&quorum=true")).not.toMatch(SECRET);
    });

    it("through watches of any key, live or from history", async () => {
      const seen: string[] = [];
      const watches = await Promise.all(
        keySpaces.flatMap((keySpace) =>
          [0, 1].map((waitIndex) =>
            keySpace.openWatch({ key: "/", recursive: true, stream: true, waitIndex }),
          ),
        ),
      );
      const reading = watches.map(async (watch) => {
        for await (const event of watch) {
          seen.push(JSON.stringify(event));
          if (event.node.key.endsWith("/last")) return;
        }
      });
      await ask("PUT", "/v2/auth/users/mallory", { user: "mallory", password: "changed" });
      await ask("DELETE", "/v2/auth/roles/top-role");
      for (const keyPrefix of ["/apps/app", "/apps", ""]) await tool.put(`${keyPrefix}/last`, "");
      await Promise.all(reading);
      expect(seen.length).toBeGreaterThan(keySpaces.length);
      for (const event of seen) expect(event).not.toMatch(SECRET);
    });
  });
});

/** The results of every operation on a key. */
async function allOf(keySpace: V3KeySpace, key: string): Promise<readonly string[]> {
  const condition = { prevValue: "true" };
  const tries = [
    () => keySpace.execute({ action: "get", key, recursive: true, sorted: true }),
    () => keySpace.execute({ action: "get", key, quorum: true }),
    () => keySpace.execute({ action: "compareAndSwap", key, value: "false", ...condition }),
    () => keySpace.execute({ action: "compareAndDelete", key, ...condition }),
    () => keySpace.execute({ action: "update", key, value: "false" }),
    () => keySpace.execute({ action: "create", key, value: "false" }),
    () => keySpace.execute({ action: "set", key, value: "false" }),
    () => keySpace.loading.load([{ key, value: "false" }]),
    () => keySpace.execute({ action: "create", key, value: "", inOrder: true }),
    () => keySpace.execute({ action: "delete", key, recursive: true }),
  ];
  const shown: string[] = [];
  for (const attempt of tries) {
    try {
      shown.push(JSON.stringify(await attempt()) ?? "");
    } catch (error) {
      shown.push(String(error));
    }
  }
  return shown;
}
