import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/etcd-process.mjs";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import {
  createSourceGateway,
  type GatewaySourceOptions,
  type ServedGateway,
  startEmbeddedEtcd,
} from "../../src/server/index.js";
import { startOddServer } from "../odd-server.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

const NOBODY = "http://127.0.0.1:1";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const basic = (user: string) => ({
  authorization: `Basic ${Buffer.from(user).toString("base64")}`,
});

const ask = (server: { readonly url: string }, path: string, init?: RequestInit) =>
  fetch(server.url + path, init);
const put = (server: { readonly url: string }, key: string, value: string, headers = {}) =>
  ask(server, `/v2/keys${key}`, {
    method: "PUT",
    headers: { ...FORM, ...headers },
    body: new URLSearchParams({ value }),
  });

for (const release of ["3.4", "3.5"] as const) {
  describeWithEtcd(release, `a gateway before the v2 API of etcd ${release}`, () => {
    /** A test that takes long, and does not depend on the release. */
    const itOnce = (name: string, test: () => Promise<void>): void => {
      if (release === "3.4") it(name, test);
    };
    let etcd: EtcdCluster;
    let gateway: ServedGateway;
    beforeAll(async () => {
      etcd = await startEtcd({ release, members: 3 });
      gateway = await createSourceGateway({ source: { urls: etcd.urls } });
    });
    afterAll(async () => {
      await gateway?.close();
      await etcd?.stop();
    });

    it("names itself as the members, and shows all else of the cluster", async () => {
      const direct = { url: etcd.urls[0] };
      const { members } = (await (await ask(gateway, "/v2/members")).json()) as {
        members: readonly { readonly clientURLs: readonly string[] }[];
      };
      expect(members.map(({ clientURLs }) => clientURLs)).toEqual(Array(3).fill([gateway.url]));
      expect(await (await ask(gateway, "/v2/machines")).text()).toBe(gateway.url);
      expect(await (await ask(gateway, "/health")).json()).toEqual({ health: "true" });
      for (const path of ["/version", "/v2/auth/enable"]) {
        const [ours, theirs] = [await ask(gateway, path), await ask(direct, path)];
        expect([path, ours.status, await ours.json()]).toEqual([path, 200, await theirs.json()]);
      }
      for (const path of ["/v2/keys/", "/v2/keys/none", "/v2/members", "/v2/auth/roles"]) {
        const [ours, theirs] = [await ask(gateway, path), await ask(direct, path)];
        const idOf = ({ headers }: Response) => headers.get("x-etcd-cluster-id");
        expect([path, ours.status, idOf(ours)]).toEqual([path, theirs.status, idOf(theirs)]);
      }
      const leader = (await (await ask(gateway, "/v2/members/leader")).json()) as { id: string };
      const self = await (await ask(gateway, "/v2/stats/self")).json();
      expect(self).toMatchObject({ leaderInfo: { leader: leader.id } });
    });

    itOnce("lists more than a client accepts by default", async () => {
      const value = "x".repeat(1_000_000);
      for (let at = 0; at < 70; at++) await put(gateway, `/large/${at}`, value);
      const { node } = (await (await ask(gateway, "/v2/keys/large")).json()) as {
        node: { readonly nodes: readonly { readonly value: string }[] };
      };
      expect(node.nodes.filter((each) => each.value === value)).toHaveLength(70);
      await ask(gateway, "/v2/keys/large?recursive=true", { method: "DELETE" });
    });

    itOnce("continues while one member hangs and another is dead", async () => {
      await using own = await startEtcd({ release, members: 3 });
      const limits = { requestTimeout: 1_000, writeTimeout: 1_500, maxConnections: 40 };
      const source = { urls: own.urls, ...limits };
      await using served = await createSourceGateway({ source });
      await put(served, "/a", "1");
      const [hanging, dead] = own.members;
      hanging.pause();
      try {
        await expect
          .poll(async () => (await (await ask(served, "/v2/keys/a")).json()) as object)
          .toMatchObject({ node: { value: "1" } });
        await expect.poll(async () => (await put(served, "/a", "2")).status).toBe(200);
        await dead?.kill();
        // Without a quorum, a member still serves local reads.
        await expect.poll(async () => (await ask(served, "/v2/keys/a")).status).toBe(200);
        await expect.poll(async () => (await ask(served, "/readyz")).status).toBe(200);
        // Writes wait for a quorum. However many they are, they do not block the reads.
        const writes = Array.from({ length: 60 }, (_, at) => put(served, `/waiting/${at}`, "1"));
        for (let round = 0; round < 20; round++) {
          expect((await ask(served, "/v2/keys/a")).status).toBe(200);
        }
        for (const write of writes) expect((await write).status).toBe(500);
        const refused = (await (await put(served, "/a", "3")).json()) as { errorCode: number };
        expect(refused.errorCode).toBe(300);
      } finally {
        hanging.resume();
      }
    });

    it("does not repeat a write that a member may have carried out", async () => {
      const proxies = await Promise.all(etcd.urls.map((url) => FaultProxy.before(url)));
      await using served = await createSourceGateway({
        source: { urls: proxies.map(({ url }) => url) },
      });
      const before = await indexOf(served);
      for (const proxy of proxies) await proxy.become("cut after request");
      const reply = await put(served, "/once", "1");
      expect([reply.status, ((await reply.json()) as { errorCode: number }).errorCode]).toEqual([
        500, 300,
      ]);
      expect(
        proxies.flatMap(({ requests }) => requests.filter((each) => each.startsWith("PUT"))),
      ).toHaveLength(1);
      for (const proxy of proxies) await proxy.become("pass");
      expect(await indexOf(served)).toBe(before + 1);
      await Promise.all(proxies.map((proxy) => proxy.close()));
    });

    it("serves watches, and ends them without an event when it closes", async () => {
      const closing = await createSourceGateway({ source: { urls: etcd.urls } });
      const keys = Array.from({ length: 300 }, (_, at) => `/watched/${at}`);
      const polls = keys.map((key) => ask(closing, `/v2/keys${key}?wait=true`));
      const idle = Array.from({ length: 50 }, () =>
        ask(closing, "/v2/keys/idle?wait=true&stream=true"),
      );
      const heads = await Promise.all([...polls, ...idle]);
      expect(new Set(heads.map(({ status }) => status))).toEqual(new Set([200]));
      expect(await (await ask(closing, "/metrics")).text()).toMatch(/^etcdnet_watchers 350$/m);
      for (const key of keys) await put({ url: etcd.urls[0] }, key, "1");
      const told = await Promise.all(heads.slice(0, keys.length).map((head) => head.json()));
      expect(told).toEqual(
        keys.map((key) =>
          expect.objectContaining({
            action: "set",
            node: expect.objectContaining({ key, value: "1" }),
          }),
        ),
      );
      const ends = heads.slice(keys.length).map((head) => head.text());
      await closing.close();
      expect(new Set(await Promise.all(ends))).toEqual(new Set([""]));
    });

    it("lets the cluster decide about credentials, and adds none", async () => {
      await using secured = await startEtcd({ release, rootPassword: "secret" });
      await using served = await createSourceGateway({ source: { urls: secured.urls } });
      await using root = new EtcdClient({
        ...{ urls: [served.url], username: "root", password: "secret" },
      });
      await root.auth.roles.create("reader", { read: ["/shown/*"] });
      await root.auth.users.create("alice", { password: "wonder", roles: ["reader"] });
      await root.auth.roles.remove("guest");
      await root.setNode("/shown/a", "1");
      await root.setNode("/secret", "2");
      const statusFor = async (path: string, headers = {}) =>
        (await ask(served, path, { headers })).status;
      expect(await statusFor("/v2/keys/shown/a")).toBe(401);
      expect(await statusFor("/v2/keys/shown/a?wait=true&waitIndex=1")).toBe(401);
      expect(await statusFor("/v2/auth/users")).toBe(401);
      const alice = basic("alice:wonder");
      expect(await statusFor("/v2/keys/shown/a", alice)).toBe(200);
      expect(await statusFor("/v2/keys/secret", alice)).toBe(401);
      expect(await statusFor("/v2/keys/shown/a", basic("alice:wrong"))).toBe(401);
      expect((await put(served, "/shown/a", "3", alice)).status).toBe(401);
      await expect.poll(() => statusFor("/readyz")).toBe(200);
      expect(await root.auth.users.list()).toHaveLength(2);
      await root.auth.disable();
    });

    it("starts before the cluster, and serves when it is there", async () => {
      await using proxy = await FaultProxy.before(`http://127.0.0.1:${await freePort()}`);
      await using served = await createSourceGateway({ source: { urls: [proxy.url] } });
      expect((await ask(served, "/readyz")).status).toBe(503);
      expect((await ask(served, "/v2/keys/a")).status).toBe(500);
      proxy.target = etcd.urls[0];
      await expect.poll(async () => (await ask(served, "/readyz")).status).toBe(200);
      expect((await ask(served, "/v2/keys/")).status).toBe(200);
    });
  });
}

