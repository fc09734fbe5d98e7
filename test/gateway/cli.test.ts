import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import { certificateAuthority, serverCertificate } from "../support/certificates.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { ALICE, enableAuth } from "../v3/v3-auth.js";
import { V3Tool } from "../v3/v3-tools.js";

const NOBODY = "http://127.0.0.1:1";
let directory = "";

beforeAll(async () => {
  buildIfStale();
  directory = await mkdtemp(join(tmpdir(), "etcdnet-gateway-"));
});

afterAll(() => rm(directory, { recursive: true }));

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

const gateway = (...args: readonly (string | NodeJS.ProcessEnv)[]): Cli =>
  new Cli("gateway", "--port", "0", ...args);

describe("etcdnet gateway with invalid options", () => {
  it.concurrent.each([
    ["--port x", /'--port <number>' argument 'x' is invalid. It must be a number/],
    ["--endpoints ftp://a", /--endpoints: must begin with http/],
    ["--prefix apps", /'--prefix <key>' argument 'apps' is invalid. It must begin with "\/"/],
    ["--username root", /--username needs --password-file/],
    ["--password-file secret", /--password-file needs --username/],
    ["--username a --password-file nowhere", /--password-file nowhere: ENOENT/],
    ["--cert a", /--cert needs --key/],
    ["--cacert nowhere", /--cacert nowhere: ENOENT/],
    ["--listen-key a", /--listen-key needs --listen-cert/],
    ["--listen-client-ca a", /--listen-client-ca needs --listen-cert and --listen-key/],
    ["--unknown", /unknown option '--unknown'/],
    [
      "--port 4001 --endpoints http://a:4001,localhost:4001",
      /--port: 4001 is also the port of the endpoint "http:\/\/localhost:4001": the gateway would connect to itself/,
    ],
  ])("%s", async (args, complaint) => {
    await using cli = gateway(...args.split(" "));
    expect(await cli.exit).toBe(1);
    expect(cli.stderr).toMatch(complaint);
    expect(cli.stdout).toBe("");
  });
});

describe("etcdnet gateway with invalid variables names them:", () => {
  it.concurrent.each([
    [{ ETCDNET_HOST: "127.0.0.1", ETCDNET_PORT: "x" }, /ETCDNET_PORT is invalid. It must be a num/],
    [{ ETCDNET_KEY_PREFIX: "apps" }, /ETCDNET_KEY_PREFIX is invalid. It must begin with "\/"/],
    [{ ETCDNET_ENDPOINTS: "ftp://a" }, /ETCDNET_ENDPOINTS: must begin with http/],
    [{ ETCDNET_USERNAME: "root" }, /ETCDNET_USERNAME needs --password-file/],
    [{ ETCDNET_USERNAME: "root:s3cret" }, /ETCDNET_USERNAME: must not contain a password; pass it/],
    [{ ETCDNET_PASSWORD_FILE: "secret" }, /ETCDNET_PASSWORD_FILE needs --username/],
    [{ ETCDNET_CACERT: "nowhere" }, /ETCDNET_CACERT nowhere: ENOENT/],
    [{ ETCDNET_LISTEN_KEY: "a" }, /ETCDNET_LISTEN_KEY needs --listen-cert/],
    [{ ETCDNET_AUTH_ROOT_PASSWORD_FILE: "a" }, /ETCDNET_AUTH_ROOT_PASSWORD_FILE a: ENOENT/],
  ])("%j", async (env, complaint) => {
    await using cli = new Cli("gateway", env);
    expect(await cli.exit).toBe(1);
    expect(cli.stderr).toMatch(complaint);
    expect(cli.stdout).toBe("");
  });
});

