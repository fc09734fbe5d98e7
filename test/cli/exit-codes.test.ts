import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/project.mjs";
import { etcdnet } from "./etcdnet.js";
import { cliSession } from "./session.js";

const cli = cliSession();

/** A server in the place of etcd that behaves in one way. */
class FalseServer {
  readonly #server: Server;

  constructor(listener: RequestListener) {
    this.#server = createServer(listener);
  }

  async start(): Promise<void> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const silent = new FalseServer(() => {});
/** Reads a write and ends the connection. */
const dying = new FalseServer((request) => {
  request.resume().once("end", () => request.socket.destroy());
});
const unhealthy = new FalseServer((request, response) => {
  const member = { id: "1", name: "a", peerURLs: [], clientURLs: [unhealthy.url] };
  const body = request.url === "/v2/members" ? { members: [member] } : { health: "false" };
  response.setHeader("content-type", "application/json").end(JSON.stringify(body));
});
const servers = [silent, dying, unhealthy];

beforeAll(async () => {
  await Promise.all(servers.map((server) => server.start()));
  await cli.etcd.setNode("/a", "1");
});
afterAll(() => {
  for (const server of servers) server.stop();
});

const at = (url: string) => ["--endpoints", url];
const NOBODY = at("http://127.0.0.1:1");

/** Cases of each code of the table in docs/cli.md. */
const CASES: Readonly<Record<string, Readonly<Record<string, () => readonly string[]>>>> = {
  0: {
    success: () => [...at(cli.url), "get", "/a"],
    "members that are all healthy": () => [...at(cli.url), "cluster-health"],
  },
  1: {
    "a wrong command line": () => ["get"],
    "a file that cannot be used": () => [...at(cli.url), "import", "/none"],
    "an export that is no export": () => [...at(cli.url), "import", "/dev/null"],
    differences: () => ["diff", "--from", cli.url, "--to", cli.url, "--to-prefix", "/none"],
    "a user that etcd refused": () => [...at(cli.url), "user", "get", "nobody"],
  },
  2: { "no member that can be reached": () => [...NOBODY, "get", "/a"] },
  4: {
    "a missing key": () => [...at(cli.url), "get", "/none"],
    "a failed comparison": () => [...at(cli.url), "set", "/a", "2", "--swap-with-value", "9"],
    "no response in time": () => [...at(silent.url), "--total-timeout", "0.2", "get", "/a"],
  },
  5: { "a member that is not healthy": () => [...at(unhealthy.url), "cluster-health"] },
  6: { "a write without a response": () => [...at(dying.url), "set", "/a", "1"] },
};

describe.each(Object.entries(CASES))("the exit code is %s for", (expected, cases) => {
  it.concurrent.each(Object.entries(cases))("%s", async (_, args) => {
    const { code, stderr } = await etcdnet(args());
    expect(code, stderr).toBe(Number(expected));
  });
});

it("each code of the table in docs/cli.md has a case", async () => {
  const text = await readFile(join(root, "docs/cli.md"), "utf8");
  const [, table = ""] = /## Exit codes\n\n([\s\S]*?)\n\n/.exec(text) ?? [];
  const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code);
  expect(codes).toEqual(Object.keys(CASES));
});

describe("SIGINT, SIGTERM and SIGHUP", () => {
  const HOLDERS = {
    lock: ["lock", "/held/lock", "--ttl", "600"],
    elect: ["elect", "/held/elect", "me", "--ttl", "600"],
    register: ["register", "/held/register", "me", "--ttl", "600"],
  };
  const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const nodesIn = async (key: string) =>
    (await cli.etcd.getNode(key, { ignoreKeyNotFound: true }))?.node.nodes ?? [];

  it.each(Object.entries(HOLDERS))(
    "release what %s holds, long before its TTL",
    async (name, args) => {
      for (const signal of SIGNALS) {
        const { child, ended, printed } = cli.start(...args);
        await expect.poll(printed).toMatch(/^\/held\/\S+\n/);
        expect(await nodesIn(`/held/${name}`)).toHaveLength(1);
        child.kill(signal);
        expect(await ended).toMatchObject({ code: 0, stderr: "" });
        expect(await nodesIn(`/held/${name}`)).toEqual([]);
      }
    },
  );

  it("end the program of a lock first, then release the lock", async () => {
    const program = 'trap "echo told; exit 3" HUP TERM; echo on; while :; do sleep 0.05; done';
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      const { child, ended, printed } = cli.start(...HOLDERS.lock, "--", "sh", "-c", program);
      await expect.poll(printed).toBe("on\n");
      child.kill(signal);
      expect(await ended).toMatchObject({ code: 3, stdout: "on\ntold\n", stderr: "" });
      expect(await nodesIn("/held/lock")).toEqual([]);
    }
  });

  it("end a wait for a lock with 128 + n, and leave the queue", async () => {
    const holder = cli.start("lock", "/queue", "--ttl", "600");
    await expect.poll(holder.printed).toMatch(/^\/queue\//);
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      const waiting = cli.start("lock", "/queue", "--ttl", "600", "--", "true");
      await expect.poll(() => nodesIn("/queue")).toHaveLength(2);
      waiting.child.kill(signal);
      expect(await waiting.ended).toMatchObject({ code, stderr: "" });
      await expect.poll(() => nodesIn("/queue")).toHaveLength(1);
    }
    holder.child.kill("SIGTERM");
    await holder.ended;
  });
});
