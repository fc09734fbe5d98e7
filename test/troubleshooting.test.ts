/** Every message of docs/troubleshooting.md is what a user gets: each is provoked. */

import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIfStale, root } from "../scripts/project.mjs";
import { EtcdClient, type EtcdClientOptions } from "../src/index.js";
import { type EmbeddedEtcd, MemoryKeySpace, startEmbeddedEtcd } from "../src/server/index.js";
import { etcdnet } from "./cli/etcdnet.js";
import { serverCertificate } from "./support/certificates.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "./support/etcd.js";
import { recordKey } from "./support/simulated-v3.js";
import { V3Tool } from "./v3/v3-tools.js";

const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
/** A block can have several, one in a line. */
const messages = [...page.matchAll(/^```text\n(.*?)\n```/gms)].flatMap(([, block = ""]) =>
  block.split("\n"),
);

test("the page has messages", () => {
  expect(messages.length).toBeGreaterThan(20);
});

test("each message has a cause and a fix", () => {
  const entries = page.split(/^```text\n/m).slice(1);
  const incomplete = entries.filter((entry) => !/\*\*Cause\.\*\*.*\*\*Fix\.\*\*/s.test(entry));
  expect(incomplete).toEqual([]);
});

/** What a user reads of an error: its message, and that of its cause. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}\n${error.cause.message}` : error.message;
}

async function failureOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return textOf(error);
  }
  return "no error";
}

/** `…` stands for anything in one line. */
function patternOf(message: string): RegExp {
  const parts = message.split("…").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return new RegExp(parts.join("[^\\n]*"));
}

test("a message that differs is found", () => {
  const pattern = patternOf("…: a (b) of … ms");
  expect("GET /a: a (b) of 5 ms; more").toMatch(pattern);
  expect("GET /a: a (c) of 5 ms").not.toMatch(pattern);
});

const strangers: NetServer[] = [];

