/** The server of the console: who may use it, and what it sends. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { type ConsoleOptions, ConsoleServer } from "../../src/console/console-server.js";
import type { ListingPage, SessionInfo } from "../../src/console/model/page-types.js";
import { EtcdClient } from "../../src/index.js";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { Cli } from "../support/cli-process.js";

let etcd: EmbeddedEtcd;
let client: EtcdClient;
const consoles: ConsoleServer[] = [];

beforeAll(async () => {
  buildIfStale();
  etcd = await startEmbeddedEtcd();
  client = new EtcdClient({ endpoints: etcd.url });
});
afterAll(async () => {
  for (const each of consoles) await each.close();
  await client?.close();
  await etcd?.close();
});

async function start(options: Partial<ConsoleOptions> = {}): Promise<ConsoleServer> {
  const console = await ConsoleServer.start({
    ...{ host: "127.0.0.1", port: 0, version: "1", options: { endpoints: etcd.url } },
    page: new URL("../../dist/console/", import.meta.url),
    ...options,
  });
  consoles.push(console);
  return console;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request with any headers, unlike `fetch`. */
function send(url: string, headers: Record<string, string> = {}, method = "GET", body?: object) {
  return new Promise<Answer>((resolve, reject) => {
    const sent = request(url, { method, headers }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, body: text });
    });
    sent.once("error", reject).end(body && JSON.stringify(body));
  });
}

const JSON_TYPE = { "Content-Type": "application/json" };

async function openSession(console: ConsoleServer, body: object = {}): Promise<SessionInfo> {
  const answer = await send(`${console.url}api/session`, JSON_TYPE, "POST", body);
  expect(answer.body).toContain("token");
  return JSON.parse(answer.body);
}

async function post(console: ConsoleServer, token: string, name: string, body: object) {
  const headers = { ...JSON_TYPE, "X-Etcdnet-Session": token };
  return await send(`${console.url}api/${name}`, headers, "POST", body);
}