async function indexOf(server: { readonly url: string }): Promise<number> {
  const { headers } = await ask(server, "/v2/keys/?quorum=true");
  return Number(headers.get("x-etcd-index"));
}

describe("createSourceGateway", () => {
  it("has more time for a body than for its head, as for a listing of everything", async () => {
    const node = { key: "/d", dir: true, modifiedIndex: 1, createdIndex: 1 };
    const listing = { action: "get", node };
    await using slow = await startOddServer((response) => {
      response.writeHead(200, { "X-Etcd-Index": "1", "X-Etcd-Cluster-Id": "1" }).flushHeaders();
      setTimeout(() => response.end(JSON.stringify(listing)), 1_500);
    });
    const source = { urls: [slow.url], requestTimeout: 500, writeTimeout: 500, timeout: 1_000 };
    await using served = await createSourceGateway({ source });
    const reply = await ask(served, "/v2/keys/d?recursive=true");
    expect([reply.status, await reply.json()]).toEqual([200, listing]);
  });

  it.each([
    [{ urls: [NOBODY], password: "s3cret" }, /^username, password: /],
    [{ urls: [NOBODY], retryUnknownWrites: true }, /^source\.retryUnknownWrites: /],
    [{ urls: [NOBODY], api: "v3" }, /^source\.api: /],
    [{ urls: [] }, /^urls: must be a list of at least one URL/],
  ])("refuses %j", async (source, complaint) => {
    const started = createSourceGateway({ source: source as GatewaySourceOptions });
    await expect(started).rejects.toThrow(complaint);
    await expect(started).rejects.not.toThrow(/s3cret/);
  });
});