/** A server that is no etcd. Returns its URL. */
async function listening(server: NetServer, scheme = "http"): Promise<string> {
  strangers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const stranger = (listener: RequestListener): Promise<string> => listening(createServer(listener));

/** Uses a client, and closes it. */
async function using(
  options: EtcdClientOptions,
  use: (etcd: EtcdClient) => unknown,
): Promise<string> {
  await using etcd = new EtcdClient(options);
  return await failureOf(() => use(etcd));
}

let etcd: EmbeddedEtcd;
let secured: EmbeddedEtcd;
let encrypted: EmbeddedEtcd;
let website: string;
let folder: string;
beforeAll(async () => {
  buildIfStale();
  folder = mkdtempSync(join(tmpdir(), "etcdnet-troubleshooting-"));
  [etcd, secured, encrypted, website] = await Promise.all([
    startEmbeddedEtcd(),
    startEmbeddedEtcd({ rootPassword: "right" }),
    startEmbeddedEtcd({ tls: serverCertificate() }),
    stranger((_request, response) => response.writeHead(404).end("404 page not found\n")),
  ]);
  await using client = new EtcdClient({ endpoints: etcd.url });
  await client.setNode("/dir/a", "1");
});
afterAll(async () => {
  for (const server of strangers) server.close();
  await Promise.all([etcd, secured, encrypted].map((server) => server?.close()));
  await rm(folder, { recursive: true, force: true });
});

const CLOSED = "http://127.0.0.1:1";
const onEtcd = (use: (etcd: EtcdClient) => unknown): Promise<string> =>
  using({ endpoints: etcd.url }, use);
const read = (client: EtcdClient): unknown => client.getNode("/a");

/** How a user gets a message, by a part of it that no other message has. */
const provocations: Readonly<Record<string, () => Promise<string>>> = {
  "no member returned a usable response": () => using({ endpoints: CLOSED }, read),
  "nothing listens there": () => using({ endpoints: CLOSED }, read),
  "the v2 API is not served": () => using({ endpoints: website }, read),
  "the v3 API is served neither": () => using({ endpoints: website, api: "v3" }, read),
  "the server may speak http": () => using({ endpoints: website.replace("http", "https") }, read),
  "pass its certificate authority": () => using({ endpoints: encrypted.url }, read),
  "no response within": async () => {
    const endpoints = await stranger(() => {});
    // Enough to connect on a busy machine.
    return using({ endpoints, requestTimeout: 2_000, connectTimeout: 2_000 }, read);
  },
  "no connection within": async () => {
    // It accepts connections, and says nothing to a client that begins TLS.
    const endpoints = await listening(createNetServer(), "https");
    return using({ endpoints, requestTimeout: 50, connectTimeout: 60_000 }, read);
  },
  "Connect Timeout Error": async () => {
    const endpoints = await listening(createNetServer(), "https");
    return using({ endpoints, connectTimeout: 50 }, read);
  },
  "the response is larger than": () =>
    using({ endpoints: etcd.url, maxResponseSize: 10 }, (client) => client.getNode("/dir")),
  "its outcome is unknown": async () => {
    const endpoints = await stranger((request) => request.socket.destroy());
    return using({ endpoints }, (client) => client.setNode("/a", "1"));
  },
  "Compare failed": () =>
    onEtcd((client) => client.compareAndSwapNode("/dir/a", { prevValue: "2" }, "3")),
  "Not a file": () => onEtcd((client) => client.setNode("/dir", "1")),
  "Directory not empty": () => onEtcd((client) => client.deleteNode("/dir", { dir: true })),
  "compare with an empty value": () =>
    onEtcd((client) => client.compareAndSwapNode("/dir/a", { prevValue: "" }, "3")),
  "The request requires user authentication": () =>
    using({ endpoints: secured.url, username: "root", password: "wrong" }, (client) =>
      client.setNode("/a", "1"),
    ),
  "no user was given": async () =>
    (await etcdnet(["--endpoints", secured.url, "user", "list"])).stderr,
  "outdated and cleared": () =>
    using({ keySpace: new MemoryKeySpace({ historySize: 1 }) }, async (client) => {
      for (const value of ["1", "2", "3"]) await client.setNode("/a", value);
      await client.watchNode("/a", { waitIndex: 1 });
    }),
  "another cluster responds": async () => {
    const first = await startEmbeddedEtcd();
    return using({ endpoints: first.url }, async (client) => {
      await client.setNode("/a", "1");
      await using mirror = client.mirror("/");
      await mirror.ready;
      const waiting = failureOf(() => mirror.waitFor(1_000));
      await first.close();
      await using _second = await startEmbeddedEtcd({ port: Number(new URL(first.url).port) });
      throw new Error(await waiting);
    });
  },
  "lost ownership of": () =>
    onEtcd(async (client) => {
      const held = await client.lock("/lock").acquire();
      await held.release();
      held.assertHeld();
    }),
  "is not an option of": () => failureOf(() => new EtcdClient({ endpoint: CLOSED } as never)),
  "is not a URL": () => failureOf(() => new EtcdClient({ endpoints: "10.0.0.1:2379" })),
  "must begin with http": () => failureOf(() => new EtcdClient({ endpoints: "localhost:2379" })),
  "are two names of one option": () =>
    failureOf(() => new EtcdClient({ endpoints: CLOSED, urls: [CLOSED] } as never)),
  "this key space has no v2 auth": () =>
    using({ endpoints: CLOSED, api: "v3" }, (client) => client.auth.users.list()),
  "the key space is closed": () =>
    failureOf(async () => {
      const keySpace = new MemoryKeySpace();
      await keySpace.close();
      await keySpace.execute({ action: "get", key: "/" });
    }),
  "is in use: ": async () => {
    const snapshotFile = join(folder, "snapshot");
    await using _first = await startEmbeddedEtcd({ snapshotFile });
    return await failureOf(() => startEmbeddedEtcd({ snapshotFile }));
  },
};

test.concurrent.each(Object.entries(provocations))("a user gets: %s", async (part, provoke) => {
  const [message = "not on the page", ...others] = messages.filter((each) => each.includes(part));
  expect(others).toEqual([]);
  expect(await provoke()).toMatch(patternOf(message));
});

describeWithEtcd("3.7", "on v3", () => {
  let cluster: EtcdCluster;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.7" });
  });
  afterAll(() => cluster?.stop());

  const onV3: typeof provocations = {
    "the key prefix": async () => {
      const options = { endpoints: cluster.urls, api: "v3" } as const;
      await using apps = new EtcdClient({ ...options, keyPrefix: "/apps" });
      await apps.setNode("/a", "1");
      return using(options, read);
    },
    "the record": async () => {
      const tool = new V3Tool(cluster.urls);
      await tool.put(`/damaged${recordKey("offset")}`, "hello");
      tool.close();
      return using({ endpoints: cluster.urls, api: "v3", keyPrefix: "/damaged" }, read);
    },
  };

  test.each(Object.entries(onV3))("a user gets: %s", async (part, provoke) => {
    const message = messages.find((each) => each.startsWith(part)) ?? "not on the page";
    expect(await provoke()).toMatch(patternOf(message));
  });

  test("each message of the page is provoked", () => {
    const parts = [...Object.keys(provocations), ...Object.keys(onV3)];
    const others = messages.filter((message) => !parts.some((part) => message.includes(part)));
    expect(others).toEqual([]);
  });
});
