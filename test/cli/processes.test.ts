import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { run } from "../foreign/run.js";
import { Cli, MAIN } from "../support/cli-process.js";
import { etcdnet } from "./etcdnet.js";

beforeAll(buildIfStale);

/** A PID namespace needs permissions that not every machine grants. */
const hasNamespaces = spawnSync("unshare", ["--pid", "--fork", "true"]).status === 0;

describe("a process of etcdnet", () => {
  it.skipIf(!hasNamespaces).each([
    ["watch", "--forever", "/x"],
    ["exec-watch", "/x", "--", "true"],
    ["cluster-health", "--forever"],
  ])("ends on SIGTERM as the first process of a container: %s", async (...command) => {
    await using server = await startEmbeddedEtcd();
    const args = ["--pid", "--fork", "--kill-child", process.execPath, MAIN];
    const parent = spawn("unshare", [...args, "--endpoints", server.url, ...command]);
    let code: number | null | undefined;
    parent.once("exit", (ended) => {
      code = ended;
    });
    const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
    // Linux drops signals until the program listens.
    const endedAfterSignal = (): number | null | undefined => {
      const first = code === undefined ? readFileSync(children, "utf8").trim() : "";
      if (first !== "") process.kill(Number(first), "SIGTERM");
      return code;
    };
    try {
      await expect.poll(endedAfterSignal, { interval: 200 }).toBe(143);
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it("continues to serve when the reader of its log is gone", async () => {
    await using gateway = new Cli("gateway", "--port", "0", "--endpoints", "http://127.0.0.1:1");
    gateway.process.stderr?.destroy();
    const url = await gateway.url();
    for (let n = 0; n < 3; n++) expect((await fetch(`${url}/v2/keys/a`)).status).toBe(500);
    expect(gateway.process.exitCode).toBeNull();
  });

  it.skipIf(!existsSync("/proc/net/tcp"))("probes a silent client after 30 s", async () => {
    await using server = await startEmbeddedEtcd();
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET /v2/keys/x?wait=true HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    const local = `:${Number(port).toString(16).toUpperCase().padStart(4, "0")}`;
    const rows = readFileSync("/proc/net/tcp", "utf8").trim().split("\n");
    const columns = rows.map((row) => row.trim().split(/\s+/));
    // State 01 is an established connection, timer 02 its keep-alive, in hundredths of a second.
    const row = columns.find(([, at, , state]) => at?.endsWith(local) && state === "01");
    const [timer, when = ""] = row?.[5]?.split(":") ?? [];
    expect(timer).toBe("02");
    expect(Number.parseInt(when, 16)).toBeLessThanOrEqual(3_000);
    socket.destroy();
  });

  it("uses the next URL of a member if one is unusable", async () => {
    const server = createServer((request, response) => {
      const { port } = server.address() as AddressInfo;
      const clientURLs = [
        "unix://socket",
        "http://[fe80::1%25eth0]:2379",
        `http://127.0.0.1:${port}`,
      ];
      const member = { id: "1", name: "a", peerURLs: [], clientURLs };
      const body = request.url === "/v2/members" ? { members: [member] } : { health: "true" };
      response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const { code, stdout } = await etcdnet([
      "--endpoints",
      `http://127.0.0.1:${port}`,
      "cluster-health",
    ]);
    server.close();
    expect([code, stdout]).toEqual([0, expect.stringContaining("cluster is healthy")]);
    for (const url of ["unix://socket", "http://[fe80::1%25eth0]:2379"]) {
      expect(stdout).toContain(`failed to check the health of member 1 on ${url}: urls[0]`);
    }
  });

  /** Runs a command with code before it, and prints last how many files of undici it has loaded. */
  async function filesOfUndici(before: string): Promise<number> {
    await using server = await startEmbeddedEtcd();
    const count = 'Object.keys(require.cache).filter((file) => file.includes("undici")).length';
    const hook = join(mkdtempSync(join(tmpdir(), "etcdnet-hook-")), "hook.cjs");
    writeFileSync(hook, `${before}; process.on("exit", () => console.log(${count}));`);
    const args = ["--require", hook, MAIN, "--endpoints", server.url, "set", "/a", "value"];
    const { code, stdout, stderr } = await run(process.execPath, args);
    rmSync(dirname(hook), { recursive: true });
    expect([code, stdout, stderr]).toEqual([0, expect.stringMatching(/^value\n\d+\n$/), ""]);
    return Number(stdout.split("\n")[1]);
  }

  it("loads the files of undici that it uses, or all if these are elsewhere", async () => {
    expect(await filesOfUndici("")).toBeLessThan(40);
    const hide = `const { Module } = require("node:module");
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => resolve(name.replace(/^undici.lib/, "none"), ...rest)`;
    expect(await filesOfUndici(hide)).toBeGreaterThan(80);
  });
});