describe("etcdnet gateway --source", () => {
  beforeAll(buildIfStale);

  const run = async (...args: readonly string[]) => {
    await using cli = new Cli("gateway", "--port", "0", ...args);
    const code = await cli.exit;
    return { code, stdout: cli.stdout, stderr: cli.stderr };
  };

  it.concurrent.each([
    ["--source http://a --prefix /apps", /--prefix has no effect with --source/],
    ["--source http://a --username root", /--username has no effect with --source/],
    ["--source http://a --cacert ca.pem", /--cacert has no effect with --source/],
    ["--source http://a --password-file f", /--password-file has no effect with --source/],
    ["--source http://a --auth-root-password-file f", /--auth-root-password-file has no effect/],
    ["--source http://a --source-cert a", /--source-cert needs --source-key/],
    ["--source http://a --source-cacert nowhere", /--source-cacert nowhere: ENOENT/],
    ["--source http://u:s3cret@a", /--source contains credentials; remove them/],
    ["--source http://a --source-username u", /--source-username has no effect .* --endpoints/],
    [
      "--source http://a --endpoints http://b --source-username u:s3cret",
      /--source-username: must not contain a password; pass it with --source-password-file/,
    ],
    [
      "--source http://a --endpoints http://b --source-username u",
      /--source-username needs --source-password-file/,
    ],
    ["--source ftp://a", /--source: must begin with http/],
    ["--source-cacert ca.pem", /--source-cacert has no effect without --source/],
  ])("refuses %s", async (args, complaint) => {
    const { code, stdout, stderr } = await run(...args.split(" "));
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(complaint);
    expect(stderr).not.toContain("s3cret");
  });

  /** A gateway with little memory, before an etcd with 20 MB of values. */
  const small = async (use: (served: { readonly url: string }) => Promise<void>) => {
    await using etcd = await startEmbeddedEtcd();
    for (let at = 0; at < 20; at++) await put(etcd, `/large/${at}`, "x".repeat(1_000_000));
    const env = { NODE_OPTIONS: "--max-old-space-size=300" };
    await using cli = new Cli("gateway", "--port", "0", "--source", etcd.url, env);
    const served = { url: await cli.url() };
    await use(served);
    await expect.poll(async () => (await ask(served, "/v2/keys/small")).status).toBe(404);
    await expect
      .poll(async () => (await (await ask(served, "/v2/keys/large")).text()).length)
      .toBeGreaterThan(20_000_000);
    expect(cli.process.exitCode).toBeNull();
  };

  it.each(["?recursive=true", ""])("survives many large listings at once: %s", (query) =>
    small(async (served) => {
      const statuses = await Promise.all(
        Array.from({ length: 18 }, async () => {
          const reply = await ask(served, `/v2/keys/large${query}`).catch(() => undefined);
          const text = await reply?.text().catch(() => "");
          return text && text.length > 20_000_000 ? 200 : (reply?.status ?? 0);
        }),
      );
      // Recursive reads wait for each other, so that some of them get the memory.
      if (query !== "") expect(statuses).toContain(200);
    }),
  );

  it("survives watches that are not read", () =>
    small(async (served) => {
      const stop = new AbortController();
      const { signal } = stop;
      const path = "/v2/keys/watched?wait=true&stream=true";
      await Promise.all(Array.from({ length: 20 }, () => ask(served, path, { signal })));
      const value = "x".repeat(1_000_000);
      for (let at = 0; at < 60; at++) {
        await expect.poll(async () => (await put(served, "/watched", value)).ok).toBe(true);
      }
      stop.abort();
    }));

  it("does not pass on a request that comes back to it", async () => {
    await using proxy = await FaultProxy.before(NOBODY);
    await using served = await createSourceGateway({ source: { urls: [proxy.url] } });
    proxy.target = served.url;
    const sent = async (method: string) => {
      const reply = await ask(served, "/v2/keys/loop", { method });
      const requests = proxy.requests.filter((each) => each === `${method} /v2/keys/loop`);
      return [reply.status, requests.length];
    };
    await expect.poll(() => sent("GET")).toEqual([500, expect.any(Number)]);
    expect(await sent("DELETE")).toEqual([500, 1]);
  });

  it("checks a cluster that cannot be reached, and says so", async () => {
    const { code, stdout, stderr } = await run("--source", NOBODY, "--check");
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout.trimEnd().split("\n")).toEqual([
      "ok      certificate for clients: none",
      "ok      certificate for the v2 cluster: none",
      "ok      user of the v2 cluster: none",
      "ok      options",
      "ok      listen on 127.0.0.1 port 0: the port is free",
      expect.stringMatching(/^failed {2}reach the cluster: no member is healthy .*ECONNREFUSED/),
      expect.stringMatching(/^failed {2}read a key through the v2 API: .*ECONNREFUSED/),
      expect.stringMatching(/^failed {2}have no rights in the cluster: .*ECONNREFUSED/),
    ]);
  });
});

describeWithEtcd("3.6", "etcdnet gateway --source before etcd 3.6", () => {
  beforeAll(buildIfStale);

  it("says that there is no v2 API", async () => {
    await using etcd = await startEtcd({ release: "3.6" });
    const reason = /: the cluster does not serve the v2 API; .*, omit --source$/m;
    await using check = new Cli("gateway", "--check", "--port", "0", "--source", etcd.urls[0]);
    expect(await check.exit).toBe(1);
    expect(check.stdout).toMatch(reason);
    await using cli = new Cli("gateway", "--port", "0", "--source", etcd.urls[0]);
    expect(await cli.exit).toBe(1);
    expect(cli.stderr).toMatch(reason);
  });
});