describeWithEtcd("3.7", "etcdnet gateway --check", () => {
  const check = async (...args: readonly string[]) => {
    await using cli = new Cli("gateway", "--check", "--port", "0", ...args);
    const code = await cli.exit;
    expect(cli.stderr).toBe("");
    return { code, lines: cli.stdout.trimEnd().split("\n") };
  };

  it("reports what is in order, and changes nothing", async () => {
    await using etcd = await startEtcd({ release: "3.7" });
    const tool = new V3Tool(etcd.urls);
    const { cert, key } = serverCertificate();
    const { code, lines } = await check(
      ...["--endpoints", `${etcd.urls[0]},${NOBODY}`, "--prefix", "/apps"],
      ...["--listen-cert", await fileOf("cert.pem", cert)],
      ...["--listen-key", await fileOf("key.pem", key)],
    );
    expect(lines).toEqual([
      expect.stringMatching(
        /^ok {6}certificate for clients: certificate with SHA-256 [0-9A-F:]+, /,
      ),
      "ok      certificate for the cluster: none",
      "ok      user of the cluster: none",
      "ok      password of v2's root: not set",
      "ok      options",
      "ok      listen on 127.0.0.1 port 0: the port is free",
      expect.stringMatching(/^ok {6}reach the cluster: 1 of 2 endpoints are healthy; .*ECONNREF/),
      'ok      read the tree "/apps/": no other prefix overlaps it',
      'ok      write the tree "/apps/"',
      "ok      read the users of v2 auth: v2 auth is off",
      "ok      write the users of v2 auth",
    ]);
    expect(code).toBe(0);
    expect(await tool.keys()).toEqual([]);
    tool.close();
  });

  it("reports missing permissions and an overlapping prefix", async () => {
    await using etcd = await startEtcd({ release: "3.7" });
    await using other = new EtcdClient({ urls: etcd.urls, api: "v3", keyPrefix: "/alice/inner" });
    await other.setNode("/a", "1");
    const tool = new V3Tool(etcd.urls);
    const prefix = ["--endpoints", etcd.urls[0], "--prefix", "/alice"];
    expect((await check(...prefix)).lines).toContainEqual(
      expect.stringMatching(/^failed {2}read the tree "\/alice\/": .*"\/alice\/inner"/),
    );
    await enableAuth(tool);
    tool.close();
    const password = await fileOf("alice", ALICE.password);
    const user = ["--username", "alice", "--password-file", password];
    const { code, lines } = await check(...prefix, ...user);
    expect(code).toBe(1);
    expect(lines).toContain('ok      write the tree "/alice/"');
    expect(lines).toContainEqual(
      expect.stringMatching(/^failed {2}write the users of v2 auth: .*; check the user, and grant/),
    );
    const wrong = await check(
      ...prefix,
      "--username",
      "alice",
      "--password-file",
      await fileOf("p", "s3cret"),
    );
    expect(wrong.lines.at(-1)).toMatch(/^failed {2}reach the cluster: .*check the user/);
    expect(wrong.lines.join()).not.toContain("s3cret");
  });

  it.concurrent("reports unusable files, a port in use, and members that hang, in time", async () => {
    const none = await check("--cacert", "nowhere", "--endpoints", NOBODY);
    expect(none.code).toBe(1);
    expect(none.lines[1]).toMatch(
      /^failed {2}certificate for the cluster: --cacert nowhere: ENOENT/,
    );
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const { code, lines } = await check("--port", `${port}`, "--endpoints", NOBODY);
    expect(code).toBe(1);
    expect(lines).toContainEqual(
      expect.stringMatching(/^failed {2}listen on .*: .*address already in/),
    );
    const hung = await check("--endpoints", `http://127.0.0.1:${port}`);
    expect(hung.lines.at(-1)).toMatch(/^failed {2}reach the cluster: .*no connection|no response/);
    silent.close();
  });
});

it("a gateway that waits for a silent cluster ends on SIGTERM", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const asked = once(silent, "connection");
  await using cli = gateway("--endpoints", `http://127.0.0.1:${port}`);
  await asked;
  cli.kill("SIGTERM");
  expect(await cli.exit).toBe(0);
  silent.close();
});

describeWithEtcd("3.7", "etcdnet gateway before etcd 3.7", () => {
  it("serves a prefix with TLS until SIGTERM, and advertises the given URLs", async () => {
    await using etcd = await startEtcd({ release: "3.7" });
    const ca = certificateAuthority();
    const { cert, key } = serverCertificate();
    await using cli = gateway(
      ...["--endpoints", etcd.urls[0], "--prefix", "/apps"],
      ...["--listen-cert", await fileOf("cert.pem", cert)],
      ...["--listen-key", await fileOf("key.pem", key)],
      ...["--advertise", "https://gateway:2379", "--slow-request", "0s"],
    );
    const url = await cli.url();
    expect(url).toMatch(/^https:/);
    await using client = new EtcdClient({ urls: [url], ca: ca.cert });
    await client.setNode("/a", "through the gateway");
    expect(await client.machines()).toEqual(["https://gateway:2379"]);
    await using v3 = new EtcdClient({ urls: etcd.urls, api: "v3", keyPrefix: "/apps" });
    expect(await v3.getNodeValue("/a")).toBe("through the gateway");
    cli.kill("SIGTERM");
    expect(await cli.exit).toBe(0);
    expect(cli.stderr).toContain(`endpoints=${etcd.urls[0]} prefix=/apps`);
    expect(cli.stderr).not.toMatch(/WARN|ERROR/);
  });

  it("warns when auth is off on a public address", async () => {
    await using etcd = await startEtcd({ release: "3.7" });
    await using cli = gateway("--host", "0.0.0.0", "--endpoints", etcd.urls[0]);
    await cli.url();
    expect(cli.stderr).toMatch(
      / WARN {2}listening without TLS \(--listen-cert, --listen-key\) and auth .* host=0\.0\.0\.0/,
    );
  });

  it("logs once which member fails and why, and when it recovers", async () => {
    await using etcd = await startEtcd({ release: "3.7" });
    const [member] = etcd.members;
    await member.kill();
    const env = { ETCDNET_ENDPOINTS: member.url, ETCDNET_HOST: "127.0.0.1", ETCDNET_CORS: "" };
    await using cli = gateway(env);
    const url = await cli.url();
    const statusOf = async (): Promise<number> => (await fetch(`${url}/v2/keys/`)).status;
    expect(await statusOf()).toBe(500);
    expect(await statusOf()).toBe(500);
    await member.start();
    await vi.waitUntil(() => cli.stderr.includes("recovered") || statusOf().then(() => false), {
      timeout: 300_000,
    });
    const port = new URL(member.url).port;
    const lines = cli.stderr.split("\n").filter((line) => line.includes("member"));
    expect(lines.map((line) => line.slice(line.indexOf(" ") + 1))).toEqual([
      `WARN  member failed endpoint=${member.url} cause="connect ECONNREFUSED 127.0.0.1:${port}"`,
      `INFO  member has recovered endpoint=${member.url}`,
    ]);
  });
});