describe("the server of the console", () => {
  it("sends a page that can load and run nothing but its own files", async () => {
    const { url } = await start();
    const { status, headers, body } = await send(url);
    expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    const policy = String(headers["content-security-policy"]).split("; ");
    expect(policy).toEqual(
      expect.arrayContaining([
        ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
        ...["frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"],
        "require-trusted-types-for 'script'",
      ]),
    );
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
    });
    // No inline script or style, which the policy would refuse.
    expect(body).not.toMatch(/<style|style=|<script(?![^>]* src=)|\bon\w+=/i);
    expect(body.match(/(?:src|href)="(?!\.\/)/g)).toBeNull();
    expect((await send(`${url}api/key?key=/`)).headers).toMatchObject({
      "content-security-policy": headers["content-security-policy"],
      "cache-control": "no-store",
    });
  });

  it.each([
    ["another file", "../package.json"],
    ["an encoded path", "%2e%2e/index.js"],
    ["an absolute URL", "/example.org/"],
  ])("has no %s", async (_name, path) => {
    const { url } = await start();
    expect((await send(`${url}${path}`)).status).toBe(404);
  });

  it.each([
    ["the name of another site", { Host: "evil.example" }, 421],
    ["the name of another site with the port", { Host: "evil.example:8079" }, 421],
    ["another origin", { Origin: "http://evil.example" }, 403],
    ["the origin of a file", { Origin: "null" }, 403],
    ["another port of this host", { Origin: "http://127.0.0.1:1" }, 403],
    ["a request of another site", { "Sec-Fetch-Site": "cross-site" }, 403],
    ["a request of a sibling site", { "Sec-Fetch-Site": "same-site" }, 403],
  ])("refuses %s", async (_name, headers, status) => {
    const console = await start({ write: true });
    for (const path of ["", "api/key?key=/", "api/session"]) {
      expect((await send(`${console.url}${path}`, headers)).status, path).toBe(status);
    }
    const session = { ...JSON_TYPE, ...headers };
    const answer = await send(`${console.url}api/session`, session, "POST", {});
    expect([answer.status, answer.body]).toEqual([status, expect.not.stringContaining("token")]);
  });

  it("serves its own names, those that it was given, and links of other sites to the page", async () => {
    const { url } = await start({ allowedHosts: ["ui.example"] });
    const { port } = new URL(url);
    for (const host of [`localhost:${port}`, "ui.example", "[::1]:80", "UI.example.:443"]) {
      expect((await send(url, { Host: host, Origin: `http://${host}` })).status, host).toBe(200);
    }
    const link = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" };
    expect((await send(url, link)).status).toBe(200);
    expect((await send(`${url}api/key?key=/`, link)).status).toBe(403);
  });

  it("answers nothing without the token of a session, and takes it only from its header", async () => {
    const console = await start({ write: true });
    const { token } = await openSession(console);
    const path = `${console.url}api/key?key=/`;
    expect((await send(path)).status).toBe(401);
    expect((await send(path, { Cookie: `x-etcdnet-session=${token}` })).status).toBe(401);
    expect((await send(`${path}&x-etcdnet-session=${token}`)).status).toBe(401);
    expect((await send(path, { "X-Etcdnet-Session": token })).status).toBe(200);
    expect((await post(console, "wrong", "save", { key: "/a", value: "1" })).status).toBe(401);
    // A page of another origin can send these types without asking.
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const headers = { "Content-Type": type, "X-Etcdnet-Session": token };
      const answer = await send(`${console.url}api/save`, headers, "POST", {
        key: "/a",
        value: "1",
      });
      expect(answer.status).toBe(415);
    }
    // A browser asks first, and gets no permission.
    const asked = await send(path, { Origin: "http://evil.example" }, "OPTIONS");
    expect(asked.headers["access-control-allow-origin"]).toBeUndefined();
    await send(`${console.url}api/session`, { "X-Etcdnet-Session": token }, "DELETE");
    expect((await send(path, { "X-Etcdnet-Session": token })).status).toBe(401);
  });

  it("changes nothing unless it was started with --write", async () => {
    const console = await start();
    const { token, writable } = await openSession(console);
    expect(writable).toBe(false);
    await client.setNode("/kept", "1");
    const bodies = { save: { key: "/kept", value: "2", index: 1 }, directory: { key: "/d" } };
    const all = { ...bodies, remove: { key: "/kept", dir: true } };
    for (const [name, body] of Object.entries(all)) {
      expect((await post(console, token, name, body)).status, name).toBe(403);
    }
    expect(await client.getNodeValue("/kept")).toBe("1");
  });

  it("saves only over the value that was shown, and keeps the TTL", async () => {
    const console = await start({ write: true });
    const { token } = await openSession(console);
    const { node } = await client.setNode("/cas", "old", { ttl: 1000 });
    const save = (value: string, index?: number) =>
      post(console, token, "save", { key: "/cas", value, index });
    expect((await save("new", node.modifiedIndex)).status).toBe(200);
    const saved = await client.getNode("/cas");
    expect(saved.node).toMatchObject({ value: "new", ttl: expect.any(Number) });
    const late = await save("late", node.modifiedIndex);
    expect([late.status, JSON.parse(late.body).name]).toEqual([412, "TestFailedError"]);
    expect((await save("created")).status).toBe(412);
    const body = { key: "/cas", dir: false, index: node.modifiedIndex };
    expect((await post(console, token, "remove", body)).status).toBe(412);
    expect(await client.getNodeValue("/cas")).toBe("new");
  });

  it("lists a directory in pages of one moment", async () => {
    const console = await start();
    const { token } = await openSession(console);
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await client.setNode(`/pages/${name}`, "v");
    const page = async (query: string): Promise<ListingPage> => {
      const headers = { "X-Etcdnet-Session": token };
      return JSON.parse(
        (await send(`${console.url}api/children?key=/pages&limit=3${query}`, headers)).body,
      );
    };
    const first = await page("");
    await client.deleteNode("/pages/a");
    const second = await page(`&listing=${first.listing}&from=${first.nodes.length}`);
    expect([...first.nodes, ...second.nodes].map(({ name }) => name)).toEqual(names);
    expect([first.total, first.nodes.length]).toEqual([5, 3]);
  });

  it("with credentials of its own, needs the access key that only its address has", async () => {
    const console = await start({
      options: { endpoints: etcd.url, username: "root", password: "secret" },
    });
    const refused = await send(`${console.url}api/session`, JSON_TYPE, "POST", {});
    expect([refused.status, refused.body]).toEqual([401, expect.stringContaining("access key")]);
    const [, accessKey] = console.urlWithAccess.split("#access=");
    const { token } = await openSession(console, { accessKey });
    // To sign in as another user, the page need not know it any more.
    const user = { username: "alice", password: "p" };
    expect((await post(console, token, "session", user)).body).toContain('"user":"alice"');
  });

  it("etcdnet console takes the options of the other commands, and ends at a signal", async () => {
    const url = etcd.url;
    await using cli = new Cli("console", "--endpoints", url, "--prefix", "/top", "--port", "0");
    await client.setNode("/top/below", "1");
    const address = await cli.url();
    expect(new URL(address).hostname).toBe("127.0.0.1");
    const { status, body } = await send(`${address}api/session`, JSON_TYPE, "POST", {});
    expect([status, JSON.parse(body)]).toEqual([200, expect.objectContaining({ prefix: "/top" })]);
    const headers = { "X-Etcdnet-Session": JSON.parse(body).token };
    expect((await send(`${address}api/key?key=/below`, headers)).body).toContain('"value":"1"');
    cli.kill("SIGTERM");
    expect(await cli.exit).toBe(0);
  });

  it("serve has a console, on a port of its own, in which users of v2 auth sign in", async () => {
    const folder = await mkdtemp(join(tmpdir(), "etcdnet-console-"));
    const file = join(folder, "password");
    await writeFile(file, "secret");
    const auth = ["--auth-root-password-file", file];
    await using cli = new Cli("serve", "--port", "0", "--console", "0", "--console-write", ...auth);
    const url = await cli.url();
    await expect.poll(() => cli.stdout).toContain("console on ");
    const [, page = ""] = /^console on (\S+)$/m.exec(cli.stdout) ?? [];
    expect(new URL(page).port).not.toBe(new URL(url).port);
    const signIn = async (body: object): Promise<SessionInfo> =>
      JSON.parse((await send(`${page}api/session`, JSON_TYPE, "POST", body)).body);
    const save = async ({ token }: SessionInfo) => {
      const headers = { ...JSON_TYPE, "X-Etcdnet-Session": token };
      const body = { key: "/a", value: "1" };
      return (await send(`${page}api/save`, headers, "POST", body)).status;
    };
    expect(await save(await signIn({ username: "root", password: "wrong" }))).toBe(401);
    expect(await save(await signIn({ username: "root", password: "secret" }))).toBe(200);
    expect(cli.stdout + cli.stderr).not.toContain("secret");
    await rm(folder, { recursive: true });
    const refused = new Cli("serve", "--console-write");
    expect(await refused.exit).toBe(1);
    expect(refused.stderr).toContain("--console-write needs --console");
  });
});
