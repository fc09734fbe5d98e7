import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { get, type RequestOptions } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import { describe, expect, it, vi } from "vitest";
import { findEtcd } from "../../scripts/etcd-binaries.mjs";
import { clientCertificate } from "./certificates.js";
import { describeEtcdSideBySide, startEtcd } from "./etcd.js";

for (const release of ["3.4", "3.5"] as const) {
  describeEtcdSideBySide(release, `etcd ${release}`, () => {
    it("serves the v2 API", async () => {
      await using etcd = await startEtcd({ release });
      expect((await put(etcd.urls[0], "value")).status).toBe(201);
    });

    it("serves no v2 API with v2: false", async () => {
      await using etcd = await startEtcd({ release, v2: false });
      expect((await put(etcd.urls[0], "value")).status).toBe(404);
    });

    it("enables v2 auth with a password for root", async () => {
      await using etcd = await startEtcd({ release, rootPassword: "secret" });
      expect(await statusOfUsers(etcd.urls[0], "root:secret")).toBe(200);
      expect(await statusOfUsers(etcd.urls[0], "root:guess")).toBe(401);
    });
  });
}

for (const release of ["3.6", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcd ${release}`, () => {
    it("starts without v2, and rejects v2: true", async () => {
      await using etcd = await startEtcd({ release });
      const version = await fetch(`${etcd.urls[0]}/version`);
      expect(await version.json()).toMatchObject({
        etcdserver: expect.stringMatching(`^${release}`),
      });
      await expect(startEtcd({ release, v2: true })).rejects.toThrow("has no v2 API");
    });
  });
}

describeEtcdSideBySide("3.4", "three members", () => {
  it("elect one leader", async () => {
    await using etcd = await startEtcd({ release: "3.4", members: 3 });
    const leaders = await Promise.all(etcd.urls.map(leaderSeenBy));
    expect(new Set(leaders)).toHaveLength(1);
  });

  it("survive the kill of one member, which restarts with its data", async () => {
    await using etcd = await startEtcd({ release: "3.4", members: 3 });
    const [first, second] = etcd.urls;
    const [member] = etcd.members;
    await put(first, "before");
    await member.kill();
    expect(member.pid).toBeUndefined();
    await expect(read(first)).rejects.toThrow();
    await vi.waitFor(async () => expect((await put(second, "after")).ok).toBe(true), 60_000);
    await member.start();
    expect(await read(first, "?quorum=true")).toBe("after");
  });

  it("keep their data when they are stopped and started again", async () => {
    await using etcd = await startEtcd({ release: "3.4", members: 3 });
    await put(etcd.urls[0], "kept");
    for (const member of etcd.members) await member.stop();
    await Promise.all(etcd.members.map((member) => member.start()));
    expect(await read(etcd.urls.at(-1))).toBe("kept");
  });
});

describeEtcdSideBySide("3.4", "one etcd", () => {
  it("sends no response while it is paused", async () => {
    await using etcd = await startEtcd({ release: "3.4" });
    const [member] = etcd.members;
    await put(member.url, "value");
    member.pause();
    const response = read(member.url);
    const silence = delay(200, "silence");
    expect(await Promise.race([response, silence])).toBe("silence");
    member.resume();
    expect(await response).toBe("value");
  });

  it("leaves neither a process nor files, even if it was paused", async () => {
    const etcd = await startEtcd({ release: "3.4" });
    const [member] = etcd.members;
    const pid = member.pid;
    expect(isAlive(pid)).toBe(true);
    member.pause();
    await etcd.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(member.dataDir)).toBe(false);
  });

  it("ends with the process that started it, even by SIGKILL", async () => {
    const { starter, url, dataDir } = await startEtcdInAnotherProcess();
    expect((await fetch(`${url}/health`)).ok).toBe(true);
    starter.kill("SIGKILL");
    await vi.waitFor(() => expect(existsSync(dataDir)).toBe(false), 60_000);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it("shows etcd's log in the error when it does not start", async () => {
    const started = startEtcd({ release: "3.4", args: ["--no-such-flag"] });
    await expect(started).rejects.toThrow("flag provided but not defined: -no-such-flag");
  });
});

describeEtcdSideBySide("3.4", "etcd over TLS", () => {
  it("is trusted through its authority and requires no client certificate", async () => {
    await using etcd = await startEtcd({ release: "3.4", tls: true });
    expect(await statusOver(etcd.urls[0], { ca: etcd.ca })).toBe(200);
    await expect(statusOver(etcd.urls[0], {})).rejects.toThrow("unable to verify");
  });

  it("requires a client certificate with clientCertAuth", async () => {
    await using etcd = await startEtcd({ release: "3.4", clientCertAuth: true });
    const { ca, clientCertificate: client, urls } = etcd;
    expect(await statusOver(urls[0], { ca, ...client })).toBe(200);
    const pkcs12 = { pfx: client?.pkcs12("secret"), passphrase: "secret" };
    expect(await statusOver(urls[0], { ca, ...pkcs12 })).toBe(200);
    await expect(statusOver(urls[0], { ca })).rejects.toThrow("certificate");
  });
});

describe("a client certificate", () => {
  it("loads as PKCS#12 only with its passphrase", () => {
    const pfx = clientCertificate("someone").pkcs12("secret");
    expect(() => createSecureContext({ pfx, passphrase: "secret" })).not.toThrow();
    expect(() => createSecureContext({ pfx, passphrase: "guess" })).toThrow("mac verify failure");
  });
});

describe("findEtcd", () => {
  it("uses only the binary that an environment variable names", () => {
    vi.stubEnv("ETCD_3_7", "/no/such/etcd");
    expect(findEtcd("3.7")).toEqual({
      missing: "ETCD_3_7 names /no/such/etcd, which is not an etcd 3.7",
    });
    vi.unstubAllEnvs();
  });
});

function put(url: string | undefined, value: string): Promise<Response> {
  return fetch(`${url}/v2/keys/key`, { method: "PUT", body: new URLSearchParams({ value }) });
}

async function read(url: string | undefined, query = ""): Promise<string> {
  const response = await fetch(`${url}/v2/keys/key${query}`);
  const { node } = (await response.json()) as { node: { value: string } };
  return node.value;
}

async function leaderSeenBy(url: string): Promise<string> {
  const response = await fetch(`${url}/v2/members/leader`);
  const { id } = (await response.json()) as { id: string };
  return id;
}

async function statusOfUsers(url: string, credentials: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  return (await fetch(`${url}/v2/auth/users`, { headers: { authorization } })).status;
}

/** Uses node:https, so that no code of this project takes part. */
function statusOver(url: string, tls: RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${url}/v2/keys/`, { ...tls, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

function isAlive(pid = 0): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function startEtcdInAnotherProcess() {
  const program = `
    import { findEtcd } from "./scripts/etcd-binaries.mjs";
    import { startEtcdProcess } from "./scripts/etcd-process.mjs";
    const { url, dataDir } = await startEtcdProcess({ binary: findEtcd("3.4").path });
    process.send({ url, dataDir });
  `;
  const starter = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: new URL("../..", import.meta.url),
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [{ url, dataDir }] = await once(starter, "message");
  return { starter, url, dataDir };
}
